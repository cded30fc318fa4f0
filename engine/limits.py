"""How much of so many: a count, or a share of it, as Lightning's trainer reads its limits."""

from __future__ import annotations

from fractions import Fraction

Limit = int | float
"""A whole number counts; a number above 0 and at most 1 with a point is a share: 1 is one, and 1.0
is all."""


def limited(total: int, limit: Limit) -> int:
    """How many of `total` a limit leaves; 0 where a share of it is less than one."""
    if isinstance(limit, int):
        return min(total, limit)
    return int(_exact(limit) * total)


def period(total: int, limit: Limit) -> int | Fraction:
    """Steps between what happens so often; a share of `total` need not be a whole number."""
    return limit if isinstance(limit, int) else _exact(limit) * total


def _exact(share: float) -> Fraction:
    """The share that was written, not its nearest binary one: 0.1 of 30 are 3."""
    return Fraction(repr(share))
