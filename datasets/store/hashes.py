"""What tells damage: a hash of each chunk, and one of every byte that is not in a chunk."""

from __future__ import annotations

import os

import numpy as np
import numpy.typing as npt
import xxhash

_PIECE = 1 << 20


def outside_chunks(starts: npt.ArrayLike, length: int, *, file_size: int) -> list[tuple[int, int]]:
    """The byte ranges (start, stop) of a file that belong to no chunk.

    Args:
        starts: First byte of each chunk, any shape and order.
        length: Bytes of a chunk.
        file_size: Bytes.
    """
    ordered = np.sort(np.asarray(starts, dtype=np.int64), axis=None)
    begins = np.concatenate([[0], ordered + length])
    ends = np.concatenate([ordered, [file_size]])
    return [(int(a), int(b)) for a, b in zip(begins, ends, strict=True) if a < b]


def hash_ranges(descriptor: int, ranges: list[tuple[int, int]]) -> str:
    """xxh3-128 of some byte ranges of an open file, one after the other."""
    digest = xxhash.xxh3_128()
    for start, stop in ranges:
        for position in range(start, stop, _PIECE):
            digest.update(os.pread(descriptor, min(_PIECE, stop - position), position))
    return f"xxh3-128:{digest.hexdigest()}"


def hash_chunk(chunk: bytes | memoryview) -> int:
    """xxh3-64 of a stored chunk, its padding included."""
    return xxhash.xxh3_64_intdigest(chunk)


def hash_tables(check: np.ndarray, scale: np.ndarray | None) -> str:
    """One hash for the audio of a recording, from its tables, (C, seconds) each."""
    digest = xxhash.xxh3_128(np.ascontiguousarray(check, dtype="<u8").tobytes())
    if scale is not None:
        digest.update(np.ascontiguousarray(scale, dtype="<f4").tobytes())
    return f"xxh3-128:{digest.hexdigest()}"
