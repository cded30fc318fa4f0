"""Training batches: a pure function of the store, the seed and the step.

Documents of the modes ask for a random file, a random second and random channels. A recording is
drawn with equal chances whatever its length, then any start sample at which a window fits, then
the capsules. Row `i` of step `s` depends on (seed, s, i) alone: neither the batch size, nor the
number of processes, nor what was drawn before changes it.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence

import numpy as np

from codecctl.datasets.batch import Batch, Item
from codecctl.datasets.store import AudioSource
from codecctl.datasets.windows import Window, draw_item, fault, usable_recordings
from codecctl.errors import DataError

MAX_REDRAWS = 100
_STREAM = 1  # validation draws from another stream of the same seed
_WORD = (1 << 64) - 1


class TrainSampler:
    """Draws windows of some recordings of a store.

    Args:
        store: Opened.
        recordings: Names; those that a window does not fit into are left out.
        window: What an item is.
        batch_size: B, over all processes.
        seed: Of the whole training.

    Raises:
        DataError: No recording can be used.
    """

    def __init__(
        self,
        store: AudioSource,
        recordings: Sequence[str],
        *,
        window: Window,
        batch_size: int,
        seed: int,
    ) -> None:
        assert batch_size > 0, batch_size
        usable = usable_recordings(store, recordings, window=window)
        self.store = store
        self.window = window
        self.batch_size = batch_size
        self.recordings = usable.recordings
        self.left_out = usable.left_out
        """A sentence for each recording that cannot be used."""
        self._redraws: Counter[tuple[str, str]] = Counter()
        self._counting = threading.Lock()
        self._seed = seed
        self._numbers = 2 + max(info.channels for info in usable.recordings)

    @property
    def redraws(self) -> Counter[tuple[str, str]]:
        """Windows drawn again so far, by recording and reason (`silent`, `not finite`).

        A copy: a `Prefetcher` may be counting at the same time.
        """
        with self._counting:
            return self._redraws.copy()

    def items(self, step: int) -> tuple[Item, ...]:
        """The windows of a step, those of no use replaced; reads their audio."""
        return self.batch(step).items

    def batch(
        self, step: int, *, rows: slice = slice(None), out: np.ndarray | None = None
    ) -> Batch:
        """The batch of a step.

        Args:
            step: From 0.
            rows: Which rows of the batch; a process of several takes its own.
            out: (rows, M, T) float32 to read into.

        Raises:
            DataError: A row meets nothing but silence or numbers that are not finite.
        """
        chosen = range(self.batch_size)[rows]
        drawn = self._draw(step, attempt=0)
        items = [drawn[row] for row in chosen]
        if out is None:
            shape = (len(items), self.window.capsules, self.window.frames)
            out = np.empty(shape, dtype=np.float32)
        for item in items:
            self.store.will_need(item.recording, item.start, self.window.frames, item.channels)
        for place, row in enumerate(chosen):
            items[place] = self._read(items[place], step=step, row=row, out=out[place])
        return Batch(out, self.store.sample_rate, tuple(items))

    def _read(self, item: Item, *, step: int, row: int, out: np.ndarray) -> Item:
        """Read a window, or the first of its replacements that is of use."""
        for attempt in range(1, MAX_REDRAWS + 2):
            self.store.read(item.recording, item.start, len(out[0]), item.channels, out)
            why = fault(out, window=self.window)
            if not why:
                return item
            with self._counting:
                self._redraws[item.recording, why] += 1
            last = item.recording
            item = self._draw(step, attempt=attempt)[row]
        raise DataError(
            f"{last}: {MAX_REDRAWS} windows in a row were silent (peak below "
            f"{self.window.silence_db:g} dB) or not finite; lower data.silence_db or leave out "
            f"{', '.join(sorted({name for name, _ in self.redraws}))}"
        )

    def _draw(self, step: int, *, attempt: int) -> list[Item]:
        """The windows of a step as drawn, whatever they hold."""
        generator = random_numbers(self._seed, _STREAM, step=step, attempt=attempt)
        numbers = generator.random((self.batch_size, self._numbers))
        choices = (numbers[:, 0] * len(self.recordings)).astype(int)
        return [
            draw_item(self.recordings[choice], row[1:], window=self.window)
            for choice, row in zip(choices, numbers, strict=True)
        ]


def random_numbers(seed: int, stream: int, *, step: int, attempt: int) -> np.random.Generator:
    """Random numbers of their own for each seed, stream, step and attempt.

    Philox is counter-based (Salmon et al. 2011, https://doi.org/10.1145/2063384.2063405): step
    and attempt are words of its counter, so that no step has to wait for another.
    """
    key = np.array([seed & _WORD, stream], dtype=np.uint64)
    counter = np.array([0, 0, attempt, step], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))
