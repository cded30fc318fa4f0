"""JSON lines that a run appends to and that anything may follow while it grows.

One object is one line and one `write(2)`, so that a killed process leaves whole lines. Values
that JSON has no word for (NaN, infinities) are the strings "NaN", "Infinity", "-Infinity".
After a resume a run writes the steps since its checkpoint again: of rows with equal keys, the
later one counts (`latest_rows`).
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from codecctl.errors import CodecctlError

Row = dict[str, object]
"""One decoded line."""

METRICS_KEY = ("step", "split")
"""What identifies a row of metrics.jsonl."""

VALIDATION_KEY = ("step", "item", "metric")
"""What identifies a row of validation.jsonl."""

MACHINE_PREFIXES = ("speed/", "memory/")
"""Scalars that depend on the machine, not on the training."""

_BLOCK_BYTES = 1 << 16
_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def encode_row(row: Mapping[str, object]) -> bytes:
    """The line of a row, with its newline."""
    text = json.dumps(plain(row), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode() + b"\n"


def plain(value: object) -> object:
    """A value as JSON can hold it: NaN and infinities become words, also within lists."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value


def decode_row(line: bytes) -> Row | None:
    """The row of a line; None for a torn or foreign line."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def number(value: object) -> float | None:
    """A value of a row as a number, with "NaN" and its kin decoded; None if it is not one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        try:
            return float(value)
        except OverflowError:  # an integer beyond what a float holds
            return math.inf if value > 0 else -math.inf
    return _WORDS.get(value) if isinstance(value, str) else None


def latest_rows(rows: Iterable[Row], key: Sequence[str] = METRICS_KEY) -> list[Row]:
    """Rows with later ones in place of earlier ones of the same key, by rising step.

    This is the one rule for reading a run that was resumed. A row with a list or an object in
    its key is foreign and left out.
    """
    latest: dict[tuple[object, ...], Row] = {}
    for row in rows:
        with suppress(TypeError):  # not hashable
            latest[tuple(row.get(name) for name in key)] = row
    return sorted(latest.values(), key=lambda row: number(row.get("step")) or 0.0)


def comparable(row: Row) -> Row:
    """A row without times, rates and memory: what is left of equal trainings is equal."""
    return {
        name: value
        for name, value in row.items()
        if name not in ("seconds", "time") and not name.startswith(MACHINE_PREFIXES)
    }


def read_rows(path: Path) -> list[Row]:
    """All whole rows of a file in the order written; none when there is no file."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    return [row for line in lines if line and (row := decode_row(line)) is not None]


def read_last_rows(path: Path, max_bytes: int = 1 << 18) -> list[Row]:
    """The whole rows within the last `max_bytes` of a file: cheap on a long run."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = max(0, size - max_bytes)
            file.seek(start)
            lines = file.read().split(b"\n")
    except FileNotFoundError:
        return []
    whole = lines[1:] if start else lines
    return [row for line in whole if line and (row := decode_row(line)) is not None]


def last_rows(
    path: Path, splits: Sequence[str] = ("train", "val"), max_bytes: int = 1 << 22
) -> dict[str, Row]:
    """The row of each split that was written last: cheap, as hardly any other is decoded.

    Args:
        path: A file of metrics; it may not be there.
        splits: What is looked for, backwards from the end of the file.
        max_bytes: How far back.

    Returns:
        The splits that were found, with their rows.
    """
    found: dict[str, Row] = {}
    marks = {split: json.dumps(split).encode() for split in splits}
    for lines in _texts_from_the_end(path, max_bytes):
        wanted = [mark for split, mark in marks.items() if split not in found]
        if not any(mark in lines for mark in wanted):
            continue
        for line in reversed(lines.split(b"\n")):
            row = decode_row(line) if any(mark in line for mark in wanted) else None
            split = row.get("split") if row else None
            if row and isinstance(split, str) and split in marks:
                found.setdefault(split, row)
            if len(found) == len(marks):
                return found
    return found


def _texts_from_the_end(path: Path, max_bytes: int) -> Iterator[bytes]:
    """Whole lines within the last bytes of a file, many at once, the last ones first."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            least = max(0, end - max_bytes)
            rest = b""
            while end > least:
                start = max(least, end - _BLOCK_BYTES)
                file.seek(start)
                rest, _, lines = (file.read(end - start) + rest).partition(b"\n")
                yield lines
                end = start
            if not least:
                yield rest
    except FileNotFoundError:
        return


class RowWriter:
    """Appends rows to one file.

    Args:
        path: The file; made if missing. A torn last line, left by a crash of the machine, is
            closed with a newline so that it cannot swallow the next row.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")

    def append(self, row: Mapping[str, object]) -> None:
        """Write one row with one call.

        Raises:
            CodecctlError: The disk takes no more.
        """
        self._write(encode_row(row))

    def append_text(self, line: str) -> None:
        """Write a line of plain text, for logs.

        Raises:
            CodecctlError: The disk takes no more.
        """
        self._write(line.encode())

    def flush_to_disk(self) -> None:
        """Wait until everything written survives a power failure."""
        os.fsync(self._file)

    def close(self) -> None:
        """Close the file; the writer is of no use afterwards."""
        os.close(self._file)

    def _write(self, line: bytes) -> None:
        try:
            written = os.write(self._file, line)
        except OSError as error:
            raise CodecctlError(f"{self._path}: cannot write: {error.strerror}") from error
        if written != len(line):
            raise CodecctlError(f"{self._path}: disk full; free some space and use --resume")


class JsonlTail:
    """Follows a growing file of rows by offset; costs what is new, not what there is.

    Polling works on NFS and Lustre, where file notifications do not. A line that is not
    finished yet waits for its rest. When the file shrinks or is replaced, reading starts over.

    Args:
        path: The file; it may not be there yet.
        start: Bytes at the start of the file to leave out.

    Attributes:
        generation: Rises by one each time that reading started over: rows read before it
            belong to a file that is gone.
    """

    def __init__(self, path: Path, *, start: int = 0) -> None:
        self.path = path
        self.generation = 0
        self._offset = start
        self._inode: int | None = None
        self._rest = b""

    def read(self, max_bytes: int = 1 << 20) -> list[Row]:
        """The rows since the last call, from at most `max_bytes`; none when nothing is new."""
        lines = self.read_lines(max_bytes)
        return [row for line in lines if (row := decode_row(line)) is not None]

    def read_lines(self, max_bytes: int = 1 << 20) -> list[bytes]:
        """The lines of those rows, not decoded, torn and foreign ones with them."""
        try:
            with self.path.open("rb") as file:
                status = os.fstat(file.fileno())
                if self._inode is None:
                    self._inode = status.st_ino
                if status.st_ino != self._inode or status.st_size < self._offset:
                    self._start_over(status.st_ino)
                file.seek(self._offset)
                chunk = file.read(max_bytes)
        except (FileNotFoundError, NotADirectoryError):
            return []
        self._offset += len(chunk)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        return [line for line in lines if line]

    def _start_over(self, inode: int) -> None:
        self.generation += 1
        self._inode, self._offset, self._rest = inode, 0, b""
