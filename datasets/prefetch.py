"""Batches read ahead by one thread into a ring of buffers that are used again.

Worker processes made reading three to five times slower: moving a batch between processes and
touching new memory cost more than the read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from codecctl.datasets.batch import Batch
from codecctl.datasets.closing import Closing
from codecctl.datasets.reading import WindowReader
from codecctl.datasets.sampler import TrainSampler

HELD = 2


class Prefetcher(Closing):
    """Iterates over batches in the order of steps, without end; the depth changes no batch.

    The audio of a batch lies in the ring: it stays valid while the next batch is in use and is
    overwritten after the one after that is asked for.

    Args:
        sampler: Where batches come from.
        first_step: Step of the first batch.
        depth: Batches read ahead; 0 reads each when it is asked for, without a thread.
        rows: Rows of each batch that this process takes.
        repeat: The first so many batches again and again; 0: every step has its own.
        io_threads: Reads from the disk at a time; more than 1 for network disks.
        integers: Hand out the integers of an int16 store with their steps: half the bytes.
        allocate: Makes the arrays of the ring, such as pinned ones, from shape and type.
    """

    def __init__(
        self,
        sampler: TrainSampler,
        first_step: int,
        depth: int,
        *,
        rows: slice = slice(None),
        repeat: int = 0,
        io_threads: int = 1,
        integers: bool = False,
        allocate: Callable[[tuple[int, ...], np.dtype[np.generic]], np.ndarray] = np.zeros,
    ) -> None:
        shape = (
            len(range(sampler.batch_size)[rows]),
            sampler.window.capsules,
            sampler.window.frames,
        )
        kind = np.dtype(np.int16 if integers else np.float32)
        self._ring = [allocate(shape, kind) for _ in range(depth + HELD)]
        self._reader = WindowReader(
            sampler.store, frames=sampler.window.frames, io_threads=io_threads
        )
        self._sampler = sampler
        self._rows = rows
        self._repeat = repeat
        self._next = first_step
        self._pending: deque[Future[Batch]] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="prefetch") if depth else None
        for _ in range(depth):
            self._read_ahead()

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        """The next batch; an error of the thread is raised here, at the step that met it."""
        if self._thread is None:
            self._next += 1
            return self._read(self._next - 1)
        if not self._pending:
            raise StopIteration
        self._read_ahead()
        return self._pending.popleft().result()

    def close(self) -> None:
        """End the threads; a batch that is being read is finished first."""
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)
        self._reader.close()
        self._pending.clear()

    def _read_ahead(self) -> None:
        assert self._thread is not None
        self._pending.append(self._thread.submit(self._read, self._next))
        self._next += 1

    def _read(self, step: int) -> Batch:
        out = self._ring[step % len(self._ring)]
        step = step % self._repeat if self._repeat else step
        return self._sampler.batch(step, rows=self._rows, out=out, reader=self._reader)
