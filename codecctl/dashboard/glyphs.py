"""Shapes of the characters that pictures are made of: blocks, braille, frames and a few signs.

Fonts draw them with gaps or not at all; as shapes they meet exactly, as in a terminal. Coordinates
count widths of a cell: x from 0 to 1, y from 0, the top, to 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import cos, pi, sin

HEIGHT = 2.0
"""Of a cell, in its widths."""
_THIN, _THICK = 0.12, 0.26
_DOT = 0.32
Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Shape:
    """What is filled in a cell."""

    polygons: tuple[Points, ...]
    opacity: float = 1.0


_ARM_WORDS = (
    "─1100 │0011 ┌0101 ┐1001 └0110 ┘1010 ├0111 ┤1011 ┬1101 ┴1110 ┼1111 ╭0101 ╮1001 ╰0110 ╯1010",
    "━2200 ┃0022 ┏0202 ┓2002 ┗0220 ┛2020 ╋2222 ╴1000 ╵0010 ╶0100 ╷0001 ╸2000 ╹0020 ╺0200 ╻0002",
)
_ARMS = {word[0]: word[1:] for words in _ARM_WORDS for word in words.split()}
"""Weights of the arms to the left, right, top and bottom."""
_DASHES = {"┈": (4, 1, False), "┊": (4, 1, True), "╌": (2, 1, False), "╎": (2, 1, True)} | {
    "╍": (2, 2, False),
    "╏": (2, 2, True),
}
"""Number of dashes, weight, whether upright."""
_QUARTERS = dict(zip("▖▗▘▙▚▛▜▝▞▟", (4, 8, 1, 13, 9, 7, 11, 2, 6, 14), strict=True))
"""Bits: upper left, upper right, lower left, lower right."""
_SHADES = {"░": 0.25, "▒": 0.5, "▓": 0.75}
_BRAILLE = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))


@lru_cache(maxsize=1024)
def shape(character: str) -> Shape | None:
    """The shape of a character; None where a font has to draw it."""
    if character in _SHADES:
        return Shape((_box(0, 0, 1, HEIGHT),), _SHADES[character])
    polygons = tuple(_polygons(character))
    return Shape(polygons) if polygons else None


def is_box(points: Points) -> bool:
    """Whether a polygon is a rectangle, from its upper left corner on."""
    if len(points) != 4:
        return False
    (left, top), _, (right, bottom), _ = points
    return left < right and top < bottom and points == _box(left, top, right, bottom)


def _polygons(character: str) -> Iterator[Points]:
    code = ord(character)
    if 0x2800 <= code < 0x2900:
        for bit, (column, row) in enumerate(_BRAILLE):
            if code >> bit & 1:
                x, y = 0.25 + 0.5 * column - _DOT / 2, 0.25 + 0.5 * row - _DOT / 2
                yield _box(x, y, x + _DOT, y + _DOT)
    elif 0x2580 <= code < 0x2596:
        yield from _blocks(code)
    elif character in _QUARTERS:
        for place in range(4):
            if _QUARTERS[character] >> place & 1:
                x, y = place % 2 / 2, float(place // 2)
                yield _box(x, y, x + 0.5, y + 1)
    elif character in _ARMS:
        yield from _frame(*(int(weight) for weight in _ARMS[character]))
    elif character in _DASHES:
        yield from _dashes(*_DASHES[character])
    else:
        yield from _SIGNS.get(character, ())


def _blocks(code: int) -> Iterator[Points]:
    """Half, eighths from below, eighths from the left, right half, an eighth above and right."""
    if code == 0x2580:
        yield _box(0, 0, 1, HEIGHT / 2)
    elif code <= 0x2588:
        yield _box(0, HEIGHT * (1 - (code - 0x2580) / 8), 1, HEIGHT)
    elif code <= 0x258F:
        yield _box(0, 0, (0x2590 - code) / 8, HEIGHT)
    elif code == 0x2590:
        yield _box(0.5, 0, 1, HEIGHT)
    elif code == 0x2594:
        yield _box(0, 0, 1, HEIGHT / 8)
    elif code == 0x2595:
        yield _box(7 / 8, 0, 1, HEIGHT)


def _frame(left: int, right: int, top: int, bottom: int) -> Iterator[Points]:
    half = max(_half(weight) for weight in (left, right, top, bottom))
    middle = HEIGHT / 2
    if left:
        yield _box(0, middle - _half(left), 0.5 + half, middle + _half(left))
    if right:
        yield _box(0.5 - half, middle - _half(right), 1, middle + _half(right))
    if top:
        yield _box(0.5 - _half(top), 0, 0.5 + _half(top), middle + half)
    if bottom:
        yield _box(0.5 - _half(bottom), middle - half, 0.5 + _half(bottom), HEIGHT)


def _dashes(count: int, weight: int, upright: bool) -> Iterator[Points]:
    length = HEIGHT if upright else 1.0
    for place in range(count):
        start = (place + 0.2) * length / count
        end = (place + 0.8) * length / count
        if upright:
            yield _box(0.5 - _half(weight), start, 0.5 + _half(weight), end)
        else:
            yield _box(start, HEIGHT / 2 - _half(weight), end, HEIGHT / 2 + _half(weight))


def _half(weight: int) -> float:
    return (0.0, _THIN, _THICK)[weight] / 2


def _box(left: float, top: float, right: float, bottom: float) -> Points:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def _stroke(x0: float, y0: float, x1: float, y1: float) -> Points:
    """A thin line from one point to another."""
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    across, along = (
        (x1 - x0) / length * _THIN * 0.6,
        (y1 - y0) / length * _THIN * 0.6,
    )
    return (
        (x0 + along, y0 - across),
        (x1 + along, y1 - across),
        (x1 - along, y1 + across),
        (x0 - along, y0 + across),
    )


def _circle(radius: float) -> Points:
    turns = [2 * pi * place / 16 for place in range(16)]
    return tuple((0.5 + radius * cos(turn), 1 + radius * sin(turn)) for turn in turns)


def _on_ring(place: int) -> tuple[float, float]:
    turn = 2 * pi * place / 12
    return 0.5 + 0.32 * cos(turn), 0.95 + 0.32 * sin(turn)


_SIGNS: dict[str, tuple[Points, ...]] = {
    "●": (_circle(0.36),),
    "■": (_box(0.12, 0.62, 0.88, 1.38),),
    "▶": (((0.1, 0.6), (0.95, 1.0), (0.1, 1.4)),),
    "✓": (_stroke(0.08, 1.05, 0.35, 1.4), _stroke(0.35, 1.4, 0.92, 0.6)),
    "✗": (_stroke(0.12, 0.62, 0.88, 1.4), _stroke(0.88, 0.62, 0.12, 1.4)),
    "×": (_stroke(0.18, 0.78, 0.82, 1.42), _stroke(0.82, 0.78, 0.18, 1.42)),
    "→": (_stroke(0.05, 1, 0.9, 1), _stroke(0.6, 0.7, 0.95, 1), _stroke(0.6, 1.3, 0.95, 1)),
    "←": (_stroke(0.95, 1, 0.1, 1), _stroke(0.4, 0.7, 0.05, 1), _stroke(0.4, 1.3, 0.05, 1)),
    "↑": (_stroke(0.5, 1.5, 0.5, 0.5), _stroke(0.2, 0.8, 0.5, 0.5), _stroke(0.8, 0.8, 0.5, 0.5)),
    "↓": (_stroke(0.5, 0.5, 0.5, 1.5), _stroke(0.2, 1.2, 0.5, 1.5), _stroke(0.8, 1.2, 0.5, 1.5)),
    "⏎": (
        *(_stroke(0.9, 0.6, 0.9, 1.2), _stroke(0.95, 1.2, 0.15, 1.2)),
        *(_stroke(0.4, 0.95, 0.1, 1.2), _stroke(0.4, 1.45, 0.1, 1.2)),
    ),
    "🔎": (
        *(_stroke(*_on_ring(place), *_on_ring(place + 1)) for place in range(12)),
        _stroke(0.72, 1.25, 1.0, 1.65),
    ),
    "◌": tuple(
        _box(
            0.47 + 0.33 * cos(turn),
            0.97 + 0.33 * sin(turn),
            0.55 + 0.33 * cos(turn),
            1.05 + 0.33 * sin(turn),
        )
        for turn in (2 * pi * place / 10 for place in range(10))
    ),
}
