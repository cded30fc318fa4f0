"""Read any span of any channels of a store: one `preadv` for each channel."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from codecctl.datasets.closing import Closing
from codecctl.datasets.store.checked import CheckedChunks
from codecctl.datasets.store.damage import Damage
from codecctl.datasets.store.files import OpenFile, ReadCall
from codecctl.datasets.store.index import Index, read_index
from codecctl.datasets.store.layout import RecordingInfo, recording_path
from codecctl.datasets.store.spans import Scratch
from codecctl.datasets.store.verify import structure_damage, verify_recordings
from codecctl.errors import DataError, NotFoundError

MAX_OPEN_FILES = 256
_FLOAT32 = np.dtype(np.float32)


class Store(Closing):
    """An opened store; made by `Store.open`.

    Threads may read at the same time; a store may be pickled, and used after a fork. Files are
    opened at their first read; the one that was opened longest ago is closed when there are many.

    Args:
        path: The folder that holds `index.json`.
        index: What that says.
        check_reads: Compare each chunk with its hash before its first use in this process.
        read_call: How bytes are read; another one may imitate a slower disk.
    """

    def __init__(
        self,
        path: Path,
        index: Index,
        *,
        check_reads: bool = False,
        read_call: ReadCall = os.preadv,
    ) -> None:
        self.path = path
        self.name = index.name
        self.sample_rate = index.sample_rate
        self.dtype = index.dtype
        self.source_folder = index.source_folder
        self.corpora = index.corpora
        self.metadata = index.metadata
        self.recordings = index.recordings
        self.fingerprint = index.fingerprint
        self.check_reads = check_reads
        self._index = index
        self._read_call = read_call
        self._by_name = {info.name: info for info in index.recordings}
        self._forget_files()

    @staticmethod
    def open(
        path: Path,
        *,
        check: bool = True,
        check_reads: bool = False,
        read_call: ReadCall = os.preadv,
    ) -> Store:
        """Open a store and check every byte of it that is not audio.

        Args:
            path: The folder that holds `index.json`.
            check: Without, damage is left to `verify`.
            check_reads: Check audio, too, when it is read for the first time in this process.
            read_call: How bytes are read; another one may imitate a slower disk.

        Raises:
            NotFoundError: There is no store here.
            DataError: Another format version, or a recording is missing, truncated or damaged.
        """
        store = Store(path, read_index(path), check_reads=check_reads, read_call=read_call)
        for info in store.recordings if check else ():
            file = recording_path(path, info.name)
            damage = structure_damage(file, info)
            if damage:
                raise DataError(f"{file}: {damage}; ingest again")
        return store

    def recording(self, name: str) -> RecordingInfo:
        """What the index says of a recording.

        Raises:
            NotFoundError: There is none of this name.
        """
        info = self._by_name.get(name)
        if info is None:
            raise NotFoundError(f"{name}: no recording of this name in store {self.name}")
        return info

    def read(
        self,
        name: str,
        start: int,
        frames: int,
        channels: Sequence[int],
        out: np.ndarray | None = None,
    ) -> np.ndarray:
        """Read a span of some channels.

        Args:
            name: Recording.
            start: First frame.
            frames: Frames to read.
            channels: Indices from 0, in the order of the result.
            out: (len(channels), frames) float32 with contiguous rows, to read into.

        Returns:
            (len(channels), frames) float32, full scale at [-1, 1].

        Raises:
            DataError: The span or a channel is outside the recording, or the file is too short or
                found damaged.
        """
        file = self._files.get(name) or self._open(name)  # `opened`, without its call
        require_inside(file, start, frames, channels)
        if out is None:
            out = np.empty((len(channels), frames), dtype=np.float32)
        assert out.shape == (len(channels), frames) and out.dtype == _FLOAT32, out.shape
        try:
            scratch = self._scratch.pop()
        except IndexError:  # as many threads are reading as never before
            scratch = Scratch()
        file.read(out, channels, start, scratch=scratch)
        self._scratch.append(scratch)
        return out

    def read_integers(
        self,
        name: str,
        start: int,
        frames: int,
        channels: Sequence[int],
        out: np.ndarray | None = None,
    ) -> np.ndarray:
        """Read a span of some channels of a `pcm` store, exactly as the source holds it.

        Args:
            name: Recording.
            start: First frame.
            frames: Frames to read.
            channels: Indices from 0, in the order of the result.
            out: (len(channels), frames) int32 with contiguous rows, to read into.

        Returns:
            (len(channels), frames) int32; full scale is `2 ** (source_bits - 1)`.

        Raises:
            DataError: As `read`, or the store holds something else than the source's integers.
        """
        file = self.opened(name)
        if self.dtype != "pcm":
            raise DataError(
                f"store {self.name}: found {self.dtype}, needed the source's integers; make a "
                "store of them with: codecctl data ingest FOLDER --dtype pcm"
            )
        require_inside(file, start, frames, channels)
        if out is None:
            out = np.empty((len(channels), frames), dtype=np.int32)
        assert out.shape == (len(channels), frames) and out.dtype == np.int32, out.shape
        scratch = Scratch()
        scratch.fit(1, frames, file.sample_type)
        for row, channel in zip(out, channels, strict=True):
            file.fill(scratch.views[0], channel, start)
            row[...] = scratch.samples[0]
        return out

    def opened(self, name: str) -> OpenFile:
        """The file of a recording; opened if it was not.

        Raises:
            NotFoundError: There is no recording of this name, or its file is gone.
            DataError: The file cannot be read.
        """
        # No lock: looking up is one step of the interpreter. A file that another thread lets go
        # of stays open while it is read. Descriptors are good after a fork, reads have no place.
        file = self._files.get(name)
        return file if file is not None else self._open(name)

    def will_need(self, name: str, start: int, frames: int, channels: Sequence[int]) -> None:
        """Tell the system that a span is read next, so that a cold disk serves a batch at once."""
        file = self.opened(name)
        for channel in channels:
            file.will_need(channel, start, frames)

    def verify(
        self, on_progress: Callable[[int, int], None] | None = None, *, num_threads: int = 1
    ) -> list[Damage]:
        """Read every byte and compare it with the hashes.

        Args:
            on_progress: Called with the bytes of audio done and in all, from any thread.
            num_threads: At work at a time.

        Returns:
            What is damaged; empty when nothing is.
        """
        return verify_recordings(
            self.path, self.recordings, num_threads=num_threads, on_progress=on_progress
        )

    def close(self) -> None:
        """Close every file; a later read opens what it needs again."""
        self._forget_files()

    def __reduce__(self) -> tuple[Callable[..., Store], tuple[Path, Index]]:
        make = partial(Store, check_reads=self.check_reads, read_call=self._read_call)
        return make, (self.path, self._index)

    def _forget_files(self) -> None:
        # A lock that another thread held during a fork would stay locked in the child.
        self._lock = threading.Lock()
        self._files: dict[str, OpenFile] = {}
        self._checked: dict[str, CheckedChunks] = {}
        self._scratch: list[Scratch] = []
        self._process = os.getpid()

    def _open(self, name: str) -> OpenFile:
        info = self.recording(name)
        path = recording_path(self.path, name)
        if self._process != os.getpid():
            self._forget_files()
        with self._lock:
            file = self._files.get(name)
            if file is not None:
                return file
            checked = self._checked.get(name)
            if self.check_reads and checked is None:
                checked = self._checked[name] = CheckedChunks(path, info)
            file = OpenFile(path, info, read_call=self._read_call, checked=checked)
            self._files[name] = file
            if len(self._files) > MAX_OPEN_FILES:
                # Windows are drawn from all recordings alike: the last use of a file says nothing
                # of its next one, so no read has to note it.
                del self._files[next(iter(self._files))]
            return file


def require_inside(file: OpenFile, start: int, frames: int, channels: Sequence[int]) -> None:
    """Refuse a span that is not in a recording.

    Raises:
        DataError: Says what is needed and what there is.
    """
    if start < 0 or frames < 0 or start + frames > file.frames:
        raise DataError(
            f"{file.name}: needed frames {start} to {start + frames}, found {file.frames} frames"
        )
    for channel in channels:
        if not 0 <= channel < file.channels:
            raise DataError(
                f"{file.name}: needed channel index {channel}, found {file.channels} channels"
            )
