"""Colors of runs: told apart with any color vision, and the same for a name in every session."""

from __future__ import annotations

import string
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import count

from rich.style import Style

from codecctl.dashboard.canvas import Ink, curve_ink, raw_ink

# Okabe and Ito 2008 without vermilion, which is kept for alerts; the blue is lightened.
RUN_COLORS = ("#56b4e9", "#e69f00", "#2fbf8f", "#cc79a7", "#f0e442", "#6c8cff", "#c0c0c0")
_DIM_COLORS = ("#2b5a75", "#735000", "#186048", "#663d54", "#787222", "#36467f", "#606060")
_ANSI_COLORS = ("cyan", "yellow", "green", "magenta", "bright_white", "blue", "bright_cyan")

NUM_COLORS = len(RUN_COLORS)


class ColorBook:
    """Remembers which run has which color, so that no curve changes it while one looks."""

    def __init__(self) -> None:
        self._colors: dict[str, int] = {}

    def assign(self, names: Iterable[str]) -> None:
        """Give new names a color: by the hash of the name, or the next that is least used."""
        for name in sorted(set(names) - self._colors.keys()):
            used = [list(self._colors.values()).count(color) for color in range(NUM_COLORS)]
            preferred = zlib.crc32(name.encode()) % NUM_COLORS
            order = (number % NUM_COLORS for number in count(preferred))
            self._colors[name] = next(color for color in order if used[color] == min(used))

    def color(self, name: str) -> int:
        """The number of the color of a run."""
        self.assign([name])
        return self._colors[name]

    def letter(self, name: str) -> str:
        """A letter for a run, for terminals and eyes without color; they repeat after 52."""
        self.assign([name])
        index = list(self._colors).index(name)
        return string.ascii_letters.swapcase()[index % len(string.ascii_letters)]

    def style(self, name: str, *, ansi: bool, dark: bool) -> Style:
        """The style in which the letter of a run is written."""
        return inks(ansi=ansi, dark=dark).style(curve_ink(self.color(name))) + Style(bold=True)


@dataclass(frozen=True)
class Inks:
    """The style of every ink of a canvas, by its number."""

    styles: tuple[Style, ...]

    def style(self, ink: int) -> Style:
        """The style of one ink."""
        return self.styles[ink]


@cache
def inks(*, ansi: bool, dark: bool) -> Inks:
    """Styles for a terminal.

    Args:
        ansi: Only the sixteen colors of the terminal's own palette.
        dark: The background is dark; otherwise pale colors are exchanged for deep ones.
    """
    fixed = {
        Ink.BLANK: Style(),
        Ink.AXIS: Style(dim=True),
        Ink.TITLE: Style(bold=True),
        Ink.LABEL: Style(dim=True),
        Ink.GUIDE: Style(color="bright_black" if ansi else _gray(dark), dim=ansi),
        Ink.ALERT: Style(color="red" if ansi else "#ff5533", bold=True),
        Ink.CURSOR: Style(bold=True),
    }
    styles = [Style()] * (Ink.CURVES + 2 * NUM_COLORS)
    for ink, style in fixed.items():
        styles[ink] = style
    for color in range(NUM_COLORS):
        front, behind = _pair(color, ansi=ansi, dark=dark)
        styles[curve_ink(color)] = front
        styles[raw_ink(color)] = behind
    return Inks(tuple(styles))


def _pair(color: int, *, ansi: bool, dark: bool) -> tuple[Style, Style]:
    if ansi:
        style = Style(color=_ANSI_COLORS[color])
        return style + Style(bold=True), style + Style(dim=True)
    front, behind = RUN_COLORS[color], _DIM_COLORS[color]
    return (
        (Style(color=front), Style(color=behind))
        if dark
        else (
            Style(color=behind, bold=True),
            Style(color=front),
        )
    )


def _gray(dark: bool) -> str:
    return "#3a3a3a" if dark else "#c8c8c8"
