"""Where an axis is marked: 1-2-5 steps, decades, and how numbers and times are written.

The labels of a nearly constant series would be long and differ in their last digits alone. One
mark, the one that is shortest to write, then keeps its value, and the others say what they add to
it: `4`, `+5e-6`, `+1e-5` in place of `4.000000`, `4.000005`, `4.000010`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

_STEPS = (1.0, 2.0, 5.0, 10.0)
_OTHER_STEPS = (8.0, 6.0, 4.0, 3.0, 2.5, 1.5)
"""Taken where 1-2-5 steps leave a single mark, from which nobody reads a scale."""
_EPSILON = 1e-9
_LONGEST_LABEL = 6
_NEARLY_CONSTANT = 1000
"""So many steps from zero marks are written by what they add to one of them."""
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_CLOCK_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(_MINUTE * count for count in (1, 2, 5, 10, 15, 30)),
    *(_HOUR * count for count in (1, 2, 3, 6, 12)),
    *(_DAY * count for count in (1, 2, 7, 14, 28, 91, 365)),
)
_FEWEST_LOG_MARKS = 3
_FEWEST_DIGITS, _MOST_DIGITS = 4, 9


@dataclass(frozen=True)
class Tick:
    """One mark of an axis."""

    value: float
    label: str


def linear_ticks(
    low: float, high: float, *, count: int, least: float = 0.0, by_one: bool = False
) -> list[Tick]:
    """Marks at multiples of 1, 2 or 5 times a power of ten, at most `count` of them.

    Where these leave one mark though there is room for more, at multiples of other round numbers.

    Args:
        low: Lower end.
        high: Upper end.
        count: At most this many.
        least: They are at multiples of this; 0 for any place.
        by_one: Marks of a nearly constant series are written by what they add to one of them.
    """
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low or count < 1:
        return []
    step = _step(low, high, count=count, least=least)
    first = math.ceil(low / step - _EPSILON)
    last = math.floor(high / step + _EPSILON)
    multiples = range(first, last + 1)
    labels = _labels(multiples, step, by_one=by_one)
    return [Tick(k * step, label) for k, label in zip(multiples, labels, strict=True)]


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
        linear = linear_ticks(10**low, 10**high, count=count, by_one=True)
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
        return _scientific(value, step)
    return _fixed(value, step)


def short_number(value: float) -> str:
    """A number in at most six characters or so, for marks of a logarithmic axis."""
    if value >= 1e4 or value < 1e-3:
        return _scientific(value, value)
    return f"{value:g}"


def telling_digits(low: float, high: float, *, log: bool = False) -> int:
    """Significant digits by which values of a range can be told apart, from 4 to 9.

    Args:
        low: Lower end.
        high: Upper end.
        log: Whether the ends are given as log10.
    """
    share = 1 - 10 ** (low - high) if log else (high - low) / max(abs(low), abs(high))
    return min(_MOST_DIGITS, max(_FEWEST_DIGITS, 2 - _exponent(share)))


def _step(low: float, high: float, *, count: int, least: float) -> float:
    step = max(least, nice_step((high - low) / (count + 1)))
    while _number_of_multiples(low, high, step) > count:
        step = nice_step(step * 1.01)
    if count < 2 or _number_of_multiples(low, high, step) > 1:
        return step
    decade = 10.0 ** _exponent(step)
    for finer in (factor * size for size in (decade, decade / 10) for factor in _OTHER_STEPS):
        whole = not least or math.isclose(finer / least, round(finer / least))
        if finer < step and whole and 1 < _number_of_multiples(low, high, finer) <= count:
            return finer
    return step


def _labels(multiples: Sequence[int], step: float, *, by_one: bool) -> list[str]:
    labels = [tick_label(k * step, step) for k in multiples]
    longest = max((len(label.lstrip("-")) for label in labels), default=0)
    farthest = max(map(abs, multiples), default=0)
    if not by_one or longest <= _LONGEST_LABEL or farthest < _NEARLY_CONSTANT:
        return labels
    one = min(multiples, key=lambda k: len(_shortest(k * step)))
    signs = ("-" if k < one else "+" for k in multiples)
    added = (tick_label(abs(k - one) * step, step) for k in multiples)
    relative = [sign + label for sign, label in zip(signs, added, strict=True)]
    relative[multiples.index(one)] = _shortest(one * step)
    return relative


def _shortest(value: float) -> str:
    """A number to twelve digits in as few characters as possible."""
    plain = f"{value:.12g}".partition("e")
    texts = ["".join(plain)] if not plain[1] else []
    texts += [
        f"{value / size:.12g}{suffix}"
        for size, suffix in ((1e3, "k"), (1e6, "M"), (1e9, "G"))
        if abs(value) >= size
    ]
    mantissa, exponent = f"{value:.11e}".split("e")
    texts.append(f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}")
    return min(texts, key=len)


def _fixed(value: float, step: float) -> str:
    return f"{value:.{_digits(step)}f}"


def _digits(step: float) -> int:
    """Digits behind the point that a step needs: none for 20, one for 0.2 and 2.5."""
    digits = max(0, -_exponent(step))
    scaled = step * 10**digits
    return digits if math.isclose(scaled, round(scaled), rel_tol=1e-6) else digits + 1


def _scientific(value: float, step: float) -> str:
    """A mantissa with as many digits as a step asks for, and an exponent."""
    below = _exponent(value) - _exponent(step)
    digits = max(0, below) + _digits(step / 10.0 ** _exponent(step))
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(exponent)}"


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value)) + _EPSILON)


def _number_of_multiples(low: float, high: float, step: float) -> int:
    return math.floor(high / step + _EPSILON) - math.ceil(low / step - _EPSILON) + 1


def _marks(low: float, high: float, factors: tuple[int, ...]) -> list[float]:
    decades = range(math.floor(low), math.ceil(high) + 1)
    values = [factor * 10.0**decade for decade in decades for factor in factors]
    return [value for value in values if low - _EPSILON <= math.log10(value) <= high + _EPSILON]
