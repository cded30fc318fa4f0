"""Pictures in half-blocks: two pixels a character, or shades where there are no colors."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from rich.segment import Segment
from rich.style import Style

Array = npt.NDArray[np.float64]
Levels = npt.NDArray[np.intp]

NUM_LEVELS = 24
_UPPER = "▀"
_SHADES = " ░▒▓█"
# Corners of the map: perceptually rising lightness, readable with any color vision (as cividis).
_CORNERS = ((0, 20, 48), (48, 62, 108), (110, 110, 116), (168, 156, 110), (250, 230, 90))


def quantize(picture: Array, *, low: float, high: float) -> Levels:
    """Pixels as levels 0 .. NUM_LEVELS - 1 of the color map, `low` and below as 0."""
    share = np.clip((picture - low) / (high - low), 0.0, 1.0)
    levels: Levels = np.rint(share * (NUM_LEVELS - 1)).astype(np.intp)
    return levels


def color_rows(levels: Levels) -> list[list[Segment]]:
    """Lines of half-blocks: (2 H, W) levels -> H lines, the upper pixel as foreground."""
    return [_line(levels[row], levels[row + 1]) for row in range(0, levels.shape[0] - 1, 2)]


def shade_rows(levels: Levels) -> list[str]:
    """Lines of shading without color: (2 H, W) levels -> H lines, the louder pixel of two."""
    height = levels.shape[0] // 2
    louder = levels[: 2 * height].reshape(height, 2, -1).max(axis=1)
    index = np.ceil(louder * (len(_SHADES) - 1) / (NUM_LEVELS - 1)).astype(np.intp)
    return ["".join(_SHADES[i] for i in row) for row in index.tolist()]


def waveform_rows(low: Array, high: Array, *, height: int, full_scale: float) -> list[str]:
    """Lines that fill each column from its lowest to its highest sample.

    Args:
        low: (W,) lowest sample of each column.
        high: (W,) highest.
        height: Lines, two pixels each.
        full_scale: The sample value at the upper edge.
    """
    pixels = 2 * height
    scale = (pixels - 1) / (2 * full_scale)
    top = np.rint((full_scale - high) * scale).clip(0, pixels - 1)
    bottom = np.rint((full_scale - low) * scale).clip(0, pixels - 1)
    row = np.arange(pixels)[:, None]
    lit = (row >= top) & (row <= bottom)
    upper, lower = lit[0::2], lit[1::2]
    marks = np.array([" ", "▀", "▄", "█"])
    return ["".join(line) for line in marks[upper + 2 * lower].tolist()]


def _line(upper: Levels, lower: Levels) -> list[Segment]:
    """Equal neighbors share a segment: a quiet spectrogram is a handful of them."""
    pair = upper * NUM_LEVELS + lower
    edges = [0, *(np.flatnonzero(np.diff(pair)) + 1).tolist(), pair.size]
    return [
        Segment(_UPPER * (end - start), _style(*divmod(int(pair[start]), NUM_LEVELS)))
        for start, end in pairwise(edges)
        if end > start
    ]


@cache
def _style(upper: int, lower: int) -> Style:
    return Style(color=_color(upper), bgcolor=_color(lower))


@cache
def _color(level: int) -> str:
    place = level / (NUM_LEVELS - 1) * (len(_CORNERS) - 1)
    first = min(int(place), len(_CORNERS) - 2)
    share = place - first
    mixed = (
        round(a + (b - a) * share)
        for a, b in zip(_CORNERS[first], _CORNERS[first + 1], strict=True)
    )
    return "#" + "".join(f"{channel:02x}" for channel in mixed)
