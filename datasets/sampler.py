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
from codecctl.datasets.reading import WindowReader
from codecctl.datasets.store import AudioSource
from codecctl.datasets.windows import Window, draw_items, fault_of_peaks, usable_recordings
from codecctl.errors import DataError

MAX_REDRAWS = 100
_STREAM = 1  # validation draws from another stream of the same seed
_POOL_STREAM = 3
_WORD = (1 << 64) - 1


class TrainSampler:
    """Draws windows of some recordings of a store.

    Args:
        store: Opened.
        recordings: Names; those that a window does not fit into are left out.
        window: What an item is.
        batch_size: B, over all processes.
        seed: Of the whole training.
        pool: Different windows that are ever drawn, with replacement; 0: any number.

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
        pool: int = 0,
    ) -> None:
        assert batch_size > 0 and pool >= 0, (batch_size, pool)
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
        self._pool = pool
        self._reader = WindowReader(store, frames=window.frames)
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
        self,
        step: int,
        *,
        rows: slice = slice(None),
        out: np.ndarray | None = None,
        reader: WindowReader | None = None,
    ) -> Batch:
        """The batch of a step.

        Args:
            step: From 0.
            rows: Which rows of the batch; a process of several takes its own.
            out: (rows, M, T) float32 to read into. int16 takes the integers of an int16 store,
                half the bytes; the batch then has `steps`.
            reader: Reads the windows; none of its settings changes the batch.

        Raises:
            DataError: A row meets nothing but silence or numbers that are not finite.
        """
        chosen = range(self.batch_size)[rows]
        if out is None:
            shape = (len(chosen), self.window.capsules, self.window.frames)
            out = np.empty(shape, dtype=np.float32)
        reader = reader or self._reader
        drawn = self._draw(step, attempt=0)
        items = [drawn[row] for row in chosen]
        wanted = list(range(len(items)))
        for attempt in range(1, MAX_REDRAWS + 2):
            bad = self._read(reader, items, out, wanted)
            if not bad:
                steps = reader.steps(items) if out.dtype == np.int16 else None
                return Batch(out, self.store.sample_rate, tuple(items), steps)
            wanted, last = bad, items[bad[0]].recording
            drawn = self._draw(step, attempt=attempt)
            for place in wanted:
                items[place] = drawn[chosen[place]]
        raise DataError(
            f"{last}: {MAX_REDRAWS} windows in a row were silent (peak below "
            f"{self.window.silence_db:g} dB) or not finite; lower data.silence_db or leave out "
            f"{', '.join(sorted({name for name, _ in self.redraws}))}"
        )

    def _read(
        self, reader: WindowReader, items: list[Item], out: np.ndarray, wanted: list[int]
    ) -> list[int]:
        """Read the wanted windows; those of no use are counted and returned."""
        window = self.window
        peaks = reader.read(
            [items[place] for place in wanted], out, rows=wanted, enough=window.floor
        )
        if np.isfinite(peaks).all() and peaks.min(initial=np.inf) >= window.floor:
            return []
        bad = []
        for place, row in zip(wanted, peaks, strict=True):
            why = fault_of_peaks(row, window=window)
            if why:
                bad.append(place)
                with self._counting:
                    self._redraws[items[place].recording, why] += 1
        return bad

    def _draw(self, step: int, *, attempt: int) -> list[Item]:
        """The windows of a step as drawn, whatever they hold."""
        generator = random_numbers(self._seed, _STREAM, step=step, attempt=attempt)
        numbers = generator.random((self.batch_size, self._numbers))
        if self._pool:
            numbers = np.stack([self._of_pool(number, attempt) for number in numbers[:, 0]])
        choices = (numbers[:, 0] * len(self.recordings)).astype(int).tolist()
        recordings = [self.recordings[choice] for choice in choices]
        return draw_items(recordings, numbers[:, 1:], window=self.window)

    def _of_pool(self, number: float, attempt: int) -> np.ndarray:
        """The numbers of one window of the pool; a window of no use is another one from then on."""
        window = int(number * self._pool)
        generator = random_numbers(self._seed, _POOL_STREAM, step=window, attempt=attempt)
        return generator.random(self._numbers)


def random_numbers(seed: int, stream: int, *, step: int, attempt: int) -> np.random.Generator:
    """Random numbers of their own for each seed, stream, step and attempt.

    Philox is counter-based (Salmon et al. 2011, https://doi.org/10.1145/2063384.2063405): step
    and attempt are words of its counter, so that no step has to wait for another.
    """
    key = np.array([seed & _WORD, stream], dtype=np.uint64)
    counter = np.array([0, 0, attempt, step], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))
