"""A range coder in whole numbers below 2^63, compiled; words of 16 bits come out.

The interval is kept in 48 bits (Martin 1979); a carry runs back through the words that are written.
Numbers as good as uniform go beside it, bit by bit. The state of both is (5,) int64 at `LOW`,
`WIDTH`, `AT`, `BITS` and `FILL`; loops take it apart, so that it stays in registers.
"""

from __future__ import annotations

import numpy as np

from codecctl.engine.lossless.compiled import compiled

WORDS = 3
"""That the end of a stream takes."""
LOW, WIDTH, AT, BITS, FILL = range(5)
"""Low end, or how far the code lies above it; width; words done; and of the numbers beside it:
bits that fill no word yet, and how many bits were written or read."""
TOP, HALF, WORD = 48, 32, 16
LOWER = (1 << HALF) - 1
WORD_MASK = (1 << WORD) - 1


def empty() -> np.ndarray:
    """The state before the first number is put."""
    return np.array([0, 1 << TOP, 0, 0, 0], np.int64)


def opened(words: np.ndarray) -> np.ndarray:
    """The state before the first number is taken; `words` are at least `WORDS`."""
    first = int(words[0]) << HALF | int(words[1]) << WORD | int(words[2])
    return np.array([first, 1 << TOP, WORDS, 0, 0], np.int64)


@compiled
def put(
    low: int, width: int, at: int, words: np.ndarray, part: tuple[int, int, int]
) -> tuple[int, int, int]:
    """Code that a number lies in a part: its start and size, of 2^bits, at most 2^20."""
    start, size, bits = part
    step = width >> bits
    low, width = low + step * start, step * size
    if low >> TOP:
        low -= 1 << TOP
        before = at - 1
        while words[before] == WORD_MASK:
            words[before] = 0
            before -= 1
        words[before] += 1
    while width < 1 << HALF:
        words[at] = low >> HALF
        at += 1
        low = (low & LOWER) << WORD
        width <<= WORD
    return low, width, at


@compiled
def peek(code: int, width: int, bits: int) -> int:
    """Where of 2^bits the next number lies; 2^bits or more: no `put` made the code."""
    step = width >> bits
    # Both are below 2^53: the quotient of floats, which is quicker, is the whole one or one more.
    found = int(float(code) / float(step))
    if found * step > code:
        found -= 1
    return found


@compiled
def take(
    code: int, width: int, at: int, words: np.ndarray, part: tuple[int, int, int]
) -> tuple[int, int, int]:
    """Go on behind a number that `peek` found to lie in a part."""
    start, size, bits = part
    step = width >> bits
    code, width = code - step * start, step * size
    while width < 1 << HALF:
        following = 0
        if at < words.shape[0]:
            following = int(words[at])
        code = code << WORD | following
        at += 1
        width <<= WORD
    return code, width, at


@compiled
def put_beside(bits: int, fill: int, words: np.ndarray, number: int, size: int) -> tuple[int, int]:
    """Write a number of `size` bits, at most 32; bits that fill no word yet, and bits so far."""
    bits |= number << (fill & 15)
    end = fill + size
    for at in range(fill >> 4, end >> 4):
        words[at] = bits & WORD_MASK
        bits >>= WORD
    return bits, end


@compiled
def take_beside(fill: int, words: np.ndarray, size: int) -> int:
    """The number of `size` bits, at most 32, behind the first bits; `words` end with 3 zeros."""
    at = min(fill >> 4, words.shape[0] - 3)
    found = int(words[at]) | int(words[at + 1]) << WORD | int(words[at + 2]) << HALF
    return found >> (fill & 15) & ((1 << size) - 1)


@compiled
def finish(state: np.ndarray, words: np.ndarray, beside: np.ndarray) -> tuple[int, int]:
    """Write what tells the last interval from all others; how many words there are of each."""
    for place in range(WORDS):
        words[state[AT] + place] = state[LOW] >> (HALF - WORD * place) & WORD_MASK
    if state[FILL] & 15:
        beside[state[FILL] >> 4] = state[BITS]
    return state[AT] + WORDS, (state[FILL] + 15) >> 4
