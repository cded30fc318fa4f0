"""Write one recording: all of it appears, or nothing does."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import h5py
import numpy as np

from codecctl import __version__
from codecctl.datasets.store.describe import describe
from codecctl.datasets.store.disk import (
    reserve,
    sync_folder,
    temporary_path,
    write_all,
    write_error,
)
from codecctl.datasets.store.encode import Encoder, encoder
from codecctl.datasets.store.hashes import hash_chunk, hash_tables
from codecctl.datasets.store.layout import (
    FORMAT,
    FORMAT_VERSION,
    SAMPLE_TYPES,
    Geometry,
    RecordingInfo,
    SourceFacts,
    recording_path,
    store_dtype,
)
from codecctl.datasets.store.structure import Structure
from codecctl.datasets.store.trailer import hash_outside, pack_trailer, trailer_size
from codecctl.errors import CodecctlError, DataError


class RecordingWriter:
    """Context manager that streams one recording into a store.

    The file is written under a temporary name with its final size reserved, synced and renamed by
    `commit`. Leaving the block without `commit`, or by an exception, removes it.

    Args:
        store_folder: Made when missing.
        name: `<scene>.<take>`, or `<take>` without a scene.
        scene: Empty when unknown.
        take: As in the name.
        corpus: Id of the data set, empty when unknown.
        array: `em32`, `ambisonic-ACN-SN3D`, `unknown-<C>ch`.
        channels: C.
        frames: At the stored rate; exactly as many have to be written.
        sample_rate: Hz, as stored.
        dtype: A key of `SAMPLE_TYPES`.
        source: Where the audio comes from.
        labels: One for each channel.
        directions: Where each channel points, (C, 2): colatitude and azimuth in degrees.
    """

    def __init__(
        self,
        store_folder: Path,
        *,
        name: str,
        scene: str,
        take: str,
        array: str,
        channels: int,
        frames: int,
        sample_rate: int,
        dtype: str,
        source: SourceFacts,
        labels: Sequence[str],
        corpus: str = "",
        directions: np.ndarray | None = None,
    ) -> None:
        assert dtype in SAMPLE_TYPES, dtype
        assert channels > 0 and frames > 0 and sample_rate > 0, (channels, frames, sample_rate)
        assert len(labels) == channels, (len(labels), channels)
        assert name and "/" not in name and not name.startswith("."), name
        self._path = recording_path(store_folder, name)
        self._identity = {
            "name": name,
            "scene": scene,
            "take": take,
            "corpus": corpus,
            "array": array,
        }
        self._source = source
        self._labels = tuple(labels)
        self._directions = directions
        self._geometry = Geometry(channels, frames, sample_rate, dtype)
        table = (channels, self._geometry.seconds)
        self._scale = np.zeros(table, dtype=np.float32) if dtype == "int16" else None
        self._check = np.zeros(table, dtype=np.uint64)
        kind = np.int32 if store_dtype(dtype) == "pcm" else np.float32
        self._second = np.empty((channels, self._geometry.chunk_frames), dtype=kind)
        self._chunks = np.zeros_like(self._second, dtype=self._geometry.sample_type)
        self._encode: Encoder = encoder(
            dtype, bits=source.bits, source_name=source.name, shape=self._second.shape
        )
        self._written = 0
        self._descriptor = -1
        self._committed = False
        self._temporary = temporary_path(self._path)

    def __enter__(self) -> RecordingWriter:
        attributes = self._attributes()
        self._structure = Structure(
            self._geometry, attributes, labels=self._labels, directions=self._directions
        )
        self._content: dict[str, object] = {
            **attributes,
            "channels": self._geometry.channels,
            "channel_labels": list(self._labels),
            "audio_offset": self._structure.audio_offset,
            "scale_offset": self._structure.scale_offset,
            "check_offset": self._structure.check_offset,
        }
        if self._directions is not None:
            self._content["channel_directions"] = np.asarray(self._directions).tolist()
        self._size = self._structure.size + trailer_size(self._content)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
            self._descriptor = os.open(self._temporary, flags, 0o666)
            reserve(self._descriptor, self._size, path=self._temporary)
        except OSError as error:
            self._discard()
            raise self._write_error(error) from error
        except BaseException:
            self._discard()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._discard()

    def write(self, block: np.ndarray) -> None:
        """Append audio.

        Args:
            block: (C, n) float32 for any n, of a pcm recording int32; blocks arrive in order.

        Raises:
            DataError: A sample is not finite or out of range, or more frames arrive than were
                announced.
            CodecctlError: The disk does not take it.
        """
        assert block.ndim == 2 and len(block) == self._geometry.channels, block.shape
        if self._written + block.shape[1] > self._geometry.frames:
            raise self._length_error(self._written + block.shape[1])
        taken = 0
        while taken < block.shape[1]:
            second, filled = divmod(self._written, self._geometry.sample_rate)
            length = self._length(second)
            step = min(length - filled, block.shape[1] - taken)
            part = block[:, taken : taken + step]
            self._written += step
            taken += step
            if step == length and part.strides[1] == part.itemsize:  # no need to turn or copy it
                self._store_second(second, part)
                continue
            self._second[:, filled : filled + step] = part
            if filled + step == length:
                self._store_second(second, self._second[:, :length])

    def commit(self, *, source_hash: str = "") -> RecordingInfo:
        """Make the recording visible, whole and on the disk.

        Args:
            source_hash: Replaces the one of `source`, for a hash made while the source was read.

        Raises:
            DataError: Fewer frames were written than announced.
            CodecctlError: The disk does not take it.
        """
        if self._written != self._geometry.frames:
            raise self._length_error(self._written)
        source_hash = source_hash or self._source.hash
        self._structure.finish(self._scale, self._check, attributes={"source_hash": source_hash})
        try:
            self._structure.copy_to(self._descriptor)
            self._write_trailer(source_hash)
            os.fsync(self._descriptor)
            info = describe(self._temporary)
            assert info is not None, self._temporary
            self._temporary.replace(self._path)
            sync_folder(self._path.parent)
        except OSError as error:
            raise self._write_error(error) from error
        self._committed = True
        return info

    def _store_second(self, second: int, audio: np.ndarray) -> None:
        """Encode, hash and write one second of every channel, (C, n)."""
        length = audio.shape[1]
        scale = self._encode(audio, second, self._chunks[:, :length])
        if self._scale is not None:
            self._scale[:, second] = scale
        self._chunks[:, length:] = 0
        for channel, chunk in enumerate(self._chunks):
            self._check[channel, second] = hash_chunk(chunk.data)
            offset = int(self._structure.chunk_offsets[channel, second])
            try:
                write_all(self._descriptor, chunk.data, offset)
            except OSError as error:
                raise self._write_error(error) from error

    def _write_trailer(self, source_hash: str) -> None:
        """What makes the file known without HDF5; after everything else of it but the rename."""
        end = self._structure.size
        body = hash_outside(self._descriptor, self._structure.audio_offset, self._geometry, end=end)
        late = {
            "source_hash": source_hash,
            "audio_hash": hash_tables(self._check, self._scale),
            "file_size": self._size,
            "body_hash": body,
        }
        trailer = pack_trailer({**self._content, **late}, self._size - end)
        write_all(self._descriptor, trailer, end)

    def _length(self, second: int) -> int:
        """Frames of a second: fewer in the last."""
        rate = self._geometry.sample_rate
        return min(rate, self._geometry.frames - second * rate)

    def _length_error(self, found: int) -> DataError:
        return DataError(
            f"{self._source.name}: found {found} frames at {self._geometry.sample_rate} Hz, "
            f"needed the {self._geometry.frames} that its header announces"
        )

    def _write_error(self, error: OSError) -> CodecctlError:
        return write_error(error, path=self._temporary, needed=self._size)

    def _attributes(self) -> dict[str, str | int | float]:
        source = self._source
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            **self._identity,
            "dtype": self._geometry.dtype,
            "sample_rate": self._geometry.sample_rate,
            "frames": self._geometry.frames,
            "block": self._geometry.sample_rate,
            # File names may hold bytes that are no text; HDF5 and terminals refuse them.
            "source_name": source.name.encode("utf-8", "backslashreplace").decode(),
            "source_rate": source.rate,
            "source_bits": source.bits,
            "source_frames": source.frames,
            "source_size": source.size,
            "source_mtime": source.mtime,
            "resampler": source.resampler,
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "tool": f"codecctl {__version__}",
            "h5py": h5py.__version__,
        }

    def _discard(self) -> None:
        """Close everything; remove the file unless it was committed."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
            if not self._committed:
                self._temporary.unlink(missing_ok=True)
        self._structure.close()
