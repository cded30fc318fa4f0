"""Text whose long lines go on below their words, not below their margin."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

_MARGIN = re.compile(r" *(?:\S+ {2,})?")
"""Blanks at the start of a line, or a word in a column of its own: two blanks follow it."""


def hanging(lines: Sequence[str]) -> Group:
    """Lines in any width; what does not fit goes on where the text of its line began."""
    return Group(*(_hung(line) for line in lines))


def _hung(line: str) -> Table | Text:
    match = _MARGIN.match(line)
    margin = match[0] if match else ""
    if not margin:
        return Text(line)
    grid = Table.grid(padding=0)
    grid.add_column(width=len(margin), no_wrap=True)
    grid.add_column(ratio=1)
    grid.add_row(Text(margin), Text(line[len(margin) :]))
    return grid
