"""Results of benchmarks as tables of a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.training.svg import Curve

Result = Mapping[str, Any]
"""What a benchmark has kept."""


@dataclass(frozen=True)
class Chart:
    """Curves over updates."""

    title: str
    unit: str
    curves: Mapping[str, Curve]


def head(*columns: str) -> list[str]:
    """The first two lines of a table."""
    return [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns)]


def line(*cells: str) -> str:
    """A line of a table."""
    return f"| {' | '.join(cells)} |"


def dashed(part: str) -> str:
    """The name of a curve; the published update and mono stand apart from the rest."""
    return f"{part}*" if part.startswith(("encodec", "mono")) else part
