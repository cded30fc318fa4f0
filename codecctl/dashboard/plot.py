"""One chart: title with values, axis with 1-2-5 marks, curves of several runs."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from codecctl.dashboard.axis import (
    Array,
    XAxis,
    full_range,
    inner_range,
    logarithm,
    steady,
    x_range,
    x_unit,
)
from codecctl.dashboard.canvas import Canvas, Ink, curve_ink, raw_ink
from codecctl.dashboard.chart_axes import Area, empty_chart
from codecctl.dashboard.levels import Level, draw_levels, with_levels
from codecctl.dashboard.raster import BRAILLE, Window, braille, curve_dots
from codecctl.dashboard.slices import finished
from codecctl.dashboard.ticks import clock_text, telling_digits
from codecctl.dashboard.wording import shorter_name, value_text

NOT_FINITE = "×"
HAND_OVER = "┊"
_MIN_WIDTH, _MIN_HEIGHT = 12, 4


@dataclass(frozen=True)
class Curve:
    """One run's values of the metric of a chart."""

    x: Array
    """(N,) rising."""
    values: Array
    """(N,) as logged."""
    smoothed: Array | None
    """(N,) to draw in front, the values behind it; None to draw the values alone."""
    color: int
    letter: str = ""
    """Names the run where there are several."""
    marks: tuple[tuple[float, str], ...] = ()
    """Where a stage of its training begins, and the name of the stage."""
    levels: tuple[Level, ...] = ()
    """What its values are read against."""

    @property
    def front(self) -> Array:
        """What is read off the chart, (N,)."""
        return self.values if self.smoothed is None else self.smoothed


@dataclass(frozen=True)
class View:
    """How charts are looked at; all charts of a page share one."""

    axis: XAxis = XAxis.STEP
    smoothing: float = 0.0
    window: tuple[float, float] | None = None
    """Range of x that is shown, None for all."""
    extent: tuple[float, float] | None = None
    """What "all" is: first and last x over all charts of a page, so that their axes agree."""
    cursor: float | None = None
    """x of the crosshair."""
    without_outliers: bool = False
    with_raw: bool = True
    """Draw raw values behind averages; without colors nobody could tell them apart."""


def draw(
    title: str, curves: Sequence[Curve], *, view: View, width: int, height: int, log: bool = False
) -> Canvas:
    """Draw a chart of `width` x `height` cells."""
    return finished(drawing(title, curves, view=view, width=width, height=height, log=log))


def drawing(
    title: str, curves: Sequence[Curve], *, view: View, width: int, height: int, log: bool = False
) -> Generator[None, None, Canvas]:
    """The same in steps, about one for each curve."""
    canvas = Canvas(width, height)
    window = visible_window(curves, view, log=log)
    if window is None or width < _MIN_WIDTH or height < _MIN_HEIGHT:
        canvas.text(0, 0, title, Ink.TITLE)
        if height > 1:
            canvas.text(height // 2, 2, "no values yet" if window is None else "…", Ink.LABEL)
        return canvas
    canvas = empty_chart(width, height, window, view.axis, log).copy()
    area = Area(canvas.left, width - canvas.left, height - 2, window)
    yield
    yield from _draw_curves(canvas, area, curves, log=log, with_raw=view.with_raw)
    _draw_marks(canvas, area, curves)
    y_range = (window.y_low, window.y_high)
    draw_levels(canvas, _levels(curves), log=log, rows=area.height, y_range=y_range)
    _draw_alerts(canvas, area, curves)
    if view.cursor is not None:
        _draw_cursor(canvas, area, view.cursor)
    digits = telling_digits(window.y_low, window.y_high, log=log)
    _draw_title(canvas, title + (" log" if log else ""), curves, view=view, digits=digits)
    return canvas


def visible_window(curves: Sequence[Curve], view: View, *, log: bool) -> Window | None:
    """The ranges of both axes: all finite values within the shown part of x."""
    x_ends = view.window or view.extent or x_range([curve.x for curve in curves], view.axis)
    if x_ends is None:
        return None
    if view.window is None:
        x_ends = steady(*x_ends)
    shown = []
    for curve in curves:
        inside = (curve.x >= x_ends[0]) & (curve.x <= x_ends[1])
        shown.append(curve.values[inside])
    if log:
        shown = [logarithm(values) for values in shown]
    y_range = (inner_range if view.without_outliers else full_range)(shown)
    if y_range is None:  # nothing finite here: the axis stays, so that the alerts have a place
        if not any(values.size for values in shown):
            return None
        y_range = (0.0, 1.0)
    return Window(*x_ends, *with_levels(y_range, _levels(curves), log=log))


def _levels(curves: Sequence[Curve]) -> list[Level]:
    return [level for curve in curves for level in curve.levels]


def nearest(curve: Curve, x: float) -> int | None:
    """Index of the point closest to `x`; None before the first and after the last one."""
    if not curve.x.size or not curve.x[0] <= x <= curve.x[-1]:
        return None
    right = int(np.searchsorted(curve.x, x).clip(0, curve.x.size - 1))
    left = max(0, right - 1)
    return left if abs(curve.x[left] - x) <= abs(curve.x[right] - x) else right


def _draw_curves(
    canvas: Canvas, area: Area, curves: Sequence[Curve], *, log: bool, with_raw: bool
) -> Iterator[None]:
    """Raw values of all runs first, so that no run hides another one's average."""
    averaged = [curve for curve in curves if curve.smoothed is not None and with_raw]
    layers = [(c.x, c.values, raw_ink(c.color)) for c in averaged]
    layers += [(c.x, c.front, curve_ink(c.color)) for c in curves]
    for x, values, ink in layers:
        y = logarithm(values) if log else values
        dots = curve_dots(x, y, window=area.window, width=area.width, height=area.height)
        codes = braille(dots)
        canvas.stamp(1, area.left, codes, mask=codes != BRAILLE, ink=ink)
        yield


def _draw_alerts(canvas: Canvas, area: Area, curves: Sequence[Curve]) -> None:
    """A mark at the top of each column that holds a value that is not finite."""
    window = area.window
    for curve in curves:
        bad = curve.x[~np.isfinite(curve.values)]
        if not bad.size:
            continue
        share = (bad - window.x_low) / (window.x_high - window.x_low)
        share = share[(share >= 0) & (share <= 1)]
        columns = np.unique(np.floor(share * area.width).clip(max=area.width - 1).astype(np.intp))
        for column in columns.tolist():
            canvas.text(1, area.left + column, NOT_FINITE, Ink.ALERT)


def _draw_marks(canvas: Canvas, area: Area, curves: Sequence[Curve]) -> None:
    """An upright line where a stage begins, its name beside it, behind the curves."""
    window = area.window
    for x, name in dict.fromkeys(mark for curve in curves for mark in curve.marks):
        share = (x - window.x_low) / (window.x_high - window.x_low)
        if not 0 <= share <= 1:
            continue
        column = area.left + min(area.width - 1, int(share * area.width))
        for row in range(1, 1 + area.height):
            if canvas.inks[row, column] < Ink.CURVES:
                canvas.text(row, column, HAND_OVER, Ink.LABEL)
        start = column + 1 if column + 1 + len(name) <= canvas.width else column - len(name)
        places = slice(max(area.left, start), start + len(name))
        rows = [row for row in (1, area.height) if (canvas.inks[row, places] < Ink.CURVES).all()]
        if rows and start >= area.left:
            canvas.text(rows[0], start, name, Ink.LABEL)


def _draw_cursor(canvas: Canvas, area: Area, cursor: float) -> None:
    window = area.window
    share = (cursor - window.x_low) / (window.x_high - window.x_low)
    if not 0 <= share <= 1:
        return
    column = area.left + min(area.width - 1, int(share * area.width))
    for row in range(1, 1 + area.height):
        if canvas.inks[row, column] < Ink.CURVES:
            canvas.text(row, column, "│", Ink.CURSOR)


def _draw_title(
    canvas: Canvas, title: str, curves: Sequence[Curve], *, view: View, digits: int
) -> None:
    """The name on the left; on the right each run's value at the crosshair, or its last."""
    pieces: list[tuple[str, int]] = []
    for fewer in (digits, 4, 3, 2):
        pieces = [_readout(curve, view, fewer) for curve in curves]
        room = canvas.width - sum(len(text) + 1 for text, _ in pieces)
        if len(title) <= room:
            break
    else:
        title = shorter_name(title, room)
    canvas.text(0, 0, title, Ink.TITLE)
    column = canvas.width
    for text, ink in reversed(pieces):
        start = column - len(text)
        if start <= len(title):
            return
        canvas.text(0, start, text, ink)
        column = start - 1
    if view.cursor is not None:
        unit = x_unit(view.axis, view.cursor)
        where = f"@{value_text(view.cursor / unit.size)}"
        if view.axis is XAxis.STEP:
            where = f"@{view.cursor:.0f}"
        if view.axis is XAxis.CLOCK:
            where = f"@{clock_text(view.cursor, 1)}"
        if column - len(where) > len(title):
            canvas.text(0, column - len(where), where, Ink.LABEL)


def _readout(curve: Curve, view: View, digits: int) -> tuple[str, int]:
    index = curve.values.size - 1 if view.cursor is None else nearest(curve, view.cursor)
    if index is None or index < 0:
        return f"{curve.letter} -".strip(), curve_ink(curve.color)
    last = float(curve.values[index])
    shown = float(curve.front[index])
    text = value_text(shown if np.isfinite(shown) else last, digits=digits)
    ink = curve_ink(curve.color) if np.isfinite(last) else int(Ink.ALERT)
    return (f"{curve.letter} {text}" if curve.letter else text), ink
