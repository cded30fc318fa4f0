"""Disk space asked for before the first byte is written, and writes that are whole or an error."""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import socket
from pathlib import Path

from codecctl.errors import CodecctlError

_FULL = {
    errno.ENOSPC: "disk full",
    errno.EDQUOT: "disk quota reached",
    errno.EFBIG: "file size limit reached",
}
_UNSUPPORTED = (errno.EOPNOTSUPP, errno.ENOSYS)
_TEMPORARY = ".tmp-"


def reserve(descriptor: int, size: int, *, path: Path) -> None:
    """Give an empty file its final size, with blocks behind every byte.

    fallocate(2) itself: `posix_fallocate` would write the whole file where it is unsupported.
    There the free space is compared instead, which a quota or another writer can still undo.

    Args:
        descriptor: Open for writing.
        size: Bytes.
        path: The file, for the error and to find its disk.

    Raises:
        CodecctlError: Full disk, quota or file-size limit.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    while libc.fallocate(descriptor, 0, 0, size) != 0:
        code = ctypes.get_errno()
        if code in _UNSUPPORTED:
            _reserve_by_free_space(descriptor, size, path=path)
            return
        if code != errno.EINTR:
            raise write_error(OSError(code, os.strerror(code)), path=path, needed=size)


def _reserve_by_free_space(descriptor: int, size: int, *, path: Path) -> None:
    if size > free_bytes(path):
        full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        raise write_error(full, path=path, needed=size)
    try:
        os.ftruncate(descriptor, size)
    except OSError as error:
        raise write_error(error, path=path, needed=size) from error


def free_bytes(path: Path) -> int:
    """Bytes that an ordinary user can still write beside a file."""
    space = os.statvfs(path.parent)
    return space.f_bavail * space.f_frsize


def write_error(error: OSError, *, path: Path, needed: int) -> CodecctlError:
    """What a user reads when a file of `needed` bytes cannot be written."""
    if error.errno not in _FULL:
        return CodecctlError(f"{path}: cannot write: {error.strerror}")
    room = f"free {size_text(free_bytes(path))}"
    if error.errno == errno.EFBIG:
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
        room = f"limit {size_text(limit)}" if limit >= 0 else "limit set by the file system"
    return CodecctlError(f"{path.parent}: {_FULL[error.errno]}: needed {size_text(needed)}, {room}")


def size_text(count: float) -> str:
    """Bytes with three or four digits and a decimal unit."""
    if count < 1000:
        return f"{count:.0f} B"
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 1000:
            return f"{count:.3g} {unit}"
    return f"{count / 1000:.3g} TB"


def write_all(descriptor: int, data: bytes | memoryview, offset: int) -> None:
    """Write every byte at an offset; one call may take fewer than it is given."""
    view = memoryview(data).cast("B")
    while view:
        count = os.pwrite(descriptor, view, offset)
        view = view[count:]
        offset += count


def sync_folder(folder: Path) -> None:
    """Make renames in a folder survive a crash of the machine."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def temporary_path(path: Path) -> Path:
    """Where a file is written before it is renamed; names the host and process that write it."""
    return path.with_name(f".{path.stem}{_TEMPORARY}{socket.gethostname()}-{os.getpid()}")


def write_file(path: Path, data: bytes, *, make_folder: bool = False) -> None:
    """Write a small file that appears, or is replaced, whole or not at all.

    Args:
        path: The file.
        data: All of it.
        make_folder: Make the folder that it goes into where there is none.

    Raises:
        CodecctlError: The disk does not take it.
    """
    temporary = temporary_path(path)
    try:
        if make_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise write_error(error, path=path, needed=len(data)) from error


def remove_abandoned(folder: Path) -> list[str]:
    """Remove what killed writers of this host left in a folder; call before writing there.

    Files of this process count too: in a container a new process often has the old one's number.
    Other hosts' files stay, since nothing here can tell whether their writer lives.

    Returns:
        The names removed.
    """
    removed = []
    for path in sorted(folder.glob(f".*{_TEMPORARY}{socket.gethostname()}-*")):
        number = path.name.rpartition("-")[2]
        if number.isdecimal() and (int(number) == os.getpid() or not _lives(int(number))):
            path.unlink(missing_ok=True)
            removed.append(path.name)
    return removed


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
