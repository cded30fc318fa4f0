"""A WAV file as what it is made of: bytes before its samples, samples, and bytes behind them.

Whatever other chunks hold, and however the header is written, is kept byte for byte.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from codecctl.errors import DataError, NotFoundError

BITS = (8, 16, 24)
_STARTS = (b"RIFF", b"RF64", b"BW64")
_OPEN = 0xFFFFFFFF
_PCM, _EXTENSIBLE = 1, 0xFFFE
_MOST_CHUNKS = 4096
_PCM_FORM = bytes.fromhex("000000001000800000aa00389b71")
"""What follows the coding in the form of an extensible format."""


@dataclass(frozen=True)
class WavParts:
    """Where things lie in a file."""

    channels: int
    bits: int
    """Of a sample: 8, 16 or 24."""
    rate: int
    """Hz, as the header says."""
    frames: int
    offset: int
    """Of the first sample, in bytes."""
    size: int
    """Bytes of the file."""

    @property
    def frame_bytes(self) -> int:
        """Bytes of a sample of every channel."""
        return self.channels * self.bits // 8

    @property
    def end(self) -> int:
        """First byte behind the samples."""
        return self.offset + self.frames * self.frame_bytes


def read_parts(path: Path) -> WavParts:
    """Find the samples of a WAV file.

    Raises:
        NotFoundError: There is no such file.
        DataError: It is no WAV file of integers of 8, 16 or 24 bits.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            return _parts(path, file, size)
    except FileNotFoundError as error:
        raise NotFoundError(f"{path}: no such file") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


def is_wav(path: Path) -> bool:
    """Whether a file begins as a WAV file does; False where it cannot be read."""
    try:
        with path.open("rb") as file:
            start = file.read(12)
    except OSError:
        return False
    return start[:4] in _STARTS and start[8:12] == b"WAVE"


def wav_header(*, channels: int, bits: int, rate: int, frames: int) -> bytes:
    """What stands before the samples of a plain WAV file; a zero follows an odd number of bytes.

    RF64 where 32 bits do not hold the sizes; extensible where there are more than two channels or
    16 bits, as its specification asks.

    Args:
        channels: At least 1.
        bits: Of a sample: 8, 16 or 24.
        rate: Hz.
        frames: Samples of a channel.
    """
    block = channels * bits // 8
    size = frames * block
    form = struct.pack("<HHIIHH", _PCM, channels, rate, rate * block, block, bits)
    if channels > 2 or bits > 16:
        form = struct.pack("<H", _EXTENSIBLE) + form[2:]
        form += struct.pack("<HHIH", 22, bits, 0, _PCM) + _PCM_FORM
    chunks = b"fmt " + struct.pack("<I", len(form)) + form
    whole = 4 + len(chunks) + 8 + size + size % 2
    if whole < _OPEN:
        return b"RIFF" + struct.pack("<I", whole) + b"WAVE" + chunks + b"data" + _u32(size)
    long_sizes = b"ds64" + struct.pack("<IQQQI", 28, whole + 36, size, frames, 0)
    start = b"RF64" + _u32(_OPEN) + b"WAVE" + long_sizes
    return start + chunks + b"data" + _u32(_OPEN)


def _u32(value: int) -> bytes:
    return struct.pack("<I", value)


def _parts(path: Path, file: BinaryIO, size: int) -> WavParts:
    start = file.read(12)
    if start[:4] not in _STARTS or start[8:12] != b"WAVE":
        raise DataError(f"{path}: no WAV file: it starts with {start[:12]!r}; needed RIFF ... WAVE")
    form: tuple[int, int, int] | None = None
    long_size: int | None = None
    for name, at, length in _chunks(file, size):
        file.seek(at)
        if name == b"ds64" and length >= 16:
            long_size = struct.unpack_from("<Q", file.read(16), 8)[0]
        elif name == b"fmt ":
            form = _form(path, file.read(min(length, 40)))
        elif name == b"data":
            if form is None:
                break
            channels, rate, bits = form
            if length == _OPEN:
                length = size if long_size is None else long_size
            frames = min(length, size - at) // (channels * bits // 8)
            return WavParts(channels, bits, rate, frames, at, size)
    raise DataError(f"{path}: a WAV file without samples: found no fmt and data chunk")


def _chunks(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, first byte and length of each chunk."""
    at = 12
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        header = file.read(8)
        if len(header) < 8:
            return
        name, length = struct.unpack("<4sI", header)
        yield name, at + 8, length
        at += 8 + length + length % 2
        if at >= size:
            return


def _form(path: Path, body: bytes) -> tuple[int, int, int]:
    """Channels, rate and bits of a `fmt ` chunk."""
    if len(body) < 16:
        raise DataError(f"{path}: a fmt chunk of {len(body)} bytes, needed 16")
    tag, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", body)
    if tag == _EXTENSIBLE and len(body) >= 26:
        tag = struct.unpack_from("<H", body, 24)[0]
    if tag != _PCM or bits not in BITS or channels == 0 or block * 8 != channels * bits:
        raise DataError(
            f"{path}: found coding {tag} of {bits} bits in {channels} channels, needed integers "
            "(coding 1) of 8, 16 or 24 bits"
        )
    return channels, rate, bits


def unpacked(raw: np.ndarray, bits: int) -> np.ndarray:
    """Signed samples of bytes: (..., bytes of a sample) uint8 to (...) int64."""
    if bits == 8:
        return raw[..., 0].astype(np.int64) - 128
    signed: np.ndarray = raw[..., -1].view(np.int8).astype(np.int64)
    for place in range(bits // 8 - 2, -1, -1):
        signed <<= 8
        signed |= raw[..., place]
    return signed


def packed(samples: np.ndarray, bits: int) -> np.ndarray:
    """The inverse of `unpacked`: (...) to (..., bytes of a sample) uint8."""
    if bits == 8:
        return (samples + 128).astype(np.uint8)[..., None]
    digits = np.empty((*samples.shape, bits // 8), np.uint8)
    for place in range(bits // 8):
        digits[..., place] = samples >> 8 * place
    return digits
