"""Find damage: in the structure without reading audio, in the audio chunk by chunk."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np

from codecctl.datasets.store.damage import Damage, damages_of
from codecctl.datasets.store.hashes import hash_chunk, hash_tables
from codecctl.datasets.store.layout import RECORDINGS_FOLDER, RecordingInfo, recording_path
from codecctl.datasets.store.regular import open_regular
from codecctl.datasets.store.residency import drop, pages_to_drop
from codecctl.datasets.store.tables import read_check, read_scale
from codecctl.datasets.store.trailer import hash_outside
from codecctl.errors import DataError

_READ_BYTES = 2 << 20  # measured: 0.5 to 4 MB read equally fast, less and more slower
_PIECE_BYTES = 64 << 20  # what a thread takes at a time: a lone recording keeps all of them busy
_SOUND, _CHANGED, _UNREADABLE = range(3)
_NO_DAMAGE = {
    errno.EACCES: "needed the right to read it, which its owner gives",
    errno.EPERM: "needed the right to read it, which its owner gives",
    errno.EMFILE: "fewer --jobs, or a higher limit (ulimit -n)",
    errno.ENFILE: "the machine has no more files to give; try later",
    errno.ENOMEM: "the machine has no memory left; try later",
    errno.ESTALE: "the network disk has lost it; mount it again",
}
_TEXTS = {_CHANGED: "the audio is not what was written", _UNREADABLE: "the disk cannot read it"}


def verify_recordings(
    folder: Path,
    recordings: Sequence[RecordingInfo],
    *,
    num_threads: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Damage]:
    """Read every byte of some recordings and compare it with the hashes.

    Threads share the work in pieces of 64 MB: reading and, for long chunks, hashing let go of
    Python's lock. Pages that the system did not hold before are given back to it, so that a check
    of a big store does not push out what a training on the same machine reads.

    Args:
        folder: Of the store.
        recordings: Rows of its index.
        num_threads: At work at a time.
        on_progress: Called with the bytes of audio done and in all, from any thread.

    Returns:
        What is damaged, by recording, channel and second; empty when nothing is.

    Raises:
        DataError: This process may not read a recording.
    """
    total = sum(info.geometry.audio_bytes for info in recordings)
    progress = _Progress(total, on_progress)
    checks: list[_Check] = []
    damages: list[Damage] = []
    for info in recordings:
        path = recording_path(folder, info.name)
        what = structure_damage(path, info) or _tables_damage(path, info)
        if what:
            damages.append(Damage(info.name, what))
            progress.add(info.geometry.audio_bytes)
        else:
            checks.append(_Check(path, info))
    _run(checks, num_threads, progress.add)
    for check in checks:
        damages += check.damages()
    place = {info.name: number for number, info in enumerate(recordings)}
    return sorted(damages, key=lambda damage: place[damage.recording])


def _run(checks: Sequence[_Check], num_threads: int, on_bytes: Callable[[int], None]) -> None:
    with ThreadPoolExecutor(max(1, num_threads), "verify") as pool:
        pieces = [(check, span) for check in checks for span in check.pieces()]
        waiting = [pool.submit(check.run, span, on_bytes) for check, span in pieces]
        try:
            for future in waiting:
                future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def structure_damage(path: Path, info: RecordingInfo) -> str:
    """What is wrong with the part of a recording file that is not audio, "" when nothing is.

    Reads the structure only: about 250 kB of a 900 MB recording.

    Raises:
        DataError: This process may not read it, which says nothing about what is in it.
    """
    try:
        descriptor = open_regular(path)
    except FileNotFoundError:
        return "missing, though the index lists it"
    except OSError as error:
        _require_damage(path, error)
        return f"cannot be opened ({error.strerror})"
    try:
        size = os.fstat(descriptor).st_size
        if size != info.file_size:
            kind = "truncated" if size < info.file_size else "damaged"
            return f"{kind}: found {size} bytes, needed {info.file_size}"
        found = hash_outside(descriptor, info.audio_offset, info.geometry, end=size)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    finally:
        os.close(descriptor)
    return "" if found == info.structure_hash else "damaged: its structure is not what was written"


def strays(folder: Path, recordings: Sequence[RecordingInfo]) -> list[tuple[Path, str]]:
    """Files in `rec` that no row of the index stands for, and what each of them is."""
    listed = {recording_path(folder, info.name).name for info in recordings}
    found = []
    for path in sorted((folder / RECORDINGS_FOLDER).glob("*")):
        if path.name.startswith(".") and ".tmp-" in path.name:
            found.append((path, "left by an ingest that was killed, or being written by one"))
        elif path.name not in listed:
            found.append((path, "the index does not list it"))
    return found


class _Check:
    """The audio of one recording, checked in pieces by any number of threads."""

    def __init__(self, path: Path, info: RecordingInfo) -> None:
        self._path = path
        self._info = info
        self._length = info.geometry.chunk_bytes
        offsets, check = _chunk_table(info), read_check(path, info)
        self._order = np.argsort(offsets, axis=None, kind="stable")
        """Places of the chunks in the tables, in the order of the disk."""
        self._offsets = offsets.ravel()[self._order]
        self._expected = check.ravel()[self._order]
        self._faults = np.zeros(offsets.size, dtype=np.int8)
        self._shape = offsets.shape

    def pieces(self) -> Iterator[tuple[int, int]]:
        """Spans of chunks for one thread each."""
        step = max(1, _PIECE_BYTES // self._length)
        for first in range(0, self._offsets.size, step):
            yield first, min(first + step, self._offsets.size)

    def run(self, span: tuple[int, int], on_bytes: Callable[[int], None]) -> None:
        """Check a span of chunks; what is wrong is noted."""
        try:
            descriptor = open_regular(self._path)
        except OSError as error:  # gone since its structure was read
            _require_damage(self._path, error)
            self._faults[self._order[slice(*span)]] = _UNREADABLE
            on_bytes((span[1] - span[0]) * self._length)
            return
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
            start, stop = int(self._offsets[span[0]]), int(self._offsets[span[1] - 1])
            absent = pages_to_drop(descriptor, start, stop + self._length)
            buffer = np.empty(max(1, _READ_BYTES // self._length) * self._length, dtype=np.uint8)
            for first, last in self._reads(span):
                self._check(descriptor, first, last, buffer)
                on_bytes((last - first) * self._length)
            drop(descriptor, absent)
        finally:
            os.close(descriptor)

    def damages(self) -> list[Damage]:
        """What the pieces found."""
        return damages_of(self._info.name, self._faults.reshape(self._shape), _TEXTS)

    def _reads(self, span: tuple[int, int]) -> Iterator[tuple[int, int]]:
        """Spans of chunks that follow each other on the disk and fit the buffer."""
        most = max(1, _READ_BYTES // self._length)
        inside = self._offsets[slice(*span)]
        breaks = np.flatnonzero(np.diff(inside) != self._length) + 1
        edges = [0, *breaks.tolist(), len(inside)]
        for start, stop in pairwise(edges):
            for first in range(start, stop, most):
                yield span[0] + first, span[0] + min(first + most, stop)

    def _check(self, descriptor: int, first: int, last: int, buffer: np.ndarray) -> None:
        count = last - first
        view = buffer.data[: count * self._length]
        if _fill(descriptor, view, int(self._offsets[first])):
            kinds = [
                _SOUND if hash_chunk(view[start : start + self._length]) == expected else _CHANGED
                for start, expected in zip(
                    range(0, len(view), self._length),
                    self._expected[first:last].tolist(),
                    strict=True,
                )
            ]
        elif count > 1:  # a bad sector spoils a chunk, not those beside it
            for chunk in range(first, last):
                self._check(descriptor, chunk, chunk + 1, buffer)
            return
        else:
            kinds = [_UNREADABLE]
        self._faults[self._order[first:last]] = kinds


def _require_damage(path: Path, error: OSError) -> None:
    """Tell errors that say nothing about what is in a file from those that do.

    Raises:
        DataError: It is one of the first kind.
    """
    if error.errno in _NO_DAMAGE:
        fix = _NO_DAMAGE[error.errno]
        raise DataError(f"{path}: cannot read: {error.strerror}; {fix}") from error


class _Progress:
    """Adds up what threads have done."""

    def __init__(self, total: int, on_progress: Callable[[int, int], None] | None) -> None:
        self._lock = threading.Lock()
        self._done = 0
        self._total = total
        self._on_progress = on_progress

    def add(self, count: int) -> None:
        """Tell of `count` more bytes."""
        with self._lock:
            self._done += count
            if self._on_progress is not None:
                self._on_progress(self._done, self._total)


def _fill(descriptor: int, view: memoryview, offset: int) -> bool:
    """Read all of a view; False where the disk does not give it."""
    while view:
        try:
            count = os.preadv(descriptor, [view], offset)
        except OSError:
            return False
        if count == 0:
            return False
        view = view[count:]
        offset += count
    return True


def _tables_damage(path: Path, info: RecordingInfo) -> str:
    """Whether the index speaks of other audio than the tables of a sound file."""
    try:
        scale = read_scale(path, info) if info.dtype == "int16" else None
        found = hash_tables(read_check(path, info), scale)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return "" if found == info.audio_hash else "damaged: the index lists other audio than it holds"


def _chunk_table(info: RecordingInfo) -> np.ndarray:
    """First byte of each chunk, (C, seconds) int64."""
    geometry = info.geometry
    count = geometry.channels * geometry.seconds
    run = info.audio_offset + np.arange(count, dtype=np.int64) * geometry.chunk_bytes
    return run.reshape(geometry.channels, geometry.seconds)
