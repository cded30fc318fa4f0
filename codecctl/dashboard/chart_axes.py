"""The axes of a chart, which the next chart of the same metric mostly shares."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from codecctl.dashboard.axis import XAxis, x_unit
from codecctl.dashboard.canvas import Canvas, Ink
from codecctl.dashboard.raster import Window
from codecctl.dashboard.ticks import Tick, clock_ticks, linear_ticks, log_ticks


@dataclass(frozen=True)
class Area:
    """Where the curves go on the canvas, and what they are drawn against."""

    left: int
    width: int
    height: int
    window: Window


@lru_cache(maxsize=64)
def empty_chart(width: int, height: int, window: Window, axis: XAxis, log: bool) -> Canvas:
    """Both axes of a chart with their marks; to be copied, as the next chart may ask for it again.

    Args:
        width: Cells across.
        height: Cells down, title and the marks of x among them.
        window: The ranges of both axes.
        axis: What x counts.
        log: Whether y is a logarithm.
    """
    canvas = Canvas(width, height)
    ticks = _y_ticks(window, log=log, rows=height - 2)
    canvas.left = max((len(tick.label) for tick in ticks), default=0) + 1
    area = Area(canvas.left, width - canvas.left, height - 2, window)
    canvas.upright(1, area.left - 1, "│", Ink.AXIS, height=area.height)
    for tick in ticks:
        share = (window.y_high - tick.value) / (window.y_high - window.y_low)
        row = 1 + round(share * (area.height * 4 - 1)) // 4
        canvas.text(row, area.left - 1 - len(tick.label), tick.label, Ink.LABEL)
        canvas.text(row, area.left - 1, "┤", Ink.AXIS)
        canvas.text(row, area.left, "┈" * area.width, Ink.GUIDE)
    _draw_x_labels(canvas, area, axis)
    return canvas


def _y_ticks(window: Window, *, log: bool, rows: int) -> list[Tick]:
    count = max(2, rows // 2)
    if log:
        return log_ticks(window.y_low, window.y_high, count=count)
    return linear_ticks(window.y_low, window.y_high, count=count, by_one=True)


def _draw_x_labels(canvas: Canvas, area: Area, axis: XAxis) -> None:
    window = area.window
    unit = x_unit(axis, window.x_high - window.x_low)
    low, high = window.x_low / unit.size, window.x_high / unit.size
    bottom = canvas.height - 1
    end = canvas.width - len(unit.name)
    canvas.text(bottom, end, unit.name, Ink.LABEL)
    free = area.left - 1
    for tick in _x_ticks(axis, low, high, count=max(2, area.width // 8)):
        column = area.left + int((tick.value - low) / (high - low) * (area.width - 1))
        start = max(area.left - 1, column - len(tick.label) // 2)
        if start >= free and start + len(tick.label) < end:
            canvas.text(bottom, start, tick.label, Ink.LABEL)
            free = start + len(tick.label) + 1


def _x_ticks(axis: XAxis, low: float, high: float, *, count: int) -> list[Tick]:
    if axis is XAxis.CLOCK:
        return clock_ticks(low, high, count=count)
    return linear_ticks(low, high, count=count, least=1.0 if axis is XAxis.STEP else 0.0)
