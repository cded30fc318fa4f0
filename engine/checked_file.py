"""A file of a checkpoint: written past the page cache, hashed on the way; needs no torch."""

from __future__ import annotations

import errno
import fcntl
import io
import mmap
import os
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import xxhash

HASH = "xxh3-128"
_BLOCK_BYTES = 1 << 23
_DIRECT: int = getattr(os, "O_DIRECT", 0)
"""0 where the system has no such way, as macOS."""


class CheckedFile(io.RawIOBase):
    """A new file that knows its hash, and remembers the error of a failed write.

    Writers in other languages turn it into one of their own without the reason.

    Whole blocks go to the disk directly, by a thread, while the next one is filled: a gigabyte
    that passes the page cache costs its pages, most of the time of a checkpoint, and would drive
    out of memory what the training reads. Where a file system refuses that, and for the rest of
    a file, it is written as any other. The hash is of the bytes that were given, not of what a
    cache holds of them.

    Args:
        path: Where; what is there is replaced.

    Raises:
        OSError: It cannot be made.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        # Whole pages, as direct writes need them; untouched ones take no memory.
        self._filling, self._leaving = mmap.mmap(-1, _BLOCK_BYTES), mmap.mmap(-1, _BLOCK_BYTES)
        self._filled = 0
        self._thread: ThreadPoolExecutor | None = None
        self._written: Future[None] | None = None
        self._digest = xxhash.xxh3_128()
        self.size = 0
        """Bytes that were given."""
        self.failure: OSError | None = None

    @property
    def hash(self) -> str:
        """Of all bytes, once they are synced."""
        return f"{HASH}:{self._digest.hexdigest()}"

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: object) -> int:
        """Take all of a bytes-like object.

        Raises:
            OSError: The disk is full or fails, maybe at bytes that were given before.
        """
        view = memoryview(data).cast("B")  # type: ignore[arg-type]  # RawIOBase takes any buffer
        done = 0
        while done < len(view):
            piece = view[done : done + _BLOCK_BYTES - self._filled]
            self._filling[self._filled : self._filled + len(piece)] = piece
            self._filled += len(piece)
            done += len(piece)
            if self._filled == _BLOCK_BYTES:
                self._hand_over()
        self.size += done
        return done

    def sync(self) -> None:
        """Write what is left, and wait for the disk.

        Raises:
            OSError: The disk is full or fails.
        """
        try:
            self._wait()
            self._set_direct(False)
            self._put(self._filling, self._filled)
            self._filled = 0
            os.fsync(self._handle)
        except OSError as error:
            self.failure = error
            raise

    def close(self) -> None:
        """Close the file; what was not synced may be missing."""
        if self.closed:
            return
        if self._thread is not None:
            self._thread.shutdown()  # else it would write to whatever has the number next
        os.close(self._handle)
        self._filling.close()
        self._leaving.close()
        super().close()

    def _hand_over(self) -> None:
        """Let the thread write the block that is full, after the one before."""
        try:
            if self._thread is None:
                self._thread = ThreadPoolExecutor(1, "checkpoint")
                self._set_direct(True)
            self._wait()
        except OSError as error:
            self.failure = error
            raise
        self._filling, self._leaving = self._leaving, self._filling
        self._written = self._thread.submit(self._put, self._leaving, self._filled)
        self._filled = 0

    def _wait(self) -> None:
        written, self._written = self._written, None
        if written is not None:
            written.result()

    def _put(self, block: mmap.mmap, size: int) -> None:
        with memoryview(block) as whole, whole[:size] as view:
            self._digest.update(view)
            done = 0
            while done < size:
                with view[done:] as rest:
                    done += self._write_some(rest)

    def _write_some(self, view: memoryview) -> int:
        try:
            return os.write(self._handle, view)
        except OSError as error:
            # A disk with larger sectors, or the rest of a block that was written in part.
            if error.errno != errno.EINVAL or not self._is_direct():
                raise
        self._set_direct(False)
        return os.write(self._handle, view)

    def _is_direct(self) -> bool:
        return bool(fcntl.fcntl(self._handle, fcntl.F_GETFL) & _DIRECT)

    def _set_direct(self, wanted: bool) -> None:
        if wanted == self._is_direct():
            return
        flags = fcntl.fcntl(self._handle, fcntl.F_GETFL) ^ _DIRECT
        with suppress(OSError):  # a file system that has no such way
            fcntl.fcntl(self._handle, fcntl.F_SETFL, flags)
