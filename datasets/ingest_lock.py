"""Keeps two ingests out of one store, also where the file system has no locks.

    <store>/.ingest.lock    {"host": ..., "pid": ...}, its age renewed while the ingest lives

flock(2) decides on one machine: it ends with the last process that holds it, killed or not. Some
shared file systems refuse it, others do not carry it to other machines: there the file's content
and age decide.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

from codecctl.errors import CodecctlError

LOCK_NAME = ".ingest.lock"
STALE_SECONDS = 60.0
"""A holder that has not renewed the file for so long is dead."""

_PATIENCE_SECONDS = 10.0
"""Processes of a killed ingest need a moment to notice."""

_STEP_SECONDS = 0.05
_REFUSED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EIO)


class StoreLock:
    """Context manager that holds a store for one ingest.

    Args:
        store_folder: Made when missing.
        lock: Takes an exclusive lock on a descriptor without waiting, or raises OSError.

    Raises:
        CodecctlError: Another ingest is at work, or the folder cannot be written.
    """

    def __init__(self, store_folder: Path, *, lock: Callable[[int], None] | None = None) -> None:
        self._folder = store_folder
        self._path = store_folder / LOCK_NAME
        self._lock = lock or _flock
        self.descriptor = -1
        """Inherited by workers, so that the lock outlives a killed parent as long as they do."""
        self.is_exclusive = False
        """No process of this machine works on the store; False where locks are not supported."""

    def __enter__(self) -> StoreLock:
        patience = _PATIENCE_SECONDS  # of sleep: a lock that waits itself does not use it up
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            while not self._try():
                if patience <= 0:
                    raise CodecctlError(self._taken())
                time.sleep(_STEP_SECONDS)  # flock(2) cannot wait with an end: asked again
                patience -= _STEP_SECONDS
        except OSError as error:
            raise CodecctlError(f"{self._folder}: cannot write: {error.strerror}") from error
        return self

    def __exit__(self, *_: object) -> None:
        self._path.unlink(missing_ok=True)
        os.close(self.descriptor)
        self.descriptor = -1

    def renew(self) -> None:
        """Show other machines that this ingest lives."""
        os.utime(self.descriptor)

    def _try(self) -> bool:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            self._lock(descriptor)
            locked = True
        except BlockingIOError:
            os.close(descriptor)
            return False
        except OSError as error:
            if error.errno not in _REFUSED:
                os.close(descriptor)
                raise
            locked = False
        if not self._is_ours(descriptor) or self._lives_elsewhere(locked=locked):
            os.close(descriptor)
            return False
        self._sign(descriptor)
        self.descriptor = descriptor
        self.is_exclusive = locked
        return True

    def _sign(self, descriptor: int) -> None:
        """Write who holds the store; a full disk leaves no file behind."""
        holder = json.dumps({"host": socket.gethostname(), "pid": os.getpid()}).encode()
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, holder, 0)
        except OSError:
            self._path.unlink(missing_ok=True)
            os.close(descriptor)
            raise

    def _is_ours(self, descriptor: int) -> bool:
        """Whether the path still names the locked file; the holder before removes it at its end."""
        try:
            named = self._path.stat()
        except FileNotFoundError:
            return False
        found = os.fstat(descriptor)
        return (named.st_dev, named.st_ino) == (found.st_dev, found.st_ino)

    def _lives_elsewhere(self, *, locked: bool) -> bool:
        """Whether the file names a holder that our lock says nothing about and that is alive."""
        host, pid, age = self._holder()
        if not host or age > STALE_SECONDS:
            return False
        if host != socket.gethostname():
            return True
        return not locked and pid != os.getpid() and _process_lives(pid)

    def _holder(self) -> tuple[str, int, float]:
        """Host, process and seconds since the last renewal; an empty host when unknown."""
        try:
            content = json.loads(self._path.read_bytes())
            age = time.time() - self._path.stat().st_mtime
            return str(content["host"]), int(content["pid"]), age
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return "", 0, 0.0

    def _taken(self) -> str:
        host, pid, age = self._holder()
        return (
            f"{self._folder}: another ingest writes this store (process {pid} on {host}, seen "
            f"{age:.0f} s ago); wait for its end, a dead one is ignored after {STALE_SECONDS:.0f} s"
        )


def _flock(descriptor: int) -> None:
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _process_lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
