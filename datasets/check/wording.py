"""Numbers as findings write them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def decibels(power: float) -> float:
    """Level of a power, -inf for none."""
    return 10 * math.log10(power) if power > 0 else -math.inf


def number_list(word: str, numbers: Sequence[int]) -> str:
    """`channel 3`, or `channels 1-4, 7`."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    text = ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in spans)
    return f"{word} {text}" if len(numbers) == 1 else f"{word}s {text}"


def runs_of(flags: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and behind the last index of each run of True, of (n,) flags."""
    edges = np.flatnonzero(np.diff(flags, prepend=False, append=False))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
