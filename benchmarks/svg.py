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
    for tick in xs:
        place = _across(tick, xs)
        parts.append(
            f'<line x1="{place:.1f}" y1="{_TOP}" x2="{place:.1f}" y2="{_HEIGHT - _BOTTOM}" '
            f'stroke="#eee"/><text x="{place:.1f}" y="{_HEIGHT - _BOTTOM + 14}" '
            f'text-anchor="middle">{tick:g}</text>'
        )
    for tick in ys:
        place = _up(tick, ys)
        parts.append(
            f'<line x1="{_LEFT}" y1="{place:.1f}" x2="{_WIDTH - _RIGHT}" y2="{place:.1f}" '
            f'stroke="#eee"/><text x="{_LEFT - 5}" y="{place + 4:.1f}" '
            f'text-anchor="end">{tick:g}</text>'
        )
    for number, (name, curve) in enumerate(curves.items()):
        color = _COLORS[number % len(_COLORS)]
        dashes = ' stroke-dasharray="4 3"' if name.endswith("*") else ""
        line = " ".join(f"{_across(px, xs):.1f},{_up(py, ys):.1f}" for px, py in curve)
        height = _TOP + 8 + 16 * number
        edge = _WIDTH - _RIGHT + 8
        parts.append(
            f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="1.5"{dashes}/>'
            f'<line x1="{edge}" y1="{height}" x2="{edge + 18}" y2="{height}" stroke="{color}" '
            f'stroke-width="2"{dashes}/>'
            f'<text x="{edge + 23}" y="{height + 4}">{escape(name.removesuffix("*"))}</text>'
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*parts, "</svg>"]) + "\n", encoding="utf-8")


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
