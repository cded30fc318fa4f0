"""Curves as braille: 2 x 4 dots a character, the extent of the curve in every dot column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Dots = npt.NDArray[np.bool_]

# Bit of each dot of a braille cell by row and column (Unicode chart U+2800).
_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
BRAILLE = 0x2800


@dataclass(frozen=True)
class Window:
    """The part of the plane that is drawn; y may already be logarithmic."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float


def curve_dots(x: Array, y: Array, *, window: Window, width: int, height: int) -> Dots:
    """The dots of a curve.

    Each dot column is filled from the lowest to the highest value that the curve takes within
    it, so that no spike between two dots is lost however many points there are. Points next to
    each other are joined; where a value is not finite there is a gap.

    Args:
        x: (N,) finite and rising.
        y: (N,) NaN or infinite where there is nothing to draw.
        window: What to show.
        width: Cells across, two dots each.
        height: Cells down, four dots each.

    Returns:
        (4 * height, 2 * width), top row first.
    """
    columns, rows = 2 * width, 4 * height
    low = np.full(columns, np.inf)
    high = np.full(columns, -np.inf)
    finite = np.isfinite(y)
    span = window.x_high - window.x_low
    first = int(np.searchsorted(x, window.x_low))
    inside = slice(first, int(np.searchsorted(x, window.x_high, side="right")))
    kept = finite[inside]
    index = ((x[inside] - window.x_low) * (columns / span)).astype(np.intp).clip(max=columns - 1)
    values = y[inside]
    if not kept.all():
        index, values = index[kept], values[kept]
    if index.size:  # x rises: the points of a dot column stand side by side
        starts = np.concatenate([[0], np.flatnonzero(np.diff(index)) + 1])
        low[index[starts]] = np.minimum.reduceat(values, starts)
        high[index[starts]] = np.maximum.reduceat(values, starts)
    _join(x, y, finite, low, high, edges=window.x_low + span * np.arange(columns + 1) / columns)
    return _fill(low, high, window, rows)


def _join(x: Array, y: Array, finite: Dots, low: Array, high: Array, *, edges: Array) -> None:
    """Extend the columns by the values at their edges, where a line crosses them."""
    if x.size < 2:
        return
    right = np.searchsorted(x, edges, side="right").clip(1, x.size - 1)
    left = right - 1
    crossed = finite[left] & finite[right] & (x[left] <= edges) & (edges <= x[right])
    run = np.where(x[right] > x[left], x[right] - x[left], 1.0)
    with np.errstate(invalid="ignore"):  # NaN beside a gap; not used
        value = y[left] + (y[right] - y[left]) * (edges - x[left]) / run
    down, up = np.where(crossed, value, np.inf), np.where(crossed, value, -np.inf)
    for part in (slice(None, -1), slice(1, None)):
        np.minimum(low, down[part], out=low)
        np.maximum(high, up[part], out=high)


def _fill(low: Array, high: Array, window: Window, rows: int) -> Dots:
    scale = (rows - 1) / (window.y_high - window.y_low)
    hit = low <= high
    # The small shift keeps a constant and its average, apart by a rounding, in one row.
    top = np.floor((window.y_high - np.where(hit, high, 0.0)) * scale + 0.5001)
    bottom = np.floor((window.y_high - np.where(hit, low, 0.0)) * scale + 0.5001)
    top, bottom = np.where(hit, top, rows), np.where(hit, bottom, -1)
    row = np.arange(rows)[:, None]
    dots: Dots = (row >= top) & (row <= bottom)
    return dots


def braille(dots: Dots) -> npt.NDArray[np.uint32]:
    """Characters of dots: (4 H, 2 W) -> (H, W) code points, `BRAILLE` where a cell is empty."""
    lit = dots.view(np.uint8)
    codes = np.full((dots.shape[0] // 4, dots.shape[1] // 2), BRAILLE, dtype=np.uint32)
    for row, bits in enumerate(_BITS):
        for column, bit in enumerate(bits):
            codes += lit[row::4, column::2] * np.uint32(bit)
    return codes
