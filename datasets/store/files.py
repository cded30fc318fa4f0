"""An opened recording: by computed offsets where its chunks are one run, else through HDF5."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import h5py
import numpy as np

from codecctl.datasets.store.layout import RecordingInfo
from codecctl.errors import DataError, NotFoundError


class OpenFile(Protocol):
    """One recording's stored samples."""

    scale: np.ndarray
    """(C, seconds) float32 for int16, empty for float32."""

    def fill(self, out: np.ndarray, channel: int, start: int) -> None:
        """Read (n,) samples of a channel, as stored, from a frame on."""

    def will_need(self, channel: int, start: int, frames: int) -> None:
        """Tell the system what is read next."""


def open_file(path: Path, info: RecordingInfo) -> OpenFile:
    """Open a recording for random reads.

    Raises:
        NotFoundError: There is no such file.
        DataError: It cannot be opened or its tables cannot be read.
    """
    try:
        return RunFile(path, info) if info.audio_offset >= 0 else ScatteredFile(path, info)
    except FileNotFoundError:
        raise NotFoundError(f"{path}: missing, though the store's index lists it") from None
    except (OSError, KeyError) as error:
        raise DataError(f"{path}: cannot read the recording ({error}); ingest again") from error


def open_hdf5(path: Path) -> h5py.File:
    """Open a recording with HDF5, without its file locks and its chunk cache.

    Shared file systems refuse locks; a random reader never meets a cached chunk again.
    """
    return h5py.File(path, "r", locking=False, rdcc_nbytes=0)


class RunFile:
    """Reads the run of chunks with `preadv`, past HDF5.

    Closed when the last reference goes, so that a thread that is reading keeps what another
    thread lets go of.
    """

    def __init__(self, path: Path, info: RecordingInfo) -> None:
        self._descriptor = -1
        self._path = path
        self._offset = info.audio_offset
        geometry = info.geometry
        self._item_bytes = geometry.sample_type.itemsize
        self._channel_bytes = geometry.seconds * geometry.chunk_bytes
        self.scale = _read_scale(path, info)
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_RANDOM)

    def fill(self, out: np.ndarray, channel: int, start: int) -> None:
        """Read (n,) samples of a channel from a frame on."""
        view = out.data.cast("B")
        position = self._position(channel, start)
        while view:
            try:
                count = os.preadv(self._descriptor, [view], position)
            except OSError as error:
                raise DataError(f"{self._path}: cannot read: {error.strerror}") from error
            if count == 0:
                raise DataError(f"{self._path}: truncated at byte {position}; ingest again")
            view = view[count:]
            position += count

    def will_need(self, channel: int, start: int, frames: int) -> None:
        """Start reading a span from the disk."""
        position, count = self._position(channel, start), frames * self._item_bytes
        os.posix_fadvise(self._descriptor, position, count, os.POSIX_FADV_WILLNEED)

    def _position(self, channel: int, start: int) -> int:
        # Every chunk but a channel's last is full, so frames of a channel follow each other.
        return self._offset + channel * self._channel_bytes + start * self._item_bytes

    def __del__(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)


class ScatteredFile:
    """Reads through HDF5, which finds each chunk; slower, for files that others rewrote."""

    def __init__(self, path: Path, info: RecordingInfo) -> None:
        self._path = path
        self.scale = _read_scale(path, info)
        self._file = open_hdf5(path)
        self._audio: h5py.Dataset = self._file["audio"]

    def fill(self, out: np.ndarray, channel: int, start: int) -> None:
        """Read (n,) samples of a channel from a frame on."""
        try:
            out[...] = self._audio[channel, start : start + len(out)]
        except OSError as error:
            raise DataError(f"{self._path}: cannot read ({error}); ingest again") from error

    def will_need(self, channel: int, start: int, frames: int) -> None:
        """Nothing: only HDF5 knows where the chunks are."""

    def __del__(self) -> None:
        self._file.close()


def _read_scale(path: Path, info: RecordingInfo) -> np.ndarray:
    if info.dtype != "int16":
        return np.empty((0, 0), dtype=np.float32)
    with open_hdf5(path) as file:
        scale: np.ndarray = file["scale"][...]
    return scale
