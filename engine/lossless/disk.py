"""Coded files on the disk: opened with clear errors, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from codecctl.engine.lossless.container import Header, Reader
from codecctl.errors import CodecctlError, DataError, NotFoundError

Advance = Callable[[int], None]
"""Told how many symbols are done."""


@dataclass(frozen=True)
class Sizes:
    """What coding did."""

    raw: int
    """Bytes of the WAV file."""
    coded: int
    symbols: int


def read_header(source: Path) -> Header:
    """What a coded file says of itself.

    Raises:
        NotFoundError: There is no such file.
        DataError: It is damaged or no coded file.
    """
    with opened(source) as reader:
        return reader.header


@contextmanager
def opened(source: Path) -> Iterator[Reader]:
    """A reader of a coded file, closed at the end of the block."""
    try:
        file = source.open("rb")
    except FileNotFoundError as error:
        raise NotFoundError(f"{source}: no such file") from error
    except OSError as error:
        raise DataError(f"{source}: cannot be read: {error.strerror}") from error
    with file:
        yield Reader(file, name=str(source), size=os.fstat(file.fileno()).st_size)


@contextmanager
def appearing(target: Path) -> Iterator[Path]:
    """A path beside `target` that takes its place when the block ends well."""
    beside = target.with_name(f".{target.name}.tmp-{os.getpid()}")
    try:
        yield beside
        beside.replace(target)
    except OSError as error:
        raise CodecctlError(f"{target}: cannot be written: {error.strerror}") from error
    finally:
        beside.unlink(missing_ok=True)
