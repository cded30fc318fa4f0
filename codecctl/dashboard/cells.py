"""The screen as cells with colors: what pictures of it are drawn from."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.cells import cell_len
from rich.color import Color
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import DEFAULT_TERMINAL_THEME, SVG_EXPORT_THEME, TerminalTheme
from textual.app import App

Rgb = tuple[int, int, int]
_DIM = 0.55
"""Share of its color that dim text keeps, the rest being the ground behind it."""


@dataclass(frozen=True)
class Cell:
    """A character in its colors."""

    text: str
    """One character; empty behind one that is two cells wide."""
    ink: Rgb
    ground: Rgb
    bold: bool = False
    italic: bool = False
    underline: bool = False


def screen_cells(app: App[Any]) -> list[list[Cell]]:
    """What one sees, screens behind a translucent one included: rows of cells.

    Textual draws screenshots the same way, as SVG that asks another host for a font.
    """
    width, height = app.size
    console = Console(
        width=width,
        height=height,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        legacy_windows=False,
    )
    update = app.screen._compositor.render_update(full=True, screen_stack=app._background_screens)
    assert update is not None, "a full update has something to draw"
    segments = Segment.filter_control(console.render(update))
    # The terminal's own colors are unknown; what Textual draws without a theme is meant for dark.
    theme = SVG_EXPORT_THEME if app.current_theme.dark else DEFAULT_TERMINAL_THEME
    lines = Segment.split_and_crop_lines(segments, width, include_new_lines=False)
    return [list(_row(line, theme)) for line in lines]


def _row(line: Sequence[Segment], theme: TerminalTheme) -> Iterator[Cell]:
    for text, style, _ in line:
        cell = _blank(style or Style.null(), theme)
        for character in text:
            yield Cell(character, *cell)
            if cell_len(character) == 2:
                yield Cell("", *cell)


def _blank(style: Style, theme: TerminalTheme) -> tuple[Rgb, Rgb, bool, bool, bool]:
    ink, ground = _rgb(style.color, theme, True), _rgb(style.bgcolor, theme, False)
    if style.reverse:
        ink, ground = ground, ink
    if style.dim:
        ink = mixed(ink, ground, _DIM)
    return ink, ground, bool(style.bold), bool(style.italic), bool(style.underline)


def _rgb(color: Color | None, theme: TerminalTheme, is_ink: bool) -> Rgb:
    if color is None:
        red, green, blue = theme.foreground_color if is_ink else theme.background_color
    else:
        red, green, blue = color.get_truecolor(theme, foreground=is_ink)
    return red, green, blue


def mixed(ink: Rgb, ground: Rgb, share: float) -> Rgb:
    """A color between two, by the share of the first."""
    red, green, blue = (
        round(share * a + (1 - share) * b) for a, b in zip(ink, ground, strict=True)
    )
    return red, green, blue
