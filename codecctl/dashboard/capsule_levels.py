"""The level of every capsule, of reference and reconstruction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from codecctl.dashboard.sound import Pair
from codecctl.dashboard.waveform import level_db
from codecctl.terminal import BARS

_WRITTEN = 4
"""So many capsules are written as numbers."""
_SPAN_DB = 24.0


@dataclass(frozen=True)
class Levels:
    """RMS of each capsule in dBFS, -inf for silence."""

    reference: tuple[float, ...] = ()
    reconstruction: tuple[float, ...] = ()


def levels_of(pair: Pair) -> Levels:
    """Both sides of a pair; nothing where they are no pair."""
    if pair.problem:
        return Levels()
    sides = (pair.reference.audio, pair.reconstruction.audio)
    reference, reconstruction = (tuple(level_db(row) for row in side) for side in sides)
    return Levels(reference, reconstruction)


def level_lines(levels: Levels, *, width: int) -> list[str]:
    """One line, or bars on a common scale where there are many capsules.

    Args:
        levels: Of a pair.
        width: Cells across.
    """
    theirs, ours = levels.reference, levels.reconstruction
    if len(theirs) <= _WRITTEN:
        parts = [
            f"capsule {number}  {_text(one)} → {_text(other)} dB ({_change(one, other)})"
            for number, (one, other) in enumerate(zip(theirs, ours, strict=True), start=1)
        ]
        return [("level  " + "   ".join(parts))[:width]]
    changes = [_difference(one, other) for one, other in zip(theirs, ours, strict=True)]
    worst = int(np.argmax(np.abs(changes)))
    top = max([level for level in (*theirs, *ours) if math.isfinite(level)], default=0.0)
    note = f"  most changed: capsule {worst + 1}, {_change(theirs[worst], ours[worst])} dB"
    return [
        f"reference      {_bars(theirs, top)}  {_text(top)} dB and {_SPAN_DB:.0f} below"[:width],
        f"reconstruction {_bars(ours, top)}{note}"[:width],
    ]


def _bars(levels: Sequence[float], top: float) -> str:
    last = len(BARS) - 1
    shares = [min(max((level - top) / _SPAN_DB + 1, 0.0), 1.0) for level in levels]
    return "".join(BARS[round(share * last)] for share in shares)


def _difference(one: float, other: float) -> float:
    if one == other:  # also both silent
        return 0.0
    return max(-200.0, min(200.0, other - one))


def _change(one: float, other: float) -> str:
    return f"{_difference(one, other):+.1f}"


def _text(level: float) -> str:
    return f"{level:.1f}" if math.isfinite(level) else "-inf"
