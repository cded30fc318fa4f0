"""Small files that may not be what they seem: pipes, devices, gigabytes of something else."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def open_regular(path: Path) -> int:
    """Open a regular file for reading; a pipe or a device in its place is an error, not waited for.

    Raises:
        OSError: It cannot be opened, or is none.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "no regular file", str(path))


def read_small(path: Path, *, most: int) -> bytes:
    """All bytes of a regular file.

    Args:
        path: The file.
        most: Bytes; a larger file is an error before it fills the memory.

    Raises:
        OSError: It cannot be read, is no regular file or too large.
    """
    with os.fdopen(open_regular(path), "rb") as file:
        if os.fstat(file.fileno()).st_size > most:
            raise OSError(errno.EFBIG, f"larger than {most} bytes", str(path))
        return file.read(most)
