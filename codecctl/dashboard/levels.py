"""Level lines of a chart: values that the curves are read against."""

from __future__ import annotations

from collections.abc import Iterable
from math import log10

from codecctl.dashboard.canvas import Canvas, Ink
from codecctl.dashboard.wording import value_text

LINE = "─"
Level = tuple[float, str]
"""A value in the unit of the chart, and its name."""


def with_levels(
    y_range: tuple[float, float], levels: Iterable[Level], *, log: bool
) -> tuple[float, float]:
    """A range of y that holds all level lines, too.

    Args:
        y_range: Lowest and highest value that is shown; logarithms on a logarithmic axis.
        levels: Some may be of no use on a logarithmic axis; they change nothing.
        log: Whether the axis is logarithmic.
    """
    places = [place for value, _ in levels if (place := _place(value, log)) is not None]
    low, high = y_range
    return min([low, *places]), max([high, *places])


def draw_levels(
    canvas: Canvas,
    levels: Iterable[Level],
    *,
    log: bool,
    rows: int,
    y_range: tuple[float, float],
) -> None:
    """A line across for each level, its name and value on it, behind the curves.

    Args:
        canvas: With axes and curves; the area of the curves begins in row 1 and column `left`.
        levels: Each is drawn once.
        log: Whether the axis is logarithmic.
        rows: Height of the area.
        y_range: Its lowest and highest value.
    """
    low, high = y_range
    for value, name in dict.fromkeys(levels):
        place = _place(value, log)
        if place is None or not low <= place <= high:
            continue
        row = 1 + round((high - place) / (high - low) * (rows * 4 - 1)) // 4
        for column in range(canvas.left, canvas.width):
            if canvas.inks[row, column] < Ink.CURVES:
                canvas.text(row, column, LINE, Ink.LABEL)
        _write(canvas, row, f" {name} {value_text(value)} ")


def _write(canvas: Canvas, row: int, text: str) -> None:
    """As far to the right as no curve is in its way."""
    for start in range(canvas.width - len(text) - 1, canvas.left, -1):
        if (canvas.inks[row, start : start + len(text)] < Ink.CURVES).all():
            canvas.text(row, start, text, Ink.LABEL)
            return


def _place(value: float, log: bool) -> float | None:
    if not log:
        return value
    return log10(value) if value > 0 else None
