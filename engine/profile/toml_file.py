"""One TOML file of profiles: read with its errors located, and searched for the line of a key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import tomli

from codecctl.errors import ProfileError

Key = tuple[str, ...]

_HEADER = re.compile(r"\s*(\[\[?)(?P<key>[^\[\]]+)\]\]?\s*(#.*)?$")
_ASSIGNMENT = re.compile(
    r"""\s*(?P<key>(?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*="""
)


def read_toml(path: Path, label: str) -> dict[str, object]:
    """The content of a TOML file.

    Args:
        path: File to read.
        label: How messages call it.

    Raises:
        ProfileError: It cannot be read, is not UTF-8 or not TOML; with line and column.
    """
    try:
        return tomli.loads(path.read_bytes().decode("utf-8"))
    except tomli.TOMLDecodeError as error:
        raise ProfileError(
            f"{label}:{error.lineno}:{error.colno}: TOML syntax: {error.msg}"
        ) from error
    except UnicodeDecodeError as error:
        raise ProfileError(f"{label}: byte {error.start} is not UTF-8; save it as UTF-8") from error
    except OSError as error:
        raise ProfileError(f"{label}: cannot be read: {error.strerror}") from error


def line_of(text: str, key: Key) -> int | None:
    """The line, from 1, on which a key of a TOML document is set.

    TOML readers keep no positions, so this looks for the header or assignment that names the
    longest part of the key: a key within an inline table is found on the line of the table. A
    table without a header of its own is found where the first thing in it is set.
    """
    best, best_length = None, 0
    for number, written in _keys_by_line(text):
        shared = min(len(written), len(key))
        if key[:shared] == written[:shared] and shared > best_length:
            best, best_length = number, shared
    return best


def _keys_by_line(text: str) -> Iterator[tuple[int, Key]]:
    """Line number and full key of every header and assignment; entries of `[[a]]` are numbered."""
    table: Key = ()
    entries: dict[Key, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        if header:
            table = _split(header["key"])
            if header[1] == "[[":
                entries[table] = entries.get(table, -1) + 1
                table = (*table, str(entries[table]))
            yield number, table
            continue
        assignment = _ASSIGNMENT.match(line)
        if assignment:
            yield number, table + _split(assignment["key"])


def _split(written: str) -> Key:
    """The parts of a dotted key, unquoted."""
    parts = re.findall(r"""[\w-]+|"[^"]*"|'[^']*'""", written)
    return tuple(part.strip("\"'") for part in parts)
