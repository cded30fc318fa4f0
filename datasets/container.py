"""Where the samples of an audio file lie, and how many of them its header announces.

libsndfile takes what a truncated file still holds and says nothing, so the lengths are read here.

    RIFF, RF64, BW64   id 4, size 4 (little-endian; RIFX big-endian), body padded to 2 bytes;
                       a size of 2^32 - 1 stands for the 64-bit one in the `ds64` chunk
    W64                id 16, size 8 that counts these 24 bytes, body padded to 8 bytes
    AIFF, AIFC         id 4, size 4 (big-endian), body padded to 2 bytes, 8 bytes before the samples
    CAF                id 4, size 8 (big-endian), 4 bytes before the samples, -1 for "to the end"
    AU                 one header: offset and size of the samples (big-endian)
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_MAX_CHUNKS = 4096
"""A real file has a handful; a file of zeros would be walked for hours."""

_UNKNOWN_32 = 0xFFFFFFFF
_UNKNOWN_64 = 0xFFFFFFFFFFFFFFFF
_EXTENSIBLE = 0xFFFE
_W64_RIFF = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")


@dataclass(frozen=True)
class SampleFormat:
    """The `fmt ` chunk of a WAV file."""

    is_float: bool
    bits: int
    """Size of a sample in the file."""
    channels: int


@dataclass(frozen=True)
class Container:
    """The part of a file that holds samples."""

    offset: int
    """Of the first sample, in bytes."""
    announced: int | None
    """Bytes of samples by the header; None when it leaves the length open, as a pipe does."""
    present: int
    """Bytes of samples that the file holds, at most `announced`."""
    file_size: int
    length_bytes: int
    """Width of the length in the header: 4 or 8 bytes."""
    format: SampleFormat | None
    """None where the samples are not plain little-endian numbers."""

    @property
    def missing(self) -> int:
        """Bytes that the header announces and the file does not hold."""
        return 0 if self.announced is None else self.announced - self.present


@dataclass(frozen=True)
class _Chunk:
    name: bytes
    start: int
    """Of the body, in bytes."""
    size: int


@dataclass(frozen=True)
class _Rules:
    """How a family of files writes its chunks."""

    header: struct.Struct
    size_counts_header: bool
    padding: int
    first: int
    """Offset of the first chunk."""


def read_container(path: Path) -> Container | None:
    """Where the samples of a file lie, or None when it is of another family or has no samples.

    Raises:
        OSError: The file cannot be read.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(40)
        if start[:4] in (b"RIFF", b"RF64", b"BW64") and start[8:12] == b"WAVE":
            return _riff(file, _Rules(struct.Struct("<4sI"), False, 2, 12), size)
        if start[:4] == b"RIFX" and start[8:12] == b"WAVE":
            return _riff(file, _Rules(struct.Struct(">4sI"), False, 2, 12), size)
        if start[:16] == _W64_RIFF:
            return _riff(file, _Rules(struct.Struct("<16sQ"), True, 8, 40), size)
        if start[:4] == b"FORM" and start[8:12] in (b"AIFF", b"AIFC"):
            rules = _Rules(struct.Struct(">4sI"), False, 2, 12)
            return _one_chunk(file, rules, name=b"SSND", prefix=8, size=size)
        if start[:4] == b"caff":
            rules = _Rules(struct.Struct(">4sQ"), False, 1, 8)
            return _one_chunk(file, rules, name=b"data", prefix=4, size=size)
        if start[:4] == b".snd" and len(start) >= 12:
            offset, announced = struct.unpack_from(">II", start, 4)
            return _bounded(offset, None if announced == _UNKNOWN_32 else announced, size)
    return None


def _riff(file: BinaryIO, rules: _Rules, size: int) -> Container | None:
    sample_format: SampleFormat | None = None
    long_size: int | None = None
    for chunk in _chunks(file, rules, size):
        name = chunk.name[:4].lower()
        if name == b"ds64":
            body = _body(file, chunk, 16)
            long_size = struct.unpack_from("<Q", body, 8)[0] if len(body) == 16 else None
        elif name == b"fmt ":
            sample_format = _sample_format(_body(file, chunk, 40), rules)
        elif name == b"data":
            width = 8 if rules.size_counts_header or long_size else 4
            announced: int | None = chunk.size
            if chunk.size == _UNKNOWN_32 and not rules.size_counts_header:
                announced = long_size or None
            return _bounded(chunk.start, announced, size, sample_format, length_bytes=width)
    return None


def _one_chunk(
    file: BinaryIO, rules: _Rules, *, name: bytes, prefix: int, size: int
) -> Container | None:
    for chunk in _chunks(file, rules, size):
        if chunk.name == name:
            announced = None if chunk.size == _UNKNOWN_64 else max(0, chunk.size - prefix)
            width = 8 if rules.header.size == 12 else 4
            return _bounded(chunk.start + prefix, announced, size, length_bytes=width)
    return None


def _chunks(file: BinaryIO, rules: _Rules, size: int) -> Iterator[_Chunk]:
    """The chunks of a file in order; never beyond its end, never without advancing."""
    position = rules.first
    for _ in range(_MAX_CHUNKS):
        file.seek(position)
        header = file.read(rules.header.size)
        if len(header) < rules.header.size:
            return
        name, length = rules.header.unpack(header)
        if rules.size_counts_header:
            length = max(0, length - rules.header.size)
        start = position + rules.header.size
        yield _Chunk(name, start, length)
        position = start + length + -length % rules.padding
        if position >= size:
            return


def _body(file: BinaryIO, chunk: _Chunk, most: int) -> bytes:
    file.seek(chunk.start)
    return file.read(min(chunk.size, most))


def _sample_format(body: bytes, rules: _Rules) -> SampleFormat | None:
    if rules.header.format.startswith(">") or len(body) < 16:
        return None
    tag, channels, _, _, block, bits = struct.unpack_from("<HHIIHH", body)
    if tag == _EXTENSIBLE and len(body) >= 26:
        tag = struct.unpack_from("<H", body, 24)[0]
    plain = (tag == 1 and bits in (16, 24, 32)) or (tag == 3 and bits in (32, 64))
    if not plain or channels == 0 or block * 8 != channels * bits:
        return None
    return SampleFormat(is_float=tag == 3, bits=bits, channels=channels)


def _bounded(
    offset: int,
    announced: int | None,
    size: int,
    sample_format: SampleFormat | None = None,
    *,
    length_bytes: int = 4,
) -> Container:
    rest = max(0, size - offset)
    present = rest if announced is None else min(announced, rest)
    return Container(offset, announced, present, size, length_bytes, sample_format)
