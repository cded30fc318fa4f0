"""What a store looks like on disk.

    <store>/index.json            written last: format, version, rate, dtype, corpora, one row a
                                  recording, a checksum of itself
    <store>/rec/<name>.h5         one recording, HDF5 of the 1.10 format, never compressed
        /audio  (C, T)            int16, float32 or int32, chunks of one channel and one second
        /scale  (C, seconds)      float32, int16 stores only: sample = integer * scale
        /check  (C, seconds)      uint64, xxh3-64 of each stored chunk, padding included
        attributes                what a row of the index says, and more; `complete` = 1
        trailer                   behind the HDF5 part: the row of the index, with a hash
    <store>/rec/.<name>.tmp-<host>-<pid>    a recording being written

Early allocation gives the chunks an implicit index: they lie in one unbroken run, channel after
channel, so that any span of a channel is one read at a computed offset: nothing that reads a store
needs HDF5. A file that another program rewrote has lost its trailer and is a recording no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

FORMAT = "codecctl-store"
FORMAT_VERSION = 2
_MOST = 2**53
"""Counts beyond it are no counts; JSON readers of other languages would round them."""
INDEX_NAME = "index.json"
RECORDINGS_FOLDER = "rec"
SAMPLE_TYPES: dict[str, str] = {
    "int16": "<i2",
    "float32": "<f4",
    "pcm16": "<i2",
    "pcm24": "<i4",
    "pcm32": "<i4",
}
"""Stored element type of each dtype of a recording.

24 bits in three bytes would save a quarter of the disk, but take five times as long to read, and
NumPy has no such type: h5py refuses it.
"""

STORE_DTYPES = ("int16", "float32", "pcm")
"""What a store holds; the recordings of a `pcm` store differ in their depth."""


def store_dtype(dtype: str) -> str:
    """The dtype of the stores that recordings of a dtype belong to."""
    return "pcm" if dtype.startswith("pcm") else dtype


def pcm_dtype(bits: int) -> str:
    """The dtype that keeps integers of a source of so many bits as they are."""
    return "pcm16" if bits <= 16 else "pcm24" if bits <= 24 else "pcm32"


@dataclass(frozen=True)
class Corpus:
    """A data set that recordings came from."""

    id: str
    folder: str
    """Where it was ingested from; empty when unknown."""
    title: str = ""
    licence: str = ""
    citation: str = ""
    url: str = ""


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
    corpus: str
    """Id of the data set that it came from, empty when unknown."""
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
    """First byte of the unbroken run of chunks."""
    scale_offset: int
    """First byte of `/scale`; -1 where there is none."""
    check_offset: int
    """First byte of `/check`."""
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
            ValueError: A number or name is impossible.
        """
        values: dict[str, object] = {}
        for field in fields(RecordingInfo):
            value = row.get(field.name)
            wanted = {"str": (str,), "int": (int,), "float": (int, float)}[str(field.type)]
            if not isinstance(value, wanted) or isinstance(value, bool):
                needed = f"{field.name}: found {value!r}, needed {field.type}"
                raise TypeError(f"recording {row.get('name')!r}: {needed}")
            values[field.name] = value
        info = RecordingInfo(**values)  # type: ignore[arg-type]  # checked field by field above
        _require_possible(info)
        return info


def _require_possible(info: RecordingInfo) -> None:
    """A name that leads elsewhere and sizes beyond the file's are refused before they are used."""
    if info.dtype not in SAMPLE_TYPES:
        raise ValueError(f"recording {info.name!r}: dtype: found {info.dtype!r}")
    if not info.name or info.name.startswith(".") or {"/", "\0"} & set(info.name):
        raise ValueError(f"recording {info.name!r}: needed a name without / and leading dot")
    for key in ("channels", "frames", "sample_rate", "file_size"):
        if not 0 < getattr(info, key) < _MOST:
            raise ValueError(f"recording {info.name!r}: {key}: found {getattr(info, key)}")
    if not 0 <= info.source_bits <= 64:
        raise ValueError(f"recording {info.name!r}: source_bits: found {info.source_bits}")
    geometry = info.geometry
    table = info.channels * geometry.seconds
    has_scale = info.dtype == "int16"
    spans = [(info.audio_offset, geometry.audio_bytes), (info.check_offset, 8 * table)]
    spans += [(info.scale_offset, 4 * table)] if has_scale else []
    if any(start < 0 or start + length > info.file_size for start, length in spans):
        raise ValueError(f"recording {info.name!r}: its audio does not fit into its file")


def recording_path(store_folder: Path, name: str) -> Path:
    """The file of a recording."""
    return store_folder / RECORDINGS_FOLDER / f"{name}.h5"
