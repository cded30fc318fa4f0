"""An opened recording: any span of a channel is one positioned read at a computed offset."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np

from codecctl.datasets.store.checked import CheckedChunks
from codecctl.datasets.store.layout import RecordingInfo
from codecctl.datasets.store.regular import open_regular
from codecctl.datasets.store.spans import Scratch, expand, parts_of
from codecctl.datasets.store.tables import read_scale
from codecctl.errors import DataError, NotFoundError


class ReadCall(Protocol):
    """`os.preadv`, or what stands in for it where a slower disk is imitated."""

    def __call__(
        self, descriptor: int, buffers: Sequence[memoryview], offset: int, flags: int = 0, /
    ) -> int:
        """Read into buffers from a place in a file on; returns the bytes read."""


class OpenFile:
    """One recording's stored samples, read with `preadv`.

    A mapped file would save a copy, but ends the process when the file shrinks or the disk fails.
    Closed when the last reference goes, so that a thread that is reading keeps what another thread
    lets go of.

    Args:
        path: Of the recording.
        info: Its row of the index.
        read_call: How bytes are read.
        checked: Looks at each chunk before it is read for the first time.

    Raises:
        NotFoundError: There is no such file.
        DataError: It cannot be opened or its tables cannot be read.
    """

    def __init__(
        self,
        path: Path,
        info: RecordingInfo,
        *,
        read_call: ReadCall = os.preadv,
        checked: CheckedChunks | None = None,
    ) -> None:
        self._descriptor = -1
        self._path = path
        self._read_call = read_call
        self._checked = checked
        self._cannot_tell = False
        geometry = info.geometry
        self._offset = info.audio_offset
        self._item_bytes = geometry.sample_type.itemsize
        self.name = info.name
        self.frames = info.frames
        self.channels = info.channels
        self.sample_type = geometry.sample_type
        """As stored."""
        self.channel_bytes = geometry.seconds * geometry.chunk_bytes
        """From a sample of a channel to the same one of the next."""
        try:
            self.scale, self.scale_frames = _scale(path, info)
            self._descriptor = open_regular(path)
            os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_RANDOM)
        except FileNotFoundError:
            raise NotFoundError(f"{path}: missing, though the store's index lists it") from None
        except OSError as error:
            raise DataError(f"{path}: cannot read the recording ({error}); ingest again") from error

    scale: np.ndarray | None
    """(C, S) float32, what an integer is worth in each `scale_frames`; None for float32."""
    scale_frames: int

    def read(
        self, out: np.ndarray, channels: Sequence[int], start: int, *, scratch: Scratch
    ) -> None:
        """Read some channels as float32, one after the other.

        Args:
            out: (len(channels), n) float32 with contiguous rows.
            channels: Indices from 0, within the recording.
            start: First frame; the span lies within the recording.
            scratch: Used while this runs.
        """
        scale = self.scale
        if scale is None:
            for place, channel in enumerate(channels):
                self.fill(out[place].data.cast("B"), channel, start)
            return
        scratch.fit(1, out.shape[1], self.sample_type)
        samples, views = scratch.samples[0], scratch.views  # of one channel: stays in the cache
        if self._checked is not None:
            self._checked.require(self._descriptor, channels, start, len(samples))
        descriptor, call, size = self._descriptor, self._read_call, len(views[0])
        parts = parts_of(start, len(samples), self.scale_frames)
        position, step = self._position(0, start), self.channel_bytes
        try:
            for place, channel in enumerate(channels):  # quicker than to walk along an array
                if call(descriptor, views, position + channel * step) != size:
                    self.fill(views[0], channel, start)
                expand(samples, scale[channel], parts, out[place])
        except OSError as error:
            raise self._failed(error) from error

    def fill(self, view: memoryview, channel: int, start: int) -> None:
        """Read samples of a channel from a frame on, as stored.

        Args:
            view: Bytes of as many samples as are wanted.
            channel: Within the recording, as the samples are.
            start: First frame.

        Raises:
            DataError: The disk fails, the file is too short, or a chunk is not what was written.
        """
        if self._checked is not None:
            frames = len(view) // self._item_bytes
            self._checked.require(self._descriptor, (channel,), start, frames)
        position = self._position(channel, start)
        try:
            count = self._read_call(self._descriptor, (view,), position)
            while count != len(view):
                view, position = view[count:], position + count
                if count == 0:
                    raise DataError(f"{self._path}: truncated at byte {position}; ingest again")
                count = self._read_call(self._descriptor, (view,), position)
        except OSError as error:
            raise self._failed(error) from error

    def gather(
        self, views: Sequence[memoryview], channels: Sequence[int], start: int, *, wait: bool = True
    ) -> bool:
        """As `fill` for some channels, in one read over what lies between them.

        Args:
            views: Bytes of as many samples of each channel as are wanted.
            channels: In rising order; each once.
            start: First frame.
            wait: Without, nothing is read that is not in the page cache.

        Returns:
            False, and anything in `views`, where it was not to wait and would have had to.
        """
        if not wait and self._cannot_tell:
            return False
        if self._checked is not None:
            frames = len(views[0]) // self._item_bytes
            self._checked.require(self._descriptor, channels, start, frames)
        buffers = views if len(views) == 1 else self._with_gaps(views, channels)
        position = self._position(channels[0], start)
        try:
            count = self._read_call(
                self._descriptor, buffers, position, 0 if wait else os.RWF_NOWAIT
            )
        except BlockingIOError:
            return False
        except OSError as error:
            if wait or error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                raise self._failed(error) from error
            self._cannot_tell = True  # some file systems do not say what they hold
            return False
        whole = count == sum(map(len, buffers))
        if wait and not whole:  # goes on, or knows why it cannot
            for view, channel in zip(views, channels, strict=True):
                self.fill(view, channel, start)
        return wait or whole

    def _with_gaps(self, views: Sequence[memoryview], channels: Sequence[int]) -> list[memoryview]:
        """Room for what lies between channels, all of it the same: nobody looks at it."""
        gaps = [
            (after - before) * self.channel_bytes - len(views[0])
            for before, after in pairwise(channels)
        ]
        assert min(gaps) >= 0, (channels, self.channel_bytes, len(views[0]))
        nowhere = memoryview(bytearray(max(gaps)))
        buffers = [views[0]]
        for view, gap in zip(views[1:], gaps, strict=True):
            buffers += [nowhere[:gap], view] if gap else [view]
        return buffers

    def will_need(self, channel: int, start: int, frames: int) -> None:
        """Start reading a span from the disk."""
        position, count = self._position(channel, start), frames * self._item_bytes
        os.posix_fadvise(self._descriptor, position, count, os.POSIX_FADV_WILLNEED)

    def _position(self, channel: int, start: int) -> int:
        # Every chunk but a channel's last is full, so frames of a channel follow each other.
        return self._offset + channel * self.channel_bytes + start * self._item_bytes

    def _failed(self, error: OSError) -> DataError:
        return DataError(f"{self._path}: cannot read: {error.strerror}")

    def __del__(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)


def _scale(path: Path, info: RecordingInfo) -> tuple[np.ndarray | None, int]:
    """What an integer is worth, (C, S), and how many frames each value holds for."""
    if info.dtype == "float32":
        return None, info.frames
    if info.dtype == "int16":
        return read_scale(path, info), info.sample_rate
    step = np.float32(2.0 ** (1 - info.source_bits))  # a power of two, so exact
    return np.full((info.channels, 1), step), info.frames
