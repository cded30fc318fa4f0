"""What a disk quota leaves to this user: quotactl_fd(2), or quotactl(2) on older kernels.

Quotas of network file systems (NFS, Lustre projects) cannot be asked for this way and count as
unknown; a write beyond them still ends cleanly, since space is reserved before the first byte.
"""

from __future__ import annotations

import ctypes
import errno
import os
from dataclasses import dataclass
from pathlib import Path

_QUOTACTL_FD = 443  # the same number on every architecture
_GET_QUOTA = 0x800007
_USER, _GROUP = 0, 1
_BLOCK_BYTES = 1024
_NO_QUOTA = (errno.ESRCH, errno.ENOENT)


@dataclass(frozen=True)
class Quota:
    """Of one user or group on one file system."""

    limit: int
    """Bytes that may be used in all."""
    used: int
    """Bytes."""

    @property
    def left(self) -> int:
        """Bytes that may still be written."""
        return max(0, self.limit - self.used)


class _Answer(ctypes.Structure):
    """`struct if_dqblk`; block limits in kilobytes, space used in bytes."""

    _fields_ = (
        ("hard_limit", ctypes.c_uint64),
        ("soft_limit", ctypes.c_uint64),
        ("used", ctypes.c_uint64),
        ("inode_hard_limit", ctypes.c_uint64),
        ("inode_soft_limit", ctypes.c_uint64),
        ("inodes", ctypes.c_uint64),
        ("block_time", ctypes.c_uint64),
        ("inode_time", ctypes.c_uint64),
        ("valid", ctypes.c_uint32),
    )


def quota(folder: Path) -> tuple[Quota | None, bool]:
    """The tightest quota on the file system of a folder, and whether that is known.

    Args:
        folder: Exists.

    Returns:
        (quota, True), (None, True) where this user has none, (None, False) where the file system
        or the system does not say.
    """
    found: list[Quota] = []
    known = True
    for kind, number in ((_USER, os.getuid()), (_GROUP, os.getgid())):
        answer, code = _ask(folder, kind, number)
        limit = answer.hard_limit or answer.soft_limit
        if code == 0 and limit:
            found.append(Quota(limit * _BLOCK_BYTES, answer.used))
        known = known and (code == 0 or code in _NO_QUOTA)
    tightest = min(found, key=lambda one: one.left, default=None)
    return tightest, known or tightest is not None


def _ask(folder: Path, kind: int, number: int) -> tuple[_Answer, int]:
    """What the kernel says of a user or group, and the number of its error or 0."""
    libc = ctypes.CDLL(None, use_errno=True)
    answer = _Answer()
    command = ctypes.c_uint(_GET_QUOTA << 8 | kind)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        code = libc.syscall(
            ctypes.c_long(_QUOTACTL_FD), descriptor, command, number, ctypes.byref(answer)
        )
    finally:
        os.close(descriptor)
    if code == 0:
        return answer, 0
    if ctypes.get_errno() != errno.ENOSYS:
        return answer, ctypes.get_errno()
    device = _device(folder)
    if not device or libc.quotactl(command, device.encode(), number, ctypes.byref(answer)) == 0:
        return answer, 0 if device else errno.ENODEV
    return answer, ctypes.get_errno()


def _device(folder: Path) -> str:
    """The device that a folder's file system is mounted from, "" where there is none."""
    status = folder.stat()
    number = f"{os.major(status.st_dev)}:{os.minor(status.st_dev)}"
    try:
        lines = Path("/proc/self/mountinfo").read_text(errors="replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        before, _, behind = line.partition(" - ")
        source = behind.split(" ")[1] if behind.count(" ") else ""
        if before.split(" ")[2:3] == [number] and source.startswith("/dev/"):
            return source
    return ""
