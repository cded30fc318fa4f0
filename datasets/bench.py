"""What a store feeds a trainer: batches a second from memory, from the disk, from a slower disk.

The loader works in one thread beside the training, so a batch that takes `t` seconds to load is
waited for by a trainer that makes more than `1 / t` steps a second, and by no other.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from codecctl.datasets.prefetch import Prefetcher
from codecctl.datasets.rated import at_rate
from codecctl.datasets.reading import WindowReader
from codecctl.datasets.sampler import TrainSampler
from codecctl.datasets.store import RecordingInfo, Store, recording_path
from codecctl.datasets.windows import Window
from codecctl.errors import DataError

MEMORY = "in memory"
COLD = "from disk"
SIMULATED = "simulated"
SILENCE_DB = -1000.0
"""Nothing is drawn again for its silence: what a bench reads says nothing of the audio."""
_FEWEST = 3
_MOST = 40
_DEPTH = 4


@dataclass(frozen=True)
class Load:
    """What is read."""

    window: Window
    batch_size: int
    rate: int
    """Hz of the windows; another one than the store's is resampled as it is read."""

    @property
    def channels(self) -> int:
        """Channels of a batch."""
        return self.batch_size * self.window.capsules


@dataclass(frozen=True)
class Place:
    """Where a store is read from, and how."""

    kind: str
    """`MEMORY`, `COLD` or `SIMULATED`."""
    io_threads: int = 1
    latency_seconds: float = 0.0
    """Added to each read, to imitate a disk behind a network."""


@dataclass(frozen=True)
class Speed:
    """How fast batches come."""

    place: Place
    batch_seconds: float
    """Median."""
    cpu_seconds: float
    """For a batch, all threads together, median."""
    batches: int
    """That were timed."""
    stored_bytes: float
    """That a batch takes from the store."""
    load: Load

    @property
    def batches_per_second(self) -> float:
        """The most steps a second that this feeds."""
        return 1 / self.batch_seconds

    @property
    def windows_per_second(self) -> float:
        """Items a second."""
        return self.load.batch_size / self.batch_seconds

    @property
    def audio_seconds_per_second(self) -> float:
        """Audio of all channels."""
        return self.load.channels * self.load.window.frames / self.load.rate / self.batch_seconds

    @property
    def megabytes_per_second(self) -> float:
        """Taken from the store."""
        return self.stored_bytes / 1e6 / self.batch_seconds


class SlowDisk:
    """Reads as a disk would that answers late: nothing of it is in memory, each call waits.

    What a system fetches ahead is not imitated.

    Args:
        latency_seconds: Of each read.
    """

    def __init__(self, latency_seconds: float) -> None:
        self._latency = latency_seconds

    def __call__(
        self, descriptor: int, buffers: Sequence[memoryview], offset: int, flags: int = 0, /
    ) -> int:
        """`os.preadv`, late."""
        if flags & os.RWF_NOWAIT:
            raise BlockingIOError
        time.sleep(self._latency)  # the wait is what is measured: this stands for a slow disk
        return os.preadv(descriptor, buffers, offset, flags)


def all_channels(recordings: Sequence[RecordingInfo]) -> int:
    """Channels of the largest array of a store."""
    return max(info.channels for info in recordings)


def whole_arrays(recordings: Sequence[RecordingInfo], load: Load) -> Load:
    """Four windows as long as those of a load, with all channels of the largest array."""
    window = replace(load.window, capsules=all_channels(recordings))
    return replace(load, window=window, batch_size=4)


def measure(path: Path, load: Load, place: Place, *, seconds: float = 2.0) -> Speed:
    """Time the batches of a training from one place.

    Args:
        path: Folder of the store.
        load: What to read.
        place: Where from.
        seconds: To spend on it, about; never fewer than three batches.

    Raises:
        DataError: No recording fits, or one cannot be read.
    """
    slow = place.kind == SIMULATED
    read_call = SlowDisk(place.latency_seconds) if slow else os.preadv
    with Store.open(path, check=False, read_call=read_call) as store:
        sampler = _sampler(store, load)
        reader = WindowReader(sampler.store, frames=load.window.frames, io_threads=place.io_threads)
        out = np.empty((load.batch_size, load.window.capsules, load.window.frames), np.float32)

        def read(step: int) -> None:
            sampler.batch(step, out=out, reader=reader)

        try:
            walls, cpus = _timed(read, store, place, seconds=seconds)
        finally:
            reader.close()
        stored = load.channels * load.window.frames / load.rate * store.sample_rate
        item_bytes = {info.geometry.sample_type.itemsize for info in store.recordings}
    return Speed(
        place,
        batch_seconds=statistics.median(walls),
        cpu_seconds=statistics.median(cpus),
        batches=len(walls),
        stored_bytes=stored * statistics.mean(item_bytes),
        load=load,
    )


def hidden_share(
    path: Path, load: Load, *, step_seconds: float, batch_seconds: float, seconds: float = 1.0
) -> float:
    """The share of loading that a trainer does not notice, with batches read ahead, from memory.

    Args:
        path: Folder of the store.
        load: What to read.
        step_seconds: What the trainer does with a batch, without this processor.
        batch_seconds: What loading a batch takes.
        seconds: To spend on it, about.

    Returns:
        1 where nothing is waited for, 0 where all of the loading is.
    """
    count = max(_FEWEST, min(_MOST, round(seconds / max(step_seconds, batch_seconds))))
    with (
        Store.open(path, check=False) as store,
        Prefetcher(_sampler(store, load), 0, _DEPTH) as batches,
    ):
        next(batches)
        waited = 0.0
        for _ in range(count + _DEPTH):
            time.sleep(step_seconds)  # stands for the step of a trainer, which leaves a core free
            asked = time.perf_counter()
            next(batches)
            waited += time.perf_counter() - asked
    return min(1.0, max(0.0, 1 - waited / ((count + _DEPTH) * batch_seconds)))


def forget_cached(store: Store) -> None:
    """Let the system drop the audio of a store from its memory, so that the disk is read."""
    for info in store.recordings:
        path = recording_path(store.path, info.name)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise DataError(f"{path}: cannot be opened ({error.strerror})") from error
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def _sampler(store: Store, load: Load) -> TrainSampler:
    return TrainSampler(
        at_rate(store, load.rate),
        [info.name for info in store.recordings],
        window=load.window,
        batch_size=load.batch_size,
        seed=0,
    )


def _timed(
    read: Callable[[int], None], store: Store, place: Place, *, seconds: float
) -> tuple[list[float], list[float]]:
    """Seconds of each batch, on the clock and of the processor."""
    walls: list[float] = []
    cpus: list[float] = []
    read(0)  # opens files and starts threads
    begun = time.perf_counter()
    while len(walls) < _FEWEST or (len(walls) < _MOST and time.perf_counter() - begun < seconds):
        step = len(walls)
        if place.kind == COLD:
            forget_cached(store)
        elif place.kind == MEMORY:
            read(step)  # now it is there
        wall, cpu = time.perf_counter(), time.process_time()
        read(step)
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return walls, cpus
