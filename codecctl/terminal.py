"""Tables, bars and pictures on stdout: in color on a terminal that has colors, plain elsewhere."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

BARS = "▁▂▃▄▅▆▇"
"""Without the full block, so that bars of lines below each other do not touch."""
_GLYPHS = BARS + "█▀▌░▒▓" + "│┤┈─╵┼└·×–…±°"
_LETTERS = "_..-=+*#" + '"|.:*' + "||.-'++.x-.~o"
_BRAILLE = range(0x2801, 0x2900)


@dataclass(frozen=True)
class Screen:
    """What stdout can show."""

    width: int
    height: int
    colors: bool
    """Enough of them for pictures, and the user did not refuse them (NO_COLOR)."""
    styles: bool
    """Bold and dim."""


def screen(width: int = 0) -> Screen:
    """The terminal behind stdout; 80 by 24 without colors where there is none.

    Args:
        width: Wanted by the user; 0 for that of the terminal.
    """
    size = shutil.get_terminal_size()
    console = _console()
    colors = console.color_system in ("256", "truecolor") and not console.no_color
    styles = console.is_terminal and not console.no_color
    return Screen(width or size.columns, size.lines, colors, styles)


def write(lines: Iterable[Text | str]) -> None:
    """Print lines to stdout as they are, without wrapping; styles only where they are shown."""
    console = _console()
    styled = console.is_terminal and not console.no_color
    for line in lines:
        if styled and not isinstance(line, str):
            console.print(line, soft_wrap=True, end="\n")
        else:
            sys.stdout.write(_encodable(str(line).rstrip()) + "\n")
    sys.stdout.flush()


def table_lines(rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> list[str]:
    """Rows with their columns aligned, the first row being the head.

    Args:
        rows: All of one length.
        right: Columns that are aligned to the right, such as numbers.
    """
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def shortened(words: Sequence[str], most: int = 60) -> str:
    """Words with commas up to a width, and how many more there are."""
    shown = list(words)
    while len(", ".join(shown)) > most and len(shown) > 1:
        shown.pop()
    more = len(words) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def count_text(number: int, word: str) -> str:
    """A number of things: `1 scene`, `2 scenes`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def duration_text(seconds: float) -> str:
    """Three digits in the largest unit of which there are two: `90 s`, `15 min`, `10.7 h`."""
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.3g} min" if seconds < 7200 else f"{seconds / 3600:.3g} h"


def _console() -> Console:
    from rich.console import Console

    return Console(file=sys.stdout, highlight=False)


def _encodable(line: str) -> str:
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        line.encode(encoding)
    except UnicodeEncodeError:
        letters = dict(zip(map(ord, _GLYPHS), _LETTERS, strict=True))
        letters |= dict.fromkeys(_BRAILLE, "*") | {_BRAILLE.start - 1: " "}
        return line.translate(letters).encode(encoding, "replace").decode(encoding)
    return line
