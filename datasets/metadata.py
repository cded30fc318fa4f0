"""A table that describes recordings, such as `Metadata-EigenScape.csv`, joined to them.

    Filename,Class,Location,Time,Date,Additional Information
    Beach-01.wav,Beach,Bridlington Beach,10:42,09/05/2017,

CSV of UTF-8 or Latin-1 text, with commas, semicolons or tabs. The column `Filename` is needed; a
row belongs to the recordings of that path, of that file name, of that name without its ending, or
else of the scene and take that it spells.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from codecctl.datasets.discovery import shown
from codecctl.datasets.naming import Place, place
from codecctl.errors import DataError, NotFoundError

MOST_BYTES = 1 << 24
MOST_ROWS = 100_000
MOST_COLUMNS = 64
MOST_LETTERS = 8192
"""Of a field."""

_KEY = "filename"


@dataclass(frozen=True)
class Row:
    """What a table says of one file name."""

    line: int
    filename: str
    values: Mapping[str, str]
    """By column, without those that are empty."""


@dataclass(frozen=True)
class Described:
    """A recording that a row may belong to."""

    name: str
    source_name: str
    where: Place


@dataclass(frozen=True)
class Joined:
    """Recordings with what a table says of them."""

    metadata: dict[str, dict[str, str]]
    """By recording."""
    unused: tuple[str, ...]
    """File names of rows that belong to no recording."""
    without: tuple[str, ...]
    """Source names of recordings that no row belongs to."""


class _Reader(Protocol):
    """What `csv.reader` returns."""

    @property
    def line_num(self) -> int: ...

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


def find_table(folder: Path, companions: Sequence[PurePosixPath]) -> Path | None:
    """The metadata table below an ingested folder: `metadata*.csv` in any case, the highest."""
    tables = [
        path
        for path in companions
        if path.suffix.lower() == ".csv" and path.name.lower().startswith("metadata")
    ]
    ordered = sorted(tables, key=lambda path: (len(path.parts), str(path)))
    return folder / ordered[0] if ordered else None


def read_table(path: Path) -> tuple[Row, ...]:
    """Read and check a table.

    Raises:
        NotFoundError: There is no such file.
        DataError: It is no such table; names the line.
    """
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise DataError(f"{path}: found {size} bytes, needed a table of {MOST_BYTES} at most")
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"{path}: no such table") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    text = _decoded(path, data)
    start = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=start.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return _rows(path, reader)
    except csv.Error as error:
        raise DataError(f"{path}: line {reader.line_num}: no CSV ({error})") from error


def join(rows: Sequence[Row], recordings: Sequence[Described]) -> Joined:
    """Give each recording its row.

    Args:
        rows: Of a table.
        recordings: Of one corpus.
    """
    by_name: dict[str, Row] = {}
    by_take: dict[tuple[str, str], Row] = {}
    for row in rows:
        path = PurePosixPath(row.filename.replace("\\", "/"))
        for key in (str(path), path.name, path.stem):
            by_name.setdefault(key.casefold(), row)
        where = place(PurePosixPath(path.name))
        if where.scene:
            by_take.setdefault((where.scene, where.take), row)
    metadata: dict[str, dict[str, str]] = {}
    used: set[int] = set()
    without: list[str] = []
    for recording in recordings:
        path = PurePosixPath(recording.source_name)
        keys = [key.casefold() for key in (str(path), path.name, path.stem)]
        found = next((by_name[key] for key in keys if key in by_name), None)
        if found is None and recording.where.scene:
            found = by_take.get((recording.where.scene, recording.where.take))
        if found is None:
            without.append(recording.source_name)
            continue
        used.add(found.line)
        if found.values:
            metadata[recording.name] = dict(found.values)
    unused = tuple(shown(row.filename) for row in rows if row.line not in used)
    return Joined(metadata, unused, tuple(without))


def _decoded(path: Path, data: bytes) -> str:
    if b"\0" in data:
        raise DataError(f"{path}: found bytes of zero, needed text in UTF-8 or Latin-1")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _rows(path: Path, reader: _Reader) -> tuple[Row, ...]:
    columns = [name.strip() for name in next(reader, [])]
    keys = [index for index, name in enumerate(columns) if _plain(name) == _KEY]
    if len(keys) != 1 or not 2 <= len(columns) <= MOST_COLUMNS:
        raise DataError(
            f"{path}: found the columns {', '.join(map(shown, columns[:8])) or 'none'}; needed one "
            f"Filename and 1 to {MOST_COLUMNS - 1} others"
        )
    if len(set(columns)) < len(columns):
        raise DataError(f"{path}: two columns of one name; give each its own")
    rows: dict[str, Row] = {}
    for fields in reader:
        texts = [text.strip() for text in fields]
        if not any(texts):
            continue
        row = _row(path, reader.line_num, columns, texts, key=keys[0])
        before = rows.setdefault(row.filename.casefold(), row)
        if before.values != row.values:
            what = f"{shown(row.filename)} has other values in line {before.line}"
            raise DataError(f"{path}: line {row.line}: {what}; keep one of them")
        if len(rows) > MOST_ROWS:
            raise DataError(f"{path}: more than {MOST_ROWS} rows")
    return tuple(rows.values())


def _row(path: Path, line: int, columns: list[str], texts: list[str], *, key: int) -> Row:
    if any(texts[len(columns) :]):
        needed = f"found {len(texts)} fields, needed {len(columns)}"
        raise DataError(f"{path}: line {line}: {needed}; quote fields that hold commas")
    if max(map(len, texts)) > MOST_LETTERS:
        raise DataError(f"{path}: line {line}: a field of more than {MOST_LETTERS} letters")
    texts += [""] * (len(columns) - len(texts))
    if not texts[key]:
        raise DataError(f"{path}: line {line}: no file name")
    values = {
        column: text
        for index, (column, text) in enumerate(zip(columns, texts, strict=False))
        if index != key and text and column
    }
    return Row(line, texts[key], values)


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
