"""Follows one growing file of rows for no longer than a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from codecctl.engine.rows import JsonlTail, Row, decode_row

T = TypeVar("T")


@dataclass(frozen=True)
class News(Generic[T]):
    """What a read brought."""

    rows: list[T]
    restarted: bool
    """The file was replaced or cut: rows read before belong to a file that is gone."""
    complete: bool
    """Nothing more is there right now."""


class Follower(Generic[T]):
    """Tails a file.

    Args:
        path: A file of JSON lines; may not exist yet.
        decode: Turns lines into rows, given the number of the first line since the last `read`.
    """

    def __init__(self, path: Path, decode: Callable[[Sequence[bytes], int], list[T]]) -> None:
        self._tail = JsonlTail(path)
        self._decode = decode
        self._generation = 0

    def read(self, deadline: float) -> News[T]:
        """The new rows; at least one piece, then more until the deadline (`time.monotonic`)."""
        rows: list[T] = []
        num_lines = 0
        restarted = False
        while True:
            lines = self._tail.read_lines()
            if self._tail.generation != self._generation:
                self._generation = self._tail.generation
                rows, restarted = [], True
            rows += self._decode(lines, num_lines)
            num_lines += len(lines)
            if not lines:
                return News(rows, restarted, complete=True)
            if time.monotonic() > deadline:
                return News(rows, restarted, complete=False)


def decode_rows(lines: Sequence[bytes], _first: int) -> list[Row]:
    """Each line as an object; torn and foreign lines are left out."""
    return [row for line in lines if (row := decode_row(line)) is not None]
