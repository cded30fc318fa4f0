"""Where an axis is marked: 1-2-5 steps, decades, and how numbers and times are written."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

_STEPS = (1.0, 2.0, 5.0, 10.0)
_EPSILON = 1e-9
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_CLOCK_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(_MINUTE * count for count in (1, 2, 5, 10, 15, 30)),
    *(_HOUR * count for count in (1, 2, 3, 6, 12)),
    *(_DAY * count for count in (1, 2, 7, 14, 28, 91, 365)),
)
_FEWEST_LOG_MARKS = 3


@dataclass(frozen=True)
class Tick:
    """One mark of an axis."""

    value: float
    label: str


def linear_ticks(low: float, high: float, *, count: int, least: float = 0.0) -> list[Tick]:
    """Marks at multiples of 1, 2 or 5 times a power of ten, at most `count` of them.

    Args:
        low: Lower end.
        high: Upper end.
        count: At most this many.
        least: They are not closer than this.
    """
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low or count < 1:
        return []
    step = max(least, nice_step((high - low) / (count + 1)))
    while _number_of_multiples(low, high, step) > count:
        step = nice_step(step * 1.01)
    first = math.ceil(low / step - _EPSILON)
    last = math.floor(high / step + _EPSILON)
    return [Tick(k * step, tick_label(k * step, step)) for k in range(first, last + 1)]


def clock_ticks(low: float, high: float, *, count: int) -> list[Tick]:
    """Marks at round local times of an axis of Unix time in seconds, at most `count` of them."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low or count < 1:
        return []
    offset = time.localtime(low).tm_gmtoff  # so that hours and days begin where they do here
    for step in _CLOCK_STEPS:
        first = math.ceil((low + offset) / step)
        last = math.floor((high + offset) / step)
        if last - first < count:
            places = [float(k * step - offset) for k in range(first, last + 1)]
            return [Tick(place, clock_text(place, step)) for place in places]
    return []


def clock_text(moment: float, step: float) -> str:
    """A local time as marks that lie `step` seconds apart need it; the day at midnight."""
    local = time.localtime(moment)
    midnight = (local.tm_hour, local.tm_min, local.tm_sec) == (0, 0, 0)
    if midnight and step >= _MINUTE:
        return time.strftime("%b %d", local)
    return time.strftime("%H:%M:%S" if step < _MINUTE else "%H:%M", local)


def log_ticks(low: float, high: float, *, count: int) -> list[Tick]:
    """Marks of a logarithmic axis, given in decades: powers of ten, or 1-2-5 within few decades.

    Args:
        low: log10 of the lower end.
        high: log10 of the upper end.
        count: At most this many.
    """
    if high <= low or count < 1:
        return []
    for factors in ((1, 2, 5), (1, 3), (1,)):
        marks = _marks(low, high, factors)
        if 0 < len(marks) <= count:
            break
    if len(marks) < _FEWEST_LOG_MARKS:  # less than a decade is visible
        linear = linear_ticks(10**low, 10**high, count=count)
        return [Tick(math.log10(tick.value), tick.label) for tick in linear if tick.value > 0]
    stride = -(-len(marks) // count)
    return [Tick(math.log10(value), short_number(value)) for value in marks[::stride]]


def nice_step(least: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is not below `least`."""
    decade = 10.0 ** math.floor(math.log10(least))
    return next(factor * decade for factor in _STEPS if factor * decade >= least * (1 - _EPSILON))


def tick_label(value: float, step: float) -> str:
    """A mark with as many digits as its distance to the next one asks for."""
    if abs(value) < step * _EPSILON:
        return "0"
    for size, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size and step >= size / 1000:
            return _fixed(value / size, step / size) + suffix
    if max(abs(value), step) < 1e-3:
        return _scientific(value)
    return _fixed(value, step)


def short_number(value: float) -> str:
    """A number in at most six characters or so, for marks of a logarithmic axis."""
    if value >= 1e4 or value < 1e-3:
        return _scientific(value)
    return f"{value:g}"


def _fixed(value: float, step: float) -> str:
    digits = max(0, -math.floor(math.log10(step) + _EPSILON))
    return f"{value:.{digits}f}"


def _scientific(value: float) -> str:
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"


def _number_of_multiples(low: float, high: float, step: float) -> int:
    return math.floor(high / step + _EPSILON) - math.ceil(low / step - _EPSILON) + 1


def _marks(low: float, high: float, factors: tuple[int, ...]) -> list[float]:
    decades = range(math.floor(low), math.ceil(high) + 1)
    values = [factor * 10.0**decade for decade in decades for factor in factors]
    return [value for value in values if low - _EPSILON <= math.log10(value) <= high + _EPSILON]
