"""A map of the sphere in half-blocks, with the direction that one listens into."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from codecctl.dashboard.difference import (
    SPAN_DB,
    Levels,
    difference_levels,
    difference_marks,
    difference_rows,
)
from codecctl.dashboard.halfblock import color_rows, quantize, shade_rows
from codecctl.dashboard.picture import Drawing, text_strip
from codecctl.dashboard.space import Array, Direction, mean_over_sphere
from codecctl.datasets.directions import strongest

LEAST_RANGE_DB, MOST_RANGE_DB = 6.0, 30.0
"""Of the colors, below the loudest direction of either map."""
_SPANS_DB = (3.0, 6.0, 10.0, 15.0, SPAN_DB)
"""Of the colors of a difference, to either side."""
_CROSS = "╋"
_PLACES = ("back", "left", "front", "right", "back")


@dataclass(frozen=True)
class _Shown:
    """What stands on a map."""

    steps: Levels
    """(rows, columns)"""
    captions: tuple[str, ...]
    """The first that fits is written."""
    is_difference: bool = False

    def lines(self, mono: bool) -> list[list[Segment]]:
        """Two rows in each."""
        if mono:
            marks = difference_marks if self.is_difference else shade_rows
            return [[Segment(line)] for line in marks(self.steps)]
        return (difference_rows if self.is_difference else color_rows)(self.steps)


class SphereMap(Drawing):
    """Energy by direction, or the difference of two such maps.

    Front is in the middle, left on the left, up above.

    Args:
        title: What it is.
        id: Of the widget.
    """

    class Aimed(Message):
        """A place of the map was clicked."""

        def __init__(self, direction: Direction) -> None:
            super().__init__()
            self.direction = direction

    def __init__(self, title: str, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._title = title
        self._shown: _Shown | None = None
        self._aim: Direction = (0.0, 0.0)

    def show(self, levels: Array, *, top_db: float, range_db: float, aim: Direction) -> None:
        """Exchange the map.

        Args:
            levels: dB, (rows, columns).
            top_db: Level of the brightest color.
            range_db: From the darkest to the brightest.
            aim: Where the cross stands.
        """
        azimuth, elevation = strongest(levels)
        place = f"{azimuth:.0f}°, {elevation:.0f}° {levels.max():.1f} dB"
        steps = quantize(levels, low=top_db - range_db, high=top_db)
        captions = (f"{self._title} · loudest {place}", f"{self._title} · {place}")
        self._shown, self._aim = _Shown(steps, captions), aim
        self.redraw()

    def show_difference(self, difference: Array, *, shape: tuple[int, int], aim: Direction) -> None:
        """Exchange the map for a difference of two.

        Args:
            difference: dB, (rows, columns).
            shape: Rows and columns that are drawn.
            aim: Where the cross stands.
        """
        span = next((s for s in _SPANS_DB if np.abs(difference).max() <= s), SPAN_DB)
        mean = f"{self._title} · mean {mean_over_sphere(difference):+.1f} dB"
        less, more = ("-", "+") if self.mono else ("blue", "orange")
        colors = f"{less} lacks, {more} exceeds"
        captions = (f"{mean} · {colors}, ±{span:.0f} dB", f"{mean} · ±{span:.0f} dB", mean)
        places = np.ix_(*map(_spread, difference.shape, shape))
        steps = difference_levels(difference[places] * (SPAN_DB / span))
        self._shown, self._aim = _Shown(steps, captions, is_difference=True), aim
        self.redraw()

    def draw(self, width: int, height: int) -> list[Strip]:
        """Caption, map and axis."""
        shown = self._shown
        if shown is None:
            return [text_strip(self._title, width)]
        # Shorter than the width: another map begins there.
        caption = next((c for c in shown.captions if len(c) < width), shown.captions[-1])
        lines = [text_strip(caption, width, Style(bold=True))]
        lines += [
            Strip(line).adjust_cell_length(width)
            for line in self._crossed(shown.lines(self.mono), shown.steps.shape)
        ]
        axis = map_axis(shown.steps.shape[1])
        return [*lines, text_strip(axis, width, Style(dim=True))][:height]

    def _crossed(self, lines: list[list[Segment]], shape: tuple[int, ...]) -> list[list[Segment]]:
        """The cross where the beam looks."""
        row, column = place_of(self._aim, shape)
        cells = Strip(lines[row // 2]).divide([column, column + 1, shape[1]])
        style = Style(bold=True) if self.mono else Style(color="#ffffff", bgcolor="#d04030")
        return [
            *lines[: row // 2],
            [*cells[0], Segment(_CROSS, style), *cells[2]],
            *lines[row // 2 + 1 :],
        ]

    def on_click(self, event: events.Click) -> None:
        """Aim at what was clicked."""
        if self._shown is None:
            return
        rows, columns = self._shown.steps.shape
        if 0 < event.y <= rows // 2 and event.x < columns:
            azimuth = 180 - (event.x + 0.5) * 360 / columns
            elevation = 90 - (2 * (event.y - 1) + 1) * 180 / rows
            self.post_message(self.Aimed((float(round(azimuth)), float(round(elevation)))))


def place_of(direction: Direction, shape: tuple[int, ...]) -> tuple[int, int]:
    """Row and column of a map of (rows, columns) that a direction falls into."""
    rows, columns = shape
    column = int((180 - direction[0]) / 360 * columns) % columns
    return min(rows - 1, int((90 - direction[1]) / 180 * rows)), column


def map_axis(columns: int) -> str:
    """Where one looks in the columns of a map; words that would touch are left out."""
    characters = [" "] * columns
    for word, share in zip(_PLACES, np.linspace(0, 1, len(_PLACES)).tolist(), strict=True):
        start = min(columns - len(word), max(0, round(share * columns - len(word) / 2)))
        around = characters[max(0, start - 1) : start + len(word) + 1]
        if all(character == " " for character in around):
            characters[start : start + len(word)] = word
    return "".join(characters[:columns])


def _spread(count: int, wanted: int) -> npt.NDArray[np.intp]:
    """Which of `count` rows or columns stand for `wanted` of them, (wanted,)."""
    return ((np.arange(wanted) + 0.5) * count / wanted).astype(np.intp)
