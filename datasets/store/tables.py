"""The tables of a recording, read at their places; HDF5 is not asked."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np

from codecctl.datasets.store.layout import RecordingInfo
from codecctl.datasets.store.regular import open_regular


def read_scale(path: Path, info: RecordingInfo) -> np.ndarray:
    """What an integer is worth in each second of a channel, (C, seconds) float32.

    Args:
        path: Of an int16 recording.
        info: Its row of the index.

    Raises:
        OSError: It cannot be read or is too short.
    """
    assert info.scale_offset >= 0, info
    return _read(path, info, offset=info.scale_offset, kind="<f4")


def read_check(path: Path, info: RecordingInfo) -> np.ndarray:
    """Hash of each chunk, (C, seconds) uint64.

    Args:
        path: Of a recording.
        info: Its row of the index.

    Raises:
        OSError: It cannot be read or is too short.
    """
    return _read(path, info, offset=info.check_offset, kind="<u8")


def _read(path: Path, info: RecordingInfo, *, offset: int, kind: str) -> np.ndarray:
    shape = (info.channels, info.geometry.seconds)
    table = np.empty(shape, dtype=kind)
    descriptor = open_regular(path)
    try:
        if os.fstat(descriptor).st_size < offset + table.nbytes:
            raise OSError(errno.EINVAL, "truncated", str(path))
        view = table.data.cast("B")
        while view:
            count = os.preadv(descriptor, [view], offset)
            if count == 0:
                raise OSError(errno.EINVAL, "truncated", str(path))
            view, offset = view[count:], offset + count
    finally:
        os.close(descriptor)
    return table
