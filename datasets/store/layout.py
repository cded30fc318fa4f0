"""What a store looks like on disk.

    <store>/index.json            written last: format, version, rate, dtype, one row a recording
    <store>/rec/<name>.h5         one recording, HDF5 of the 1.10 format, never compressed
        /audio  (C, T)            int16 or float32, chunks of one channel and one second
        /scale  (C, seconds)      float32, int16 stores only: sample = integer * scale
        /check  (C, seconds)      uint64, xxh3-64 of each stored chunk, padding included
        attributes                RECORDING_ATTRIBUTES, `complete` = 1
    <store>/rec/.<name>.tmp-<host>-<pid>    a recording being written

Early allocation gives the chunks an implicit index: they lie in one unbroken run, channel after
channel, so that any span of a channel is one read at a computed offset. `audio_offset` is the
first byte of that run, or -1 where a file's chunks are scattered and HDF5 has to find them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

FORMAT = "codecctl-store"
FORMAT_VERSION = 1
INDEX_NAME = "index.json"
RECORDINGS_FOLDER = "rec"
SAMPLE_TYPES: dict[str, str] = {"int16": "<i2", "float32": "<f4"}
"""Stored element type of each dtype of a store."""


@dataclass(frozen=True)
class SourceFacts:
    """Where a recording came from."""

    name: str
    """File name, without its folder."""
    rate: int
    """Hz."""
    bits: int
    """Bits per sample in the file; 32 for float32."""
    frames: int
    size: int
    """Bytes."""
    mtime: float
    """Seconds since the epoch."""
    hash: str = ""
    """`<algorithm>:<hex>`; may be given to `RecordingWriter.commit` instead."""
    resampler: str = "none"


@dataclass(frozen=True)
class Geometry:
    """Shape of a recording's arrays."""

    channels: int
    frames: int
    sample_rate: int
    """Hz; also the length of a chunk, in frames."""
    dtype: str

    @property
    def sample_type(self) -> np.dtype[np.generic]:
        """Element type of `/audio`, little-endian."""
        return np.dtype(SAMPLE_TYPES[self.dtype])

    @property
    def seconds(self) -> int:
        """Chunks of a channel: whole seconds and one for the rest."""
        return -(-self.frames // self.sample_rate)

    @property
    def chunk_frames(self) -> int:
        """Frames of a chunk; HDF5 refuses chunks that are longer than the array."""
        return min(self.sample_rate, self.frames)

    @property
    def chunk_bytes(self) -> int:
        """Bytes of a chunk."""
        return self.chunk_frames * self.sample_type.itemsize

    @property
    def audio_bytes(self) -> int:
        """Bytes of all chunks, the padding of the last second included."""
        return self.channels * self.seconds * self.chunk_bytes


@dataclass(frozen=True)
class RecordingInfo:
    """One row of `index.json`."""

    name: str
    """`<scene>.<take>`, or `<take>` without a scene; stem of the file in `rec`."""
    scene: str
    """`BusyStreet`-style, empty when unknown."""
    take: str
    array: str
    """`em32`, `ambisonic-ACN-SN3D`, `unknown-<C>ch`."""
    channels: int
    frames: int
    sample_rate: int
    """Hz, as stored."""
    dtype: str
    source_name: str
    source_rate: int
    source_bits: int
    source_frames: int
    source_size: int
    source_mtime: float
    source_hash: str
    audio_offset: int
    """First byte of the unbroken run of chunks, -1 where the chunks are scattered."""
    file_size: int
    """Bytes."""
    structure_hash: str
    """Hash of every byte of the file outside the chunks; checked when a store is opened."""
    audio_hash: str
    """Hash of the per-chunk hashes: equal for equal audio, whenever and wherever stored."""

    @property
    def seconds(self) -> float:
        """Duration."""
        return self.frames / self.sample_rate

    @property
    def geometry(self) -> Geometry:
        """Shape of the arrays."""
        return Geometry(self.channels, self.frames, self.sample_rate, self.dtype)

    def to_json(self) -> dict[str, str | int | float]:
        """A row of the index."""
        return asdict(self)

    @staticmethod
    def from_json(row: Mapping[str, object]) -> RecordingInfo:
        """Read a row of the index; unknown keys are left to newer versions.

        Raises:
            TypeError: A key is missing or holds another type; names it.
        """
        values: dict[str, object] = {}
        for field in fields(RecordingInfo):
            value = row.get(field.name)
            wanted = {"str": (str,), "int": (int,), "float": (int, float)}[str(field.type)]
            if not isinstance(value, wanted) or isinstance(value, bool):
                needed = f"{field.name}: found {value!r}, needed {field.type}"
                raise TypeError(f"recording {row.get('name')!r}: {needed}")
            values[field.name] = value
        return RecordingInfo(**values)  # type: ignore[arg-type]  # checked field by field above


def recording_path(store_folder: Path, name: str) -> Path:
    """The file of a recording."""
    return store_folder / RECORDINGS_FOLDER / f"{name}.h5"
