"""Where the items of a run come from: store, recording, second, capsules, and which array."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from codecctl.datasets.em32 import ARRAY_NAME, NUM_CAPSULES
from codecctl.engine.rundir import Row, number, read_json
from codecctl.errors import CodecctlError

_MOST_BYTES = 1 << 26
_ITEM = re.compile(r"item-(\d{3,})")
_WHOLE = re.compile(r"whole-\d{3,}")


@dataclass(frozen=True)
class Origin:
    """A window of a recording."""

    recording: str
    seconds: float
    """Where it begins."""
    channels: tuple[int, ...]
    """Counted from 0."""


@dataclass(frozen=True)
class StoreOfRun:
    """What a run says of its store."""

    path: Path
    fingerprint: str


def store_of_run(run: Path) -> StoreOfRun | None:
    """The store that a run was started on; None where it does not say."""
    said = read_json(run / "environment.json").get("store")
    path = said.get("path") if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(path, str) or not path:
        return None
    return StoreOfRun(Path(path), str(said.get("fingerprint", "")))


def item_number(item: str) -> int | None:
    """The number in the validation of a preview: `item-007.swap` -> 7; None for whole arrays."""
    match = _ITEM.fullmatch(item.partition(".")[0])
    return int(match[1]) if match else None


def origin_of(run: Path, item: str) -> Origin | None:
    """Where a previewed item comes from; None where the run does not say."""
    index = item_number(item)
    items = _items(run / "validation_items.json")
    if index is None or index >= len(items) or not isinstance(items[index], dict):
        return None
    row: Row = items[index]
    start, channels = number(row.get("start")), row.get("channels")
    profile = read_json(run / "profile.json").get("profile")
    data = profile.get("data") if isinstance(profile, dict) else None
    rate = number(data.get("rate")) if isinstance(data, dict) else None
    if start is None or not isinstance(channels, list) or not rate:
        return None
    wanted = [c for c in channels if isinstance(c, int)]
    return Origin(str(row.get("recording", "")), start / rate, tuple(wanted))


def array_of_item(run: Path, item: str, channels: int) -> str:
    """What the channels of a preview are: `em32`, `ambisonic...`, "" where that is not known.

    Args:
        run: The run folder.
        item: Name of the preview.
        channels: Of its file.
    """
    if _WHOLE.fullmatch(item.partition(".")[0]):  # these are always of an em32
        return ARRAY_NAME if channels == NUM_CAPSULES else ""
    origin, store = origin_of(run, item), store_of_run(run)
    if origin is None or store is None or origin.channels != tuple(range(channels)):
        return ""
    # Here, not above: the screen must not wait for HDF5.
    from codecctl.datasets.store.index import read_index

    try:
        recordings = read_index(store.path).recordings
    except CodecctlError:  # not on this machine: the run is shown without maps
        return ""
    found = next((info for info in recordings if info.name == origin.recording), None)
    return found.array if found is not None and found.channels == channels else ""


def _items(path: Path) -> list[Row]:
    from codecctl.datasets.store.regular import read_small

    try:
        value = json.loads(read_small(path, most=_MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return []
    return value if isinstance(value, list) else []
