"""A row of a listing as it is painted: cells side by side in the styles of the row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.strip import Strip


@dataclass(frozen=True)
class RowLook:
    """The styles of a row."""

    under: Style
    """What a cell's own style lies on."""
    over: Style
    """What is put over a cell's own style."""
    rest: Style
    """Of the room right of the last column."""


def row_strip(
    cells: Sequence[tuple[Text, int]],
    *,
    row: int,
    width: int,
    padding: int,
    look: RowLook,
    console: Console,
) -> Strip:
    """Paint a row.

    Args:
        cells: What each column says, no longer than the column, and the width of the column.
        row: Told to the mouse by every cell, beside the number of the column.
        width: Of the whole row; less than the columns take cuts it.
        padding: Cells of room on both sides of a column.
        look: The styles.
        console: Knows the names of styles.
    """
    segments: list[Segment] = []
    for column, (text, column_width) in enumerate(cells):
        place = Style.from_meta({"row": row, "column": column})
        segments += _cell(text, column_width, padding, look=look, place=place, console=console)
    taken = sum(column_width + 2 * padding for _, column_width in cells)
    place = Style.from_meta({"row": row, "column": 0, "out_of_bounds": True})
    segments.append(Segment(" " * max(0, width - taken), look.rest + place))
    return Strip(segments).adjust_cell_length(width, look.rest).simplify()


def _cell(
    text: Text, width: int, padding: int, *, look: RowLook, place: Style, console: Console
) -> Iterator[Segment]:
    under = look.under + place
    blank = under + look.over
    if padding:
        yield Segment(" " * padding, blank)
    plain = under + console.get_style(text.style)
    for words, style, _ in text.render(console):
        yield Segment(words, plain + style + look.over)
    room = width - text.cell_len + padding
    if room > 0:
        yield Segment(" " * room, blank)
