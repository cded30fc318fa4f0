"""Read any span of any channels of a store: one `preadv` for each channel."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np

from codecctl.datasets.store.damage import Damage
from codecctl.datasets.store.files import OpenFile, open_file
from codecctl.datasets.store.index import Index, read_index
from codecctl.datasets.store.layout import RecordingInfo, recording_path
from codecctl.datasets.store.verify import structure_damage, verify_recordings
from codecctl.errors import DataError, NotFoundError

MAX_OPEN_FILES = 128


class Store:
    """An opened store; made by `Store.open`.

    Threads may read at the same time; a store may be pickled, and used after a fork. Files are
    opened at their first read; the one that was used longest ago is closed when there are many.
    """

    def __init__(self, path: Path, index: Index) -> None:
        self.path = path
        self.name = index.name
        self.sample_rate = index.sample_rate
        self.dtype = index.dtype
        self.source_folder = index.source_folder
        self.corpora = index.corpora
        self.metadata = index.metadata
        self.recordings = index.recordings
        self.fingerprint = index.fingerprint
        self._index = index
        self._by_name = {info.name: info for info in index.recordings}
        self._forget_files()

    @staticmethod
    def open(path: Path, *, check: bool = True) -> Store:
        """Open a store and check every byte of it that is not audio.

        Args:
            path: The folder that holds `index.json`.
            check: Without, damage is left to `verify`.

        Raises:
            NotFoundError: There is no store here.
            DataError: Another format version, or a recording is missing, truncated or damaged.
        """
        store = Store(path, read_index(path))
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
            DataError: The span or a channel is outside the recording, or the file is too short.
        """
        info = self.recording(name)
        _require_inside(info, start, frames, channels)
        if out is None:
            out = np.empty((len(channels), frames), dtype=np.float32)
        assert out.shape == (len(channels), frames) and out.dtype == np.float32, out.shape
        file = self._file(info)
        if info.dtype == "float32":
            for row, channel in zip(out, channels, strict=True):
                file.fill(row, channel, start)
            return out
        if self.dtype == "pcm":
            integers = np.empty(frames, dtype=info.geometry.sample_type)
            for row, channel in zip(out, channels, strict=True):
                file.fill(integers, channel, start)
                np.multiply(integers, full_scale(info), out=row, casting="unsafe", dtype=np.float32)
            return out
        scratch = np.empty(frames, dtype=np.int16)  # of one channel: stays in the cache
        for row, channel in zip(out, channels, strict=True):
            file.fill(scratch, channel, start)
            _rescale(scratch, file.scale[channel], start=start, rate=info.sample_rate, out=row)
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
        info = self.recording(name)
        if self.dtype != "pcm":
            raise DataError(
                f"store {self.name}: found {self.dtype}, needed the source's integers; make a "
                "store of them with: codecctl data ingest FOLDER --dtype pcm"
            )
        _require_inside(info, start, frames, channels)
        if out is None:
            out = np.empty((len(channels), frames), dtype=np.int32)
        assert out.shape == (len(channels), frames) and out.dtype == np.int32, out.shape
        file = self._file(info)
        stored = np.empty(frames, dtype=info.geometry.sample_type)
        for row, channel in zip(out, channels, strict=True):
            file.fill(stored, channel, start)
            row[...] = stored
        return out

    def will_need(self, name: str, start: int, frames: int, channels: Sequence[int]) -> None:
        """Tell the system that a span is read next, so that a cold disk serves a batch at once."""
        file = self._file(self.recording(name))
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

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[type[Store], tuple[Path, Index]]:
        return Store, (self.path, self._index)

    def _forget_files(self) -> None:
        # A lock that another thread held during a fork would stay locked in the child.
        self._lock = threading.Lock()
        self._files: OrderedDict[str, OpenFile] = OrderedDict()
        self._process = os.getpid()

    def _file(self, info: RecordingInfo) -> OpenFile:
        if self._process != os.getpid():
            self._forget_files()
        with self._lock:
            file = self._files.get(info.name)
            if file is None:
                file = open_file(recording_path(self.path, info.name), info)
                self._files[info.name] = file
                if len(self._files) > MAX_OPEN_FILES:
                    self._files.popitem(last=False)
            self._files.move_to_end(info.name)
            return file


def full_scale(info: RecordingInfo) -> np.float32:
    """What one step of an integer of a `pcm` recording is worth; a power of two, so exact."""
    return np.float32(2.0 ** (1 - info.source_bits))


def _require_inside(info: RecordingInfo, start: int, frames: int, channels: Sequence[int]) -> None:
    if start < 0 or frames < 0 or start + frames > info.frames:
        raise DataError(
            f"{info.name}: needed frames {start} to {start + frames}, found {info.frames} frames"
        )
    for channel in channels:
        if not 0 <= channel < info.channels:
            raise DataError(
                f"{info.name}: needed channel index {channel}, found {info.channels} channels"
            )


def _rescale(
    samples: np.ndarray, scale: np.ndarray, *, start: int, rate: int, out: np.ndarray
) -> None:
    """Undo `quantize`: (n,) int16 from frame `start` on, with one scale for each second."""
    out[...] = samples  # a conversion and a product in place beat a product that converts
    done = 0
    while done < len(samples):
        second, inside = divmod(start + done, rate)
        stop = min(done + rate - inside, len(samples))
        part = out[done:stop]
        np.multiply(part, scale[second], out=part)
        done = stop
