"""Which pages of a file the system holds in memory, to leave its cache as it was found."""

from __future__ import annotations

import ctypes
import mmap
import os

import numpy as np


def pages_to_drop(descriptor: int, start: int, stop: int) -> list[tuple[int, int]]:
    """Byte ranges of a file between two positions that are not in memory, whole pages.

    Systems that tell only the owner of a file what is in memory call everything resident; then
    nothing is dropped.

    Args:
        descriptor: Open for reading.
        start: First byte.
        stop: Byte behind the last, within the file.
    """
    page = mmap.PAGESIZE
    start -= start % page
    with mmap.mmap(descriptor, stop - start, prot=mmap.PROT_READ, offset=start) as view:
        states = np.empty(-(-(stop - start) // page), dtype=np.uint8)
        address = np.frombuffer(view, dtype=np.uint8).ctypes.data
        libc = ctypes.CDLL(None, use_errno=True)
        call = libc.mincore(
            ctypes.c_void_p(address), ctypes.c_size_t(stop - start), states.ctypes.data_as(_BYTES)
        )
    if call != 0:
        return []
    absent = (states & 1) == 0
    edges = np.flatnonzero(np.diff(absent, prepend=False, append=False))
    return [
        (start + first * page, start + last * page)
        for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    ]


def drop(descriptor: int, ranges: list[tuple[int, int]]) -> None:
    """Tell the system that byte ranges of a file are not needed in memory."""
    for start, stop in ranges:
        os.posix_fadvise(descriptor, start, stop - start, os.POSIX_FADV_DONTNEED)


_BYTES = ctypes.POINTER(ctypes.c_uint8)
