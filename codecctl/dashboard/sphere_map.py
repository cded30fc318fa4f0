"""A map of the sphere in half-blocks, with the direction that one listens into."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip

from codecctl.dashboard.halfblock import Levels, color_rows, quantize, shade_rows
from codecctl.dashboard.picture import Drawing, text_strip
from codecctl.dashboard.space import Array, Direction
from codecctl.datasets.directions import strongest

LEAST_RANGE_DB, MOST_RANGE_DB = 6.0, 30.0
"""Of the colors, below the loudest direction of either map."""
_CROSS = "╋"
_PLACES = ("back", "left", "front", "right", "back")


class SphereMap(Drawing):
    """Energy by direction; front in the middle, left on the left, up above.

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
        self._levels: Array | None = None
        self._top_db = 0.0
        self._range_db = LEAST_RANGE_DB
        self._aim: Direction = (0.0, 0.0)

    def show(self, levels: Array | None, *, top_db: float, range_db: float, aim: Direction) -> None:
        """Exchange the map.

        Args:
            levels: dB, (rows, columns); None for nothing.
            top_db: Level of the brightest color.
            range_db: From the darkest to the brightest.
            aim: Where the cross stands.
        """
        self._levels, self._aim = levels, aim
        self._top_db, self._range_db = top_db, range_db
        self.redraw()

    def draw(self, width: int, height: int) -> list[Strip]:
        """Caption, map and axis."""
        levels = self._levels
        if levels is None:
            return [text_strip(self._title, width)]
        azimuth, elevation = strongest(levels)
        place = f"{azimuth:.0f}°, {elevation:.0f}° {levels.max():.1f} dB"
        caption = f"{self._title} · loudest {place}"
        if len(caption) >= width:  # another map begins there
            caption = f"{self._title} · {place}"
        steps = quantize(levels, low=self._top_db - self._range_db, high=self._top_db)
        lines = [text_strip(caption, width, Style(bold=True))]
        lines += [
            Strip(line).adjust_cell_length(width)
            for line in self._crossed(_lines(steps, self.mono))
        ]
        axis = _axis(levels.shape[1])
        return [*lines, text_strip(axis, width, Style(dim=True))][:height]

    def _crossed(self, lines: list[list[Segment]]) -> list[list[Segment]]:
        """The cross where the beam looks."""
        assert self._levels is not None
        row, column = place_of(self._aim, self._levels.shape)
        cells = Strip(lines[row // 2]).divide([column, column + 1, self._levels.shape[1]])
        style = Style(bold=True) if self.mono else Style(color="#ffffff", bgcolor="#d04030")
        return [
            *lines[: row // 2],
            [*cells[0], Segment(_CROSS, style), *cells[2]],
            *lines[row // 2 + 1 :],
        ]

    def on_click(self, event: events.Click) -> None:
        """Aim at what was clicked."""
        if self._levels is None:
            return
        rows, columns = self._levels.shape
        if 0 < event.y <= rows // 2 and event.x < columns:
            azimuth = 180 - (event.x + 0.5) * 360 / columns
            elevation = 90 - (2 * (event.y - 1) + 1) * 180 / rows
            self.post_message(self.Aimed((round(azimuth, 1), round(elevation, 1))))


def place_of(direction: Direction, shape: tuple[int, ...]) -> tuple[int, int]:
    """Row and column of a map of (rows, columns) that a direction falls into."""
    rows, columns = shape
    column = int((180 - direction[0]) / 360 * columns) % columns
    return min(rows - 1, int((90 - direction[1]) / 180 * rows)), column


def _lines(levels: Levels, mono: bool) -> list[list[Segment]]:
    draw: Callable[[Levels], list[list[Segment]]] = color_rows
    if mono:
        return [[Segment(line)] for line in shade_rows(levels)]
    return draw(levels)


def _axis(columns: int) -> str:
    characters = [" "] * columns
    for word, share in zip(_PLACES, np.linspace(0, 1, len(_PLACES)).tolist(), strict=True):
        start = min(columns - len(word), max(0, round(share * columns - len(word) / 2)))
        if all(character == " " for character in characters[start : start + len(word)]):
            characters[start : start + len(word)] = word
    return "".join(characters[:columns])
