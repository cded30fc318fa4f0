"""Curves as small SVG files, drawn without a library."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

Curve = Sequence[tuple[float, float]]
"""Points (x, y), x rising."""

_WIDTH, _HEIGHT = 640, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 150, 28, 40
_COLORS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#7f7f7f")


def write_chart(path: Path, curves: Mapping[str, Curve], *, title: str, x: str, y: str) -> None:
    """Draw curves over one axis, names at the right.

    Args:
        path: Of the SVG file.
        curves: By name, at least one point each; a name that ends in `*` is drawn dashed.
        title: Above.
        x: What the horizontal axis counts.
        y: What the vertical axis measures, with its unit.
    """
    points = [point for curve in curves.values() for point in curve]
    xs, ys = _ticks([point[0] for point in points]), _ticks([point[1] for point in points])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        'font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{_LEFT}" y="16" font-size="13">{escape(title)}</text>',
        f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 6}" text-anchor="end">{escape(x)}</text>',
        f'<text x="12" y="{_TOP + 60}" transform="rotate(-90 12 {_TOP + 60})" '
        f'text-anchor="middle">{escape(y)}</text>',
    ]
    parts += _grid(xs, ys)
    for number, (name, curve) in enumerate(curves.items()):
        line = " ".join(f"{_across(px, xs):.1f},{_up(py, ys):.1f}" for px, py in curve)
        style = f'stroke="{_COLORS[number % len(_COLORS)]}"'
        style += ' stroke-dasharray="4 3"' if name.endswith("*") else ""
        height, edge = _TOP + 8 + 16 * number, _WIDTH - _RIGHT + 8
        parts += [
            f'<polyline points="{line}" fill="none" {style} stroke-width="1.5"/>',
            f'<line x1="{edge}" y1="{height}" x2="{edge + 18}" y2="{height}" {style} '
            'stroke-width="2"/>',
            f'<text x="{edge + 23}" y="{height + 4}">{escape(name.removesuffix("*"))}</text>',
        ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*parts, "</svg>"]) + "\n", encoding="utf-8")


def _grid(xs: Sequence[float], ys: Sequence[float]) -> list[str]:
    """Lines and numbers of both axes."""
    right, low = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    parts = []
    for tick in xs:
        place = f"{_across(tick, xs):.1f}"
        parts += [
            f'<line x1="{place}" y1="{_TOP}" x2="{place}" y2="{low}" stroke="#eee"/>',
            f'<text x="{place}" y="{low + 14}" text-anchor="middle">{tick:g}</text>',
        ]
    for tick in ys:
        place = f"{_up(tick, ys):.1f}"
        parts += [
            f'<line x1="{_LEFT}" y1="{place}" x2="{right}" y2="{place}" stroke="#eee"/>',
            f'<text x="{_LEFT - 5}" y="{place}" dy="4" text-anchor="end">{tick:g}</text>',
        ]
    return parts


def _ticks(values: Sequence[float]) -> list[float]:
    """Four to eight round numbers that enclose all values."""
    low, high = min(values), max(values)
    span = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(span / 4))
    step = next(power * nice for nice in (1, 2, 5, 10) if span / (power * nice) <= 6)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(number * step, 10) for number in range(first, max(last, first + 1) + 1)]


def _across(value: float, ticks: Sequence[float]) -> float:
    share = (value - ticks[0]) / (ticks[-1] - ticks[0])
    return _LEFT + share * (_WIDTH - _RIGHT - _LEFT)


def _up(value: float, ticks: Sequence[float]) -> float:
    share = (value - ticks[0]) / (ticks[-1] - ticks[0])
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - _TOP)
