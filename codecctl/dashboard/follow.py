"""Follows one growing file of rows for no longer than a deadline."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from codecctl.engine.rundir import JsonlTail, Row


@dataclass(frozen=True)
class News:
    """What a read brought."""

    rows: list[Row]
    restarted: bool
    """The file was replaced or cut: rows read before belong to a file that is gone."""
    complete: bool
    """Nothing more is there right now."""


class Follower:
    """Tails a file.

    Args:
        path: A file of JSON lines; may not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._tail = JsonlTail(path)
        self._generation = 0

    def read(self, deadline: float) -> News:
        """The new rows; at least one piece, then more until the deadline (`time.monotonic`)."""
        rows: list[Row] = []
        restarted = False
        while True:
            new = self._tail.read()
            if self._tail.generation != self._generation:
                self._generation = self._tail.generation
                rows, restarted = [], True
            rows += new
            if not new:
                return News(rows, restarted, complete=True)
            if time.monotonic() > deadline:
                return News(rows, restarted, complete=False)
