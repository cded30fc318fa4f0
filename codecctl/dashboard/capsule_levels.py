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
_HEAD = "dB of capsule  "
_GAP = "   "


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
    """Numbers in one line, or two where that is too narrow; bars where there are many capsules.

    Args:
        levels: Of a pair.
        width: Cells across.
    """
    theirs, ours = levels.reference, levels.reconstruction
    if len(theirs) <= _WRITTEN:
        pairs = list(enumerate(zip(theirs, ours, strict=True), start=1))
        whole = [
            f"capsule {number}  {_text(one)} → {_text(other)} dB ({_change(one, other)})"
            for number, (one, other) in pairs
        ]
        line = "level  " + _GAP.join(whole)
        if len(line) <= width:
            return [line]
        short = [
            f"{number}  {_text(one)} → {_text(other)} ({_change(one, other)})"
            for number, (one, other) in pairs
        ]
        return _below_each_other(short, width)
    changes = [_difference(one, other) for one, other in zip(theirs, ours, strict=True)]
    worst = int(np.argmax(np.abs(changes)))
    top = max([level for level in (*theirs, *ours) if math.isfinite(level)], default=0.0)
    note = f"  most changed: capsule {worst + 1}, {_change(theirs[worst], ours[worst])} dB"
    return [
        f"reference      {_bars(theirs, top)}  {_text(top)} dB and {_SPAN_DB:.0f} below"[:width],
        f"reconstruction {_bars(ours, top)}{note}"[:width],
    ]


def _below_each_other(parts: Sequence[str], width: int) -> list[str]:
    """As many parts in a line as fit, those of the next line in the same columns."""
    cells = max(map(len, parts))
    beside = max(1, (width - len(_HEAD) + len(_GAP)) // (cells + len(_GAP)))
    lines = [
        _GAP.join(part.ljust(cells) for part in parts[at:][:beside]).rstrip()
        for at in range(0, len(parts), beside)
    ]
    heads = [_HEAD, *[" " * len(_HEAD)] * (len(lines) - 1)]
    return [(head + line)[:width] for head, line in zip(heads, lines, strict=True)]


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
