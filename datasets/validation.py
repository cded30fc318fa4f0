"""The fixed windows of validation: the same in every process, after every resume, for every run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from codecctl.datasets.batch import Batch, Item
from codecctl.datasets.reading import WindowReader
from codecctl.datasets.sampler import random_numbers
from codecctl.datasets.store import AudioSource
from codecctl.datasets.windows import Window, draw_item, fault, usable_recordings
from codecctl.errors import DataError

_STREAM = 2  # training draws from another stream of the same seed
_TRIES_EACH = 8


def fixed_items(
    store: AudioSource,
    recordings: Sequence[str],
    *,
    window: Window,
    count: int = 100,
    seed: int = 42,
) -> tuple[Item, ...]:
    """The windows that every validation measures; a function of the store's content and the seed.

    Recordings take turns in the order of their names, so that each is heard; start and capsules
    are random. A window that is silent or not finite is replaced by another of the same recording,
    and after eight of them by one of the next.

    Args:
        store: Opened.
        recordings: Names, in any order.
        window: What an item is.
        count: Items; exactly as many are returned, whatever the size of the store.
        seed: Of these items alone.

    Raises:
        DataError: No recording can be used, or all of them are silent.
    """
    usable = usable_recordings(store, recordings, window=window).recordings
    audio = np.empty((window.capsules, window.frames), dtype=np.float32)
    numbers = 1 + max(info.channels for info in usable)
    items = []
    for index in range(count):
        for attempt in range(_TRIES_EACH * len(usable)):
            info = usable[(index + attempt // _TRIES_EACH) % len(usable)]
            generator = random_numbers(seed, _STREAM, step=index, attempt=attempt)
            item = draw_item(info, generator.random(numbers), window=window)
            store.read(item.recording, item.start, window.frames, item.channels, audio)
            if not fault(audio, window=window):
                items.append(item)
                break
        else:
            raise DataError(
                f"store {store.name}: every window drawn for validation is silent (peak below "
                f"{window.silence_db:g} dB) or not finite; lower data.silence_db"
            )
    return tuple(items)


def batches(
    store: AudioSource,
    items: Sequence[Item],
    *,
    batch_size: int,
    frames: int,
    io_threads: int = 1,
) -> Iterator[Batch]:
    """Read items in order, (B, M, T) at a time; the last batch may hold fewer.

    Args:
        store: Opened.
        items: With equally many channels.
        batch_size: B.
        frames: T.
        io_threads: Reads from the disk at a time.
    """
    reader = WindowReader(store, frames=frames, io_threads=io_threads)
    try:
        for first in range(0, len(items), batch_size):
            chosen = tuple(items[first : first + batch_size])
            audio = np.empty((len(chosen), len(chosen[0].channels), frames), dtype=np.float32)
            reader.read(chosen, audio)
            yield Batch(audio, store.sample_rate, chosen)
    finally:
        reader.close()


def items_to_json(items: Sequence[Item]) -> list[dict[str, object]]:
    """Items as they stand in `validation_items.json`."""
    return [
        {"recording": item.recording, "start": item.start, "channels": list(item.channels)}
        for item in items
    ]


def items_from_json(content: object) -> tuple[Item, ...]:
    """Items from what `items_to_json` made.

    Raises:
        DataError: The content is something else.
    """
    if not isinstance(content, list):
        raise DataError(f"validation items: found {type(content).__name__}, needed a list")
    return tuple(_item(row, number) for number, row in enumerate(content))


def _item(row: object, number: int) -> Item:
    if isinstance(row, dict):
        name, start, channels = (row.get(key) for key in ("recording", "start", "channels"))
        if isinstance(name, str) and isinstance(start, int) and isinstance(channels, list):
            return Item(name, start, tuple(int(channel) for channel in channels))
    raise DataError(f"validation item {number}: found {row!r}, needed recording, start, channels")
