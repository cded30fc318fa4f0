"""JSON lines as columns, many at a time: what makes long runs appear soon.

The rows of a run differ in their numbers and little else. Lines are therefore grouped by their
keys and strings, and the numbers of a group are cut out and decoded together as one list: half
the time of an object for each line. Lines that are written in another way than
`engine.rows.encode_row` writes them are decoded one by one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codecctl.engine.rows import Row, decode_row, number

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.intp]
Strings = tuple[bytes, ...]
_Kind = tuple[tuple[str, ...], tuple[tuple[str, str], ...]]

_OF_NUMBERS = b"0123456789.+-eENaInfity"
_SKELETON = re.compile(rb"\{(?::s?,)*:s?\}")
_NUMBERS_ALONE = bytes.maketrans(b"\ns", b",0")
_LITERALS = ((b':"NaN"', b":NaN"), (b':"Infinity"', b":Infinity"), (b':"-Infinity"', b":-Infinity"))


@dataclass(frozen=True)
class Block:
    """Rows that have the same keys, and the same strings."""

    lines: Index
    """(rows,) which of the lines they were, rising."""
    words: dict[str, str]
    """The values that are strings."""
    names: tuple[str, ...]
    """The keys of the numbers, each once."""
    numbers: Array
    """(rows, names)"""


def parse_lines(lines: Sequence[bytes], first: int = 0) -> list[Block]:
    """The rows of lines; torn and foreign lines are left out, as `decode_row` leaves them out.

    Args:
        lines: Without their newlines.
        first: The number of the first line.
    """
    groups: dict[Strings, list[tuple[int, bytes]]] = {}
    for index, line in enumerate(lines):
        parts = _with_literals(line).split(b'"')
        groups.setdefault(tuple(parts[1::2]), []).append((index, b"".join(parts[::2])))
    blocks = []
    others: list[int] = []
    for strings, members in groups.items():
        block = _fast_block(strings, members, lines, first)
        if block is None:
            others += [index for index, _ in members]
        else:
            blocks.append(block)
    decoded = [(first + index, decode_row(lines[index])) for index in sorted(others)]
    return blocks + blocks_of_rows([(index, row) for index, row in decoded if row is not None])


def blocks_of_rows(rows: Sequence[tuple[int, Row]]) -> list[Block]:
    """Numbered rows as blocks; values that are neither numbers nor strings are left out."""
    groups: dict[_Kind, list[tuple[int, list[float]]]] = {}
    for index, row in rows:
        decoded = {name: number(value) for name, value in row.items()}
        numbers = {name: value for name, value in decoded.items() if value is not None}
        key = (tuple(numbers), tuple(_words(row).items()))
        groups.setdefault(key, []).append((index, list(numbers.values())))
    return [
        Block(
            np.array([index for index, _ in members], dtype=np.intp),
            dict(words),
            names,
            np.array([values for _, values in members]).reshape(len(members), len(names)),
        )
        for (names, words), members in groups.items()
    ]


def _with_literals(line: bytes) -> bytes:
    """A line whose values "NaN" and "Infinity" are literals, which json reads as numbers."""
    if b'N"' in line or b'ty"' in line:
        for word, literal in _LITERALS:
            line = line.replace(word, literal)
    return line


def _fast_block(
    strings: Strings,
    members: Sequence[tuple[int, bytes]],
    lines: Sequence[bytes],
    number_of_first: int,
) -> Block | None:
    """The block of lines with equal strings; None unless all of them are plain rows.

    Without strings and numbers all rows must be the same `{:,:s,:}`, s for a string, and what is
    cut out must be numbers to json: nothing else passes.
    """
    outside = b"\n".join(text for _, text in members)
    if any(b"\\" in string for string in strings) or not _is_framed(outside, len(members)):
        return None
    marked = outside.replace(b":,", b":s,").replace(b":}", b":s}")
    bare = marked.translate(None, _OF_NUMBERS)
    skeleton = bare[: bare.index(b"}") + 1]
    first = decode_row(lines[members[0][0]])
    if first is None or len(first) != skeleton.count(b":"):
        return None
    if not _SKELETON.fullmatch(skeleton) or bare != b"\n".join([skeleton] * len(members)):
        return None
    try:
        values = json.loads(b"[%b]" % marked.translate(_NUMBERS_ALONE, b"{}:"))
        table = np.array(values, dtype=np.float64).reshape(len(members), len(first))
    except (ValueError, OverflowError):
        return None
    kept = [place for place, value in enumerate(first.values()) if not _is_word(value)]
    return Block(
        np.array([index for index, _ in members], dtype=np.intp) + number_of_first,
        _words(first),
        tuple(name for name, value in first.items() if not _is_word(value)),
        table[:, kept],
    )


def _is_framed(outside: bytes, num_rows: int) -> bool:
    """Whether braces stand at the ends of each row alone, and every key right before its colon."""
    ends = outside.startswith(b"{") and outside.endswith(b"}")
    between = outside.count(b"}\n{") == num_rows - 1
    keys = outside.count(b"{:") + outside.count(b",:") == outside.count(b":")
    return ends and between and keys and b"s" not in outside


def _words(row: Row) -> dict[str, str]:
    return {
        name: value for name, value in row.items() if isinstance(value, str) and _is_word(value)
    }


def _is_word(value: object) -> bool:
    """Whether a value is a string that stands for no number."""
    return isinstance(value, str) and number(value) is None
