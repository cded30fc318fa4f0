"""What a chart is drawn against: ranges of both axes and the unit of the horizontal one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
OUTLIER_PERCENT = 1.0
_ROOM_AROUND_ZERO = 0.1
_SECONDS_BESIDE = 30.0
_STEPS_ACROSS = 256


class XAxis(str, Enum):
    """What the horizontal axis counts; time is that of training, clock the time of day."""

    STEP = "step"
    EPOCH = "epoch"
    TIME = "time"
    AUDIO = "audio"
    CLOCK = "clock"


@dataclass(frozen=True)
class Unit:
    """A unit of the horizontal axis: divide values by `size` and write `name`."""

    name: str
    size: float


def x_unit(axis: XAxis, span: float) -> Unit:
    """The unit in which an axis of this length is readable; times are kept in seconds."""
    if axis in (XAxis.STEP, XAxis.EPOCH, XAxis.CLOCK):
        return Unit(axis.value, 1.0)
    suffix = " audio" if axis is XAxis.AUDIO else ""
    for size, name in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if span >= 2 * size:
            return Unit(name + suffix, size)
    return Unit("s" + suffix, 1.0)


def full_range(arrays: Sequence[Array]) -> tuple[float, float] | None:
    """Lowest and highest finite value of all arrays, never equal; None if there is none."""
    found = _ends(arrays)
    return None if found is None else widen(*found)


def x_range(arrays: Sequence[Array], axis: XAxis) -> tuple[float, float] | None:
    """The same of places on the horizontal axis."""
    found = _ends(arrays)
    return None if found is None else widen_x(*found, axis=axis)


def inner_range(arrays: Sequence[Array]) -> tuple[float, float] | None:
    """The range without the lowest and the highest percent of the values."""
    values = np.concatenate([array[np.isfinite(array)] for array in arrays] or [np.empty(0)])
    if not values.size:
        return None
    low, high = np.percentile(values, [OUTLIER_PERCENT, 100 - OUTLIER_PERCENT])
    return widen(float(low), float(high))


def widen(low: float, high: float) -> tuple[float, float]:
    """A range that is not empty: a constant gets room on both sides."""
    room = max(abs(low) * 1e-6, 1e-30)
    if high - low > room:
        return low, high
    room = abs(low) * 0.1 or _ROOM_AROUND_ZERO
    return low - room, high + room


def widen_x(low: float, high: float, *, axis: XAxis) -> tuple[float, float]:
    """A range of x that is not empty: a single point stands in the middle of it.

    What is counted begins at 0, so the range of a point does, and a point at 0 stands at its left.
    Minutes of Unix time are few beside their distance to 0: on the clock it is a minute.
    """
    if high - low > abs(high) * 1e-9:
        return low, high
    if axis is XAxis.CLOCK:
        return low - _SECONDS_BESIDE, high + _SECONDS_BESIDE
    return (min(0.0, 2 * low), max(0.0, 2 * high)) if high else (0.0, 1.0)


def steady(low: float, high: float) -> tuple[float, float]:
    """A range of x whose end moves on in steps of half a percent, while what it holds grows.

    Between two steps every value stays in its place, so that a chart changes where it is new.
    The steps are powers of two: a range of at most 256 whole numbers ends where it did.
    """
    step = 2.0 ** math.ceil(math.log2((high - low) / _STEPS_ACROSS))
    return low, max(high, low + math.ceil((high - low) / step) * step)


def _ends(arrays: Sequence[Array]) -> tuple[float, float] | None:
    finite = [array[np.isfinite(array)] for array in arrays]
    filled = [array for array in finite if array.size]
    if not filled:
        return None
    return min(float(each.min()) for each in filled), max(float(each.max()) for each in filled)


def logarithm(values: Array) -> Array:
    """log10, NaN for what has none."""
    positive = values > 0
    result = np.full(values.shape, np.nan)
    result[positive] = np.log10(values[positive])
    return result
