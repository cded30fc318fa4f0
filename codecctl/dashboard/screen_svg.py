"""Cells as SVG that needs no other host: no font is loaded, shapes do not depend on one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby

from rich.cells import cell_len

from codecctl.dashboard.cells import Cell, Rgb
from codecctl.dashboard.glyphs import HEIGHT, Points, is_box, shape

WIDTH = 10
"""Pixels of a cell."""
_FONT = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"
_PIECE = re.compile(r"\S+(?: \S+)*")
_BASELINE = 1.5
_SIZE = 1.6


def screen_svg(rows: Sequence[Sequence[Cell]]) -> str:
    """A picture of cells; text stays text, each piece of it as wide as in a terminal."""
    width, height = len(rows[0]) * WIDTH, round(len(rows) * HEIGHT * WIDTH)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}">',
        f'<g font-family="{_FONT}" font-size="{_SIZE * WIDTH:g}">',
        *_grounds(rows),
        *_shapes(rows),
        *_texts(rows),
        "</g>",
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _grounds(rows: Sequence[Sequence[Cell]]) -> Iterator[str]:
    """A rectangle for each run of cells on one ground."""
    paths: dict[Rgb, list[str]] = {}
    for number, row in enumerate(rows):
        column, top = 0, _number(number * HEIGHT)
        for ground, cells in groupby(row, key=lambda cell: cell.ground):
            count = len(list(cells))
            box = f"M{column * WIDTH} {top}h{count * WIDTH}v{_number(HEIGHT)}h-{count * WIDTH}z"
            paths.setdefault(ground, []).append(box)
            column += count
    for ground, boxes in paths.items():
        # Sharp edges: neighbours would shine through between them.
        yield f'<path fill="{_color(ground)}" shape-rendering="crispEdges" d="{"".join(boxes)}"/>'


def _shapes(rows: Sequence[Sequence[Cell]]) -> Iterator[str]:
    paths: dict[tuple[Rgb, float], list[str]] = {}
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            found = shape(cell.text) if cell.text > "~" else None
            if found is None:
                continue
            path = paths.setdefault((cell.ink, found.opacity), [])
            for points in found.polygons:
                path.append(_outline(points, column, number * HEIGHT))
    for (ink, opacity), pieces in paths.items():
        faint = f' fill-opacity="{opacity:g}"' if opacity < 1 else ""
        yield f'<path fill="{_color(ink)}"{faint} d="{"".join(pieces)}"/>'


def _outline(points: Points, left: float, top: float) -> str:
    (x0, y0), *others = points
    first = f"M{_number(left + x0)} {_number(top + y0)}"
    if is_box(points):
        (x1, y1) = points[2]
        across, down = _number(x1 - x0), _number(y1 - y0)
        return f"{first}h{across}v{down}h-{across}z"
    rest = (f"L{_number(left + x)} {_number(top + y)}" for x, y in others)
    return f"{first}{''.join(rest)}z"


def _texts(rows: Sequence[Sequence[Cell]]) -> Iterator[str]:
    """Text in pieces of one style; pieces end at a shape."""
    for number, row in enumerate(rows):
        column = 0
        for style, group in groupby(row, key=_style):
            cells = list(group)
            if style is not None:
                text = "".join(cell.text for cell in cells)
                for piece in _PIECE.finditer(text):  # several blanks would count as one
                    yield _text(piece[0], column + piece.start(), number, cells[0])
            column += len(cells)


def _style(cell: Cell) -> tuple[Rgb, bool, bool, bool] | None:
    if cell.text > "~" and shape(cell.text) is not None:
        return None
    return cell.ink, cell.bold, cell.italic, cell.underline


def _text(text: str, column: int, row: int, cell: Cell) -> str:
    more = "".join(
        words
        for has, words in (
            (cell.bold, ' font-weight="bold"'),
            (cell.italic, ' font-style="italic"'),
            (cell.underline, ' text-decoration="underline"'),
        )
        if has
    )
    return (
        f'<text x="{column * WIDTH}" y="{_number(row * HEIGHT + _BASELINE)}" '
        f'textLength="{cell_len(text) * WIDTH}" '
        f'fill="{_color(cell.ink)}"{more}>{escape(text)}</text>'
    )


def _number(widths: float) -> str:
    return f"{widths * WIDTH:.1f}".removesuffix(".0")


def _color(color: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)
