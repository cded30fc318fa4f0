"""Copies the bytes of a file by the shortest way that kernel and file systems offer.

copy_file_range(2) leaves the data in the kernel, or shares blocks where the file system can; it
is refused between some kinds of file systems. sendfile(2) leaves it in the kernel, too. Reading
and writing works everywhere.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from codecctl.datasets.store.disk import reserve, write_all, write_error
from codecctl.errors import DataError

BLOCK = 32 << 20
"""Bytes at a time; a network disk reads ahead within it, and a stop is noticed after it."""

_REFUSED = (
    errno.EXDEV,
    errno.EINVAL,
    errno.ENOSYS,
    errno.EOPNOTSUPP,
    errno.EPERM,
    errno.EBADF,
    errno.ETXTBSY,
)

Way = Callable[[int, int, int, int], int]
"""Copies up to `count` bytes at `offset` from a descriptor to another; returns how many."""


def by_range(source: int, target: int, count: int, offset: int) -> int:
    """copy_file_range(2)."""
    return os.copy_file_range(source, target, count, offset, offset)


def by_sendfile(source: int, target: int, count: int, offset: int) -> int:
    """sendfile(2)."""
    os.lseek(target, offset, os.SEEK_SET)
    return os.sendfile(target, source, offset, count)


def by_reading(source: int, target: int, count: int, offset: int) -> int:
    """pread(2) and pwrite(2)."""
    data = os.pread(source, min(count, 4 << 20), offset)
    write_all(target, data, offset)
    return len(data)


WAYS: tuple[Way, ...] = (by_range, by_sendfile, by_reading)


def copy_file(
    source: Path,
    target: Path,
    size: int,
    on_bytes: Callable[[int], None],
    *,
    ways: Sequence[Way] = WAYS,
) -> None:
    """Copy a file of known size; the space is reserved first and the disk has it at the end.

    Args:
        source: Read in order.
        target: Replaced.
        size: Bytes.
        on_bytes: Called with the bytes of each block; what it raises ends the copy.
        ways: Tried in turn until one is not refused.

    Raises:
        DataError: The source cannot be read or ends too early.
        CodecctlError: The disk does not take it.
    """
    try:
        reading = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise DataError(f"{source}: cannot be opened: {error.strerror}") from error
    try:
        os.posix_fadvise(reading, 0, 0, os.POSIX_FADV_SEQUENTIAL)
        writing = os.open(target, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        try:
            reserve(writing, size, path=target)
            _copy(reading, writing, size, on_bytes, ways=list(ways), names=(source, target))
            os.fdatasync(writing)
        finally:
            os.close(writing)
    except OSError as error:
        raise write_error(error, path=target, needed=size) from error
    finally:
        os.close(reading)


def _copy(
    reading: int,
    writing: int,
    size: int,
    on_bytes: Callable[[int], None],
    *,
    ways: list[Way],
    names: tuple[Path, Path],
) -> None:
    done = 0
    while done < size:
        try:
            count = ways[0](reading, writing, min(BLOCK, size - done), done)
        except OSError as error:
            if len(ways) > 1 and error.errno in _REFUSED:
                ways.pop(0)
                continue
            if error.errno == errno.EIO:
                raise DataError(
                    f"{names[0]}: cannot be read at byte {done}, or {names[1]} not written: "
                    f"{error.strerror}"
                ) from error
            raise
        if count == 0 and len(ways) > 1:  # some kernels say so instead of refusing
            ways.pop(0)
            continue
        if count == 0:
            raise DataError(f"{names[0]}: truncated at byte {done}, needed {size}")
        done += count
        on_bytes(count)
