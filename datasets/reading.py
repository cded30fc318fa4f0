"""All windows of a batch in one go: from memory where they are there, else from the disk at once.

Windows are first read as far as the page cache holds them, which needs no thread and no advice to
the system. From the first one that it does not hold, all that is left is read from the disk: with
one thread, the system is told of every span and fetches them together; with several, which a
network disk needs, each waits for a read of its own. Neither changes a sample.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from codecctl.datasets.batch import Item, Steps
from codecctl.datasets.store import AudioSource, Store
from codecctl.datasets.store.files import OpenFile
from codecctl.datasets.store.reader import require_inside
from codecctl.datasets.store.spans import Scratch, expand, float_peak, grouped, parts_of, peak

GAP_BYTES = 16 << 10
"""Reading over such a gap costs less than a second read: a call takes 2 us, memory 10 GB/s."""
NETWORK_GAP_BYTES = 256 << 10
"""The same for a disk that answers after 1 ms and sends 250 MB/s."""


class _Job(NamedTuple):
    """What one read call fetches: some channels of a window."""

    row: int
    """Of the batch."""
    item: Item
    places: tuple[int, ...]
    """Which of the item's channels, in the order of the file."""
    file: OpenFile | None
    """None: the whole window through the source's own `read`."""


class WindowReader:
    """Reads windows of equal length; `close` it when done. Threads may share it.

    Args:
        source: A store, or what reads like one.
        frames: T.
        io_threads: Reads from the disk at a time; 1 does without threads.
    """

    def __init__(self, source: AudioSource, *, frames: int, io_threads: int = 1) -> None:
        assert frames > 0 and io_threads > 0, (frames, io_threads)
        self._source = source
        self._store = source if isinstance(source, Store) else None
        self._frames = frames
        self._io_threads = io_threads
        self._gap = GAP_BYTES if io_threads == 1 else NETWORK_GAP_BYTES
        self._pool: ThreadPoolExecutor | None = None
        self._process = os.getpid()
        self._local = threading.local()

    def read(
        self,
        items: Sequence[Item],
        out: np.ndarray,
        *,
        rows: Sequence[int] | None = None,
        enough: float = 0.0,
    ) -> np.ndarray:
        """Read windows into rows of a batch.

        Args:
            items: With M channels each.
            out: (B, M, T) float32, contiguous; int16 takes the integers of an int16 store.
            rows: Row of each item; the first ones by default.
            enough: Peaks from here on need not be exact, see `spans.peak`.

        Returns:
            (len(items), M) float32: the peak of each channel as audio, not finite where the audio
            is not.

        Raises:
            DataError: A window is outside its recording, or cannot be read.
        """
        assert out.flags.c_contiguous and out.shape[2] == self._frames, (out.shape, self._frames)
        assert out.dtype == np.float32 or self._source.dtype == out.dtype == np.int16, out.dtype
        rows = range(len(items)) if rows is None else rows
        peaks = np.zeros((len(out), out.shape[1]), dtype=np.float32)
        target = _Target(out, out.reshape(-1).data.cast("B"), peaks, enough)
        jobs: list[_Job] = []
        for row, item in zip(rows, items, strict=True):
            jobs += self._jobs(row, item)
        for index, job in enumerate(jobs):
            if not self._load(job, target, wait=False):
                self._load_from_disk(jobs[index:], target)
                break
        return peaks[list(rows)]

    def steps(self, items: Sequence[Item]) -> Steps:
        """What the integers of windows of an int16 store are worth."""
        assert self._store is not None and self._store.dtype == "int16", self._source.dtype
        second = self._store.sample_rate
        count = (self._frames + second - 2) // second + 1
        values = np.ones((len(items), len(items[0].channels), count), dtype=np.float32)
        for row, item in zip(values, items, strict=True):
            scale = self._store.opened(item.recording).scale
            assert scale is not None
            first = item.start // second
            last = (item.start + self._frames - 1) // second
            row[:, : last - first + 1] = scale[list(item.channels), first : last + 1]
        inside = np.array([item.start % second for item in items], dtype=np.int64)
        return Steps(values, inside, second)

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None and self._process == os.getpid():
            self._pool.shutdown()
        self._pool = None

    def _jobs(self, row: int, item: Item) -> list[_Job]:
        if self._store is None:
            return [_Job(row, item, tuple(range(len(item.channels))), None)]
        file = self._store.opened(item.recording)
        require_inside(file, item.start, self._frames, item.channels)
        length = self._frames * file.sample_type.itemsize
        reach = (length + self._gap) // file.channel_bytes
        places = range(len(item.channels))
        if reach == 0 or len(places) == 1:  # recordings of more than some seconds
            return [_Job(row, item, (place,), file) for place in places]
        groups = grouped(places, item.channels, reach=reach)
        return [_Job(row, item, tuple(group), file) for group in groups]

    def _load_from_disk(self, jobs: Sequence[_Job], target: _Target) -> None:
        if self._io_threads > 1 and len(jobs) > 1:
            self._in_parallel(jobs, lambda job: self._load(job, target, wait=True))
            return
        for job in jobs:
            for place in job.places:
                channel = job.item.channels[place]
                if job.file is not None:
                    job.file.will_need(channel, job.item.start, self._frames)
                else:
                    name, start = job.item.recording, job.item.start
                    self._source.will_need(name, start, self._frames, [channel])
        for job in jobs:
            self._load(job, target, wait=True)

    def _in_parallel(self, jobs: Sequence[_Job], work: Callable[[_Job], object]) -> None:
        if self._pool is None or self._process != os.getpid():  # threads do not survive a fork
            self._pool = ThreadPoolExecutor(self._io_threads, thread_name_prefix="read")
            self._process = os.getpid()
        pending = deque(jobs)

        def drain() -> None:
            while True:
                try:
                    job = pending.popleft()
                except IndexError:
                    return
                work(job)

        workers: list[Future[None]] = [
            self._pool.submit(drain) for _ in range(min(self._io_threads, len(jobs)))
        ]
        try:
            for worker in workers:
                worker.result()
        finally:
            pending.clear()
            wait(workers)  # nobody writes into the batch any more

    def _load(self, job: _Job, target: _Target, *, wait: bool) -> bool:
        """Read a job; False where it was not to wait and would have had to."""
        row, item, places, file = job
        if file is None:
            return wait and self._load_whole(job, target)
        scale, audio, start = file.scale, target.audio, item.start
        direct = scale is None or audio.dtype == np.int16
        if direct:
            views = target.views(row, places)
        else:
            scratch = self._scratch(len(places), file)
            views = scratch.views[: len(places)]
        channels = [item.channels[place] for place in places]
        if not file.gather(views, channels, start, wait=wait):
            return False
        parts = parts_of(start, self._frames, file.scale_frames)
        for number, place in enumerate(places):
            out = audio[row, place]
            if scale is None:
                target.peaks[row, place] = float_peak(out)
                continue
            samples = out if direct else scratch.samples[number]
            step = scale[channels[number]]
            target.peaks[row, place] = peak(samples, step, parts, target.enough)
            if not direct:
                expand(samples, step, parts, out)
        return True

    def _load_whole(self, job: _Job, target: _Target) -> bool:
        item, out = job.item, target.audio[job.row]
        self._source.read(item.recording, item.start, self._frames, item.channels, out)
        target.peaks[job.row] = [float_peak(row) for row in out]
        return True

    def _scratch(self, rows: int, file: OpenFile) -> Scratch:
        scratch: Scratch | None = getattr(self._local, "scratch", None)
        if scratch is None:
            scratch = self._local.scratch = Scratch()
        scratch.fit(rows, self._frames, file.sample_type)
        return scratch


@dataclass(frozen=True)
class _Target:
    """Where windows go."""

    audio: np.ndarray
    """(B, M, T) float32 or int16."""
    bytes: memoryview
    """Of all of it."""
    peaks: np.ndarray
    """(B, M) float32."""
    enough: float

    def views(self, row: int, places: Sequence[int]) -> list[memoryview]:
        """The bytes of some channels of a row."""
        _, channels, frames = self.audio.shape
        length = frames * self.audio.itemsize
        first = row * channels * length
        return [
            self.bytes[first + place * length : first + (place + 1) * length] for place in places
        ]
