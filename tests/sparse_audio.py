"""Audio files of many gigabytes that take no disk: holes of silence with a few real frames."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

_W64_RIFF = b"riff" + bytes.fromhex("2e91cf11a5d628db04c10000")
_W64_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")
_PCM_TAIL = bytes.fromhex("000000001000800000aa00389b71")
_BYTES = 3


def write_sparse(
    path: Path,
    *,
    kind: str,
    channels: int,
    frames: int,
    rate: int = 48_000,
    real: Mapping[int, np.ndarray] | None = None,
) -> int:
    """Write a file of 24-bit silence and of real frames at some places.

    Args:
        path: The file.
        kind: `WAV` (whatever its size), `RF64` or `W64`.
        channels: C.
        frames: T.
        rate: Hz.
        real: (n, C) int32 of 24 bits, by first frame.

    Returns:
        Offset of the first sample, in bytes.
    """
    head = _HEADS[kind](_format(channels, rate), frames * channels * _BYTES, frames)
    with path.open("wb") as file:
        file.write(head)
        os.truncate(file.fileno(), len(head) + frames * channels * _BYTES)
        for first, samples in (real or {}).items():
            file.seek(len(head) + first * channels * _BYTES)
            octets = samples.astype("<i4").view(np.uint8).reshape(-1, 4)
            file.write(octets[:, :_BYTES].tobytes())
    return len(head)


def _format(channels: int, rate: int) -> bytes:
    """The body of a WAVE_FORMAT_EXTENSIBLE `fmt ` chunk, as recorders of arrays write it."""
    block = channels * _BYTES
    basic = struct.pack("<HHIIHH", 0xFFFE, channels, rate, rate * block, block, 8 * _BYTES)
    return basic + struct.pack("<HHIH", 22, 8 * _BYTES, 0, 1) + _PCM_TAIL


def _wav(form: bytes, size: int, frames: int) -> bytes:
    chunks = b"WAVEfmt " + struct.pack("<I", len(form)) + form
    chunks += b"fact" + struct.pack("<II", 4, frames) + b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", len(chunks) + size) + chunks


def _rf64(form: bytes, size: int, frames: int) -> bytes:
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + b"\xff" * 4
    total = 4 + 8 + 28 + len(chunks) + size
    long_sizes = b"ds64" + struct.pack("<IQQQI", 28, total, size, frames, 0)
    return b"RF64" + b"\xff" * 4 + b"WAVE" + long_sizes + chunks


def _w64(form: bytes, size: int, frames: int) -> bytes:
    chunks = b"wave" + _W64_TAIL
    chunks += b"fmt " + _W64_TAIL + struct.pack("<Q", 24 + len(form)) + form
    chunks += b"data" + _W64_TAIL + struct.pack("<Q", 24 + size)
    return _W64_RIFF + struct.pack("<Q", 24 + len(chunks) + size) + chunks


_HEADS = {"WAV": _wav, "RF64": _rf64, "W64": _w64}
