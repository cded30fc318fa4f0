"""The HDF5 structure of a recording, built in memory: HDF5 itself writes nothing to the disk.

A disk that fills up while HDF5 writes makes the process crash when the file is closed. So HDF5
writes into pages of memory, which learn how large the file is going to be; early allocation
without fill values leaves the chunks untouched, whatever their size. The writer reserves that
size on the disk, puts the audio where the chunks are, and copies the pages last.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import h5py
import numpy as np

from codecctl.datasets.store.disk import write_all
from codecctl.datasets.store.hashes import outside_chunks
from codecctl.datasets.store.layout import Geometry

if TYPE_CHECKING:
    from typing_extensions import Buffer

LIBVER = ("v110", "v110")
_PAGE = 4096
LATE_ATTRIBUTES = ("source_hash",)
"""Texts that are known at the end only; their room is fixed, so that the file does not grow."""
_LATE_BYTES = 160


class Structure:
    """A recording's HDF5 file without its audio.

    Args:
        geometry: Shape of the arrays.
        attributes: Of the root group, but `complete` and `LATE_ATTRIBUTES`.
        labels: One for each channel.
        directions: Where each channel points, (C, 2): colatitude and azimuth in degrees.
    """

    def __init__(
        self,
        geometry: Geometry,
        attributes: Mapping[str, str | int | float],
        *,
        labels: tuple[str, ...],
        directions: np.ndarray | None = None,
    ) -> None:
        self._pages = _Pages()
        self._file = h5py.File(
            self._pages, "w", libver=LIBVER, alignment_threshold=1024, alignment_interval=_PAGE
        )
        shape = (geometry.channels, geometry.frames)
        audio = _dataset(
            self._file, b"audio", geometry.sample_type, shape, chunk=geometry.chunk_frames
        )
        self._audio_bytes = geometry.audio_bytes
        self.chunk_offsets = chunk_offsets(audio, geometry)
        """First byte of each chunk in the file, (C, seconds) int64; one run."""
        self.audio_offset = unbroken_offset(self.chunk_offsets, geometry)
        """First byte of that run."""
        assert self.audio_offset >= 0, geometry
        table = (geometry.channels, geometry.seconds)
        self.scale_offset = -1
        """First byte of `/scale`; -1 where there is none."""
        if geometry.dtype == "int16":
            scale = _dataset(self._file, b"scale", np.dtype("<f4"), table)
            self.scale_offset = int(scale.get_offset())
        check = _dataset(self._file, b"check", np.dtype("<u8"), table)
        self.check_offset = int(check.get_offset())
        """First byte of `/check`."""
        for key, value in attributes.items():
            self._file.attrs[key] = value
        for key in LATE_ATTRIBUTES:
            self._file.attrs.create(key, "", dtype=h5py.string_dtype("utf-8", _LATE_BYTES))
        self._file.attrs["channel_labels"] = list(labels)
        if directions is not None:
            self._file.attrs["channel_directions"] = np.asarray(directions, dtype="<f8")
        self._file.attrs.create("complete", 0)
        self._file.flush()
        self.size = self._pages.size
        """Bytes of the HDF5 file, audio included."""

    def finish(
        self, scale: np.ndarray | None, check: np.ndarray, *, attributes: Mapping[str, str]
    ) -> None:
        """Fill the tables, (C, seconds) each, and the late attributes; set `complete` last."""
        if scale is not None:
            self._file["scale"][...] = scale
        self._file["check"][...] = check
        for key, value in attributes.items():
            self._file.attrs.modify(key, value)
        self._file.flush()
        self._file.attrs.modify("complete", 1)
        self._file.close()
        assert self._pages.size == self.size, (self._pages.size, self.size)

    def copy_to(self, descriptor: int) -> None:
        """Write everything but the chunks to a file, at its place."""
        gaps = outside_chunks([self.audio_offset], self._audio_bytes, file_size=self.size)
        for start, stop in gaps:
            self._pages.seek(start)
            write_all(descriptor, self._pages.read(stop - start) or b"", start)

    def close(self) -> None:
        """Let go of the memory."""
        self._file.close()


def chunk_offsets(audio: h5py.h5d.DatasetID, geometry: Geometry) -> np.ndarray:
    """First byte of each chunk of `/audio`, (C, seconds) int64; -1 where none is allocated."""
    offsets = np.full((geometry.channels, geometry.seconds), -1, dtype=np.int64)

    def note(chunk: h5py.h5d.StoreInfo) -> None:
        channel, frame = chunk.chunk_offset
        offsets[channel, frame // geometry.sample_rate] = chunk.byte_offset

    audio.chunk_iter(note)
    return offsets


def unbroken_offset(offsets: np.ndarray, geometry: Geometry) -> int:
    """First byte of the run of chunks, or -1 where they do not follow each other in order."""
    expected = offsets.flat[0] + np.arange(offsets.size) * geometry.chunk_bytes
    unbroken = offsets.flat[0] >= 0 and np.array_equal(offsets.ravel(), expected)
    return int(offsets.flat[0]) if unbroken else -1


def _dataset(
    file: h5py.File,
    name: bytes,
    sample_type: np.dtype[np.generic],
    shape: tuple[int, int],
    *,
    chunk: int = 0,
) -> h5py.h5d.DatasetID:
    """Allocate an array at once and write nothing into it; contiguous without a chunk length."""
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    properties.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    if chunk:
        properties.set_chunk((1, chunk))
    return h5py.h5d.create(
        file.id, name, h5py.h5t.py_create(sample_type), h5py.h5s.create_simple(shape), properties
    )


class _Pages(io.RawIOBase):
    """A file of any size in memory that holds only the pages that were written."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: dict[int, bytearray] = {}
        self.size = 0
        self._position = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: Buffer, /) -> int:
        target = memoryview(buffer).cast("B")
        for page, start, span in self._spans(len(target)):
            target[span] = page[start : start + span.stop - span.start]
        self._position += len(target)
        return len(target)

    def write(self, buffer: Buffer, /) -> int:
        source = memoryview(buffer).cast("B")
        for page, start, span in self._spans(len(source)):
            page[start : start + span.stop - span.start] = source[span]
        self._position += len(source)
        if source:
            self.size = max(self.size, self._position)
        return len(source)

    def truncate(self, size: int | None = None, /) -> int:
        self.size = self._position if size is None else size
        return self.size

    def _spans(self, count: int) -> list[tuple[bytearray, int, slice]]:
        """The pages that `count` bytes from here lie in, where in each, and which bytes."""
        spans = []
        done = 0
        while done < count:
            index, start = divmod(self._position + done, _PAGE)
            length = min(_PAGE - start, count - done)
            page = self.pages.setdefault(index, bytearray(_PAGE))
            spans.append((page, start, slice(done, done + length)))
            done += length
        return spans
