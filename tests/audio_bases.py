"""Small sound files of every kind, whose chunks can be taken apart and put together again."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

import numpy as np
import soundfile

CHANNELS, FRAMES, RATE = 3, 1501, 8000
"""Odd everywhere, so that padding matters."""

W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")
_W64_RIFF = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE


@dataclass(frozen=True)
class Chunk:
    """A part of a file; a size of its own is a lie in the header."""

    name: bytes
    body: bytes
    size: int | None = None


@dataclass(frozen=True)
class Family:
    """How a kind of file writes chunks."""

    prefix: int
    """Bytes before the first chunk."""
    head: struct.Struct
    padding: int
    counts_head: bool = False

    def split(self, data: bytes) -> tuple[bytes, list[Chunk]]:
        """The prefix and chunks of a sound file."""
        position, chunks = self.prefix, []
        while position + self.head.size <= len(data):
            name, size = self.head.unpack_from(data, position)
            body = size - (self.head.size if self.counts_head else 0)
            body = max(0, min(body, len(data)))
            start = position + self.head.size
            chunks.append(Chunk(name, data[start : start + body]))
            position = start + body + -body % self.padding
        return data[: self.prefix], chunks

    def join(self, prefix: bytes, chunks: list[Chunk]) -> bytes:
        """The bytes of a file; the prefix is left as it is."""
        parts = [prefix]
        for chunk in chunks:
            honest = len(chunk.body) + (self.head.size if self.counts_head else 0)
            size = honest if chunk.size is None else chunk.size
            most = 2**32 - 1 if self.head.size == 8 else 2**64 - 1
            parts.append(self.head.pack(chunk.name, min(size, most)))
            parts.append(chunk.body + bytes(-len(chunk.body) % self.padding))
        return b"".join(parts)


RIFF = Family(12, struct.Struct("<4sI"), 2)
W64 = Family(40, struct.Struct("<16sQ"), 8, counts_head=True)
AIFF = Family(12, struct.Struct(">4sI"), 2)
CAF = Family(8, struct.Struct(">4sQ"), 1)


@dataclass(frozen=True)
class Base:
    """A sound file that is going to be damaged."""

    name: str
    suffix: str
    data: bytes
    family: Family | None


def _samples(seed: int = 0) -> np.ndarray:
    """Noise (frames, channels) in 32-bit integers."""
    generator = np.random.default_rng(seed)
    return generator.integers(-(2**31), 2**31, (FRAMES, CHANNELS), dtype=np.int32)


def _format(tag: int, bits: int, *, extensible: bool = False) -> bytes:
    block = CHANNELS * bits // 8
    head = _EXTENSIBLE if extensible else tag
    body = struct.pack("<HHIIHH", head, CHANNELS, RATE, RATE * block, block, bits)
    if extensible:
        guid = struct.pack("<H", tag) + bytes.fromhex("000000001000800000aa00389b71")
        body += struct.pack("<HHI", 22, bits, 0) + guid
    return body


def _payload(bits: int, *, is_float: bool = False) -> bytes:
    if is_float:
        kind = "<f4" if bits == 32 else "<f8"
        return (_samples() / 2.0**31).astype(kind).tobytes()
    if bits == 8:
        return ((_samples() >> 24) + 128).astype(np.uint8).tobytes()
    shifted = (_samples() >> (32 - bits)).astype("<i4").reshape(-1, 1).view(np.uint8)
    return np.ascontiguousarray(shifted[:, : bits // 8]).tobytes()


def _wav(chunks: list[Chunk], *, magic: bytes = b"RIFF") -> bytes:
    body = RIFF.join(b"", chunks)
    size = 2**32 - 1 if magic == b"RF64" else len(body) + 4
    return struct.pack("<4sI4s", magic, size, b"WAVE") + body


def _plain(bits: int, *, is_float: bool = False, extensible: bool = False) -> bytes:
    tag = _FLOAT if is_float else _PCM
    form = Chunk(b"fmt ", _format(tag, bits, extensible=extensible))
    return _wav([form, Chunk(b"data", _payload(bits, is_float=is_float))])


def _broadcast() -> bytes:
    """As a field recorder writes it: bext, JUNK, fmt, fact, data, LIST."""
    chunks = [
        Chunk(b"bext", bytes(602)),
        Chunk(b"JUNK", bytes(29)),
        Chunk(b"fmt ", _format(_PCM, 24, extensible=True)),
        Chunk(b"fact", struct.pack("<I", FRAMES)),
        Chunk(b"data", _payload(24)),
        Chunk(b"LIST", b"INFOISFT\x06\x00\x00\x00noise\x00"),
    ]
    return _wav(chunks)


def _rf64() -> bytes:
    data = _payload(24)
    sizes = struct.pack("<QQQI", 12 + 36 + 24 + 8 + len(data), len(data), FRAMES, 0)
    chunks = [
        Chunk(b"ds64", sizes),
        Chunk(b"fmt ", _format(_PCM, 24)),
        Chunk(b"data", data, size=2**32 - 1),
    ]
    return _wav(chunks, magic=b"RF64")


def _w64() -> bytes:
    chunks = [
        Chunk(b"fmt " + W64_TAIL, _format(_PCM, 24)),
        Chunk(b"data" + W64_TAIL, _payload(24)),
    ]
    body = W64.join(b"", chunks)
    return _W64_RIFF + struct.pack("<Q", 40 + len(body)) + b"wave" + W64_TAIL + body


def _by_soundfile(kind: str, subtype: str) -> bytes:
    target = io.BytesIO()
    soundfile.write(target, _samples(), RATE, format=kind, subtype=subtype)
    return target.getvalue()


def bases() -> tuple[Base, ...]:
    """The sound files, in a fixed order."""
    return (
        Base("wav-8", "wav", _plain(8), RIFF),
        Base("wav-16", "wav", _plain(16), RIFF),
        Base("wav-24", "wav", _plain(24), RIFF),
        Base("wav-32", "wav", _plain(32), RIFF),
        Base("wav-float", "wav", _plain(32, is_float=True), RIFF),
        Base("wav-double", "wav", _plain(64, is_float=True), RIFF),
        Base("wavex-24", "wav", _plain(24, extensible=True), RIFF),
        Base("broadcast-24", "wav", _broadcast(), RIFF),
        Base("rf64-24", "rf64", _rf64(), RIFF),
        Base("w64-24", "w64", _w64(), W64),
        Base("aiff-24", "aiff", _by_soundfile("AIFF", "PCM_24"), AIFF),
        Base("aifc-float", "aifc", _by_soundfile("AIFF", "FLOAT"), AIFF),
        Base("caf-24", "caf", _by_soundfile("CAF", "PCM_24"), CAF),
        Base("flac-24", "flac", _by_soundfile("FLAC", "PCM_24"), None),
        Base("au-16", "au", _by_soundfile("AU", "PCM_16"), None),
    )
