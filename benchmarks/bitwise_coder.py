"""An arithmetic coder in plain Python that moves one bit at a time; what others are measured by.

Base 2, an interval of 32 bits, pending bits where it straddles the middle (Witten, Neal and
Cleary, "Arithmetic coding for data compression", Communications of the ACM 30(6), 1987).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

_BITS = 32
_WHOLE, _HALF, _QUARTER = 1 << _BITS, 1 << (_BITS - 1), 1 << (_BITS - 2)


def encode(symbols: Sequence[int], tables: Sequence[Sequence[int]]) -> list[int]:
    """The bits of symbols, each with its cumulative frequencies (V + 1, from 0 to their sum)."""
    low, high, pending, bits = 0, _WHOLE - 1, 0, list[int]()
    for symbol, table in zip(symbols, tables, strict=True):
        span, total = high - low + 1, table[-1]
        low, high = low + span * table[symbol] // total, low + span * table[symbol + 1] // total - 1
        while True:
            if high < _HALF or low >= _HALF:
                bit = int(low >= _HALF)
                bits.append(bit)
                bits.extend([1 - bit] * pending)
                pending = 0
                low, high = low - bit * _HALF, high - bit * _HALF
            elif low >= _QUARTER and high < 3 * _QUARTER:
                pending += 1
                low, high = low - _QUARTER, high - _QUARTER
            else:
                break
            low, high = 2 * low, 2 * high + 1
    bit = int(low >= _QUARTER)
    return [*bits, bit, *[1 - bit] * (pending + 1)]


def decode(bits: Sequence[int], tables: Sequence[Sequence[int]]) -> list[int]:
    """As many symbols as there are tables."""
    stream = _then_ones(bits)
    low, high, value = 0, _WHOLE - 1, 0
    for _ in range(_BITS):
        value = 2 * value + next(stream)
    symbols = []
    for table in tables:
        span, total = high - low + 1, table[-1]
        symbol = bisect_right(table, ((value - low + 1) * total - 1) // span) - 1
        symbols.append(symbol)
        low, high = low + span * table[symbol] // total, low + span * table[symbol + 1] // total - 1
        while True:
            if high < _HALF or low >= _HALF:
                moved = _HALF if low >= _HALF else 0
            elif low >= _QUARTER and high < 3 * _QUARTER:
                moved = _QUARTER
            else:
                break
            low, high, value = low - moved, high - moved, value - moved
            low, high, value = 2 * low, 2 * high + 1, 2 * value + next(stream)
    return symbols


def _then_ones(bits: Sequence[int]) -> Iterator[int]:
    yield from bits
    while True:
        yield 1
