"""A range coder in whole numbers below 2^63, compiled; words of 16 bits come out.

The interval is kept in 48 bits (Martin 1979); a carry runs back through the words that are written.
State is (4,) int64: low end, or how far the code lies above it; width; words done; whether the code
is none that `put` made.
"""

from __future__ import annotations

import numpy as np

from codecctl.engine.lossless.compiled import compiled

WORDS = 3
"""That the end of a stream takes."""
_TOP, _HALF, _WORD = 48, 32, 16
_LOWER = (1 << _HALF) - 1


def empty() -> np.ndarray:
    """The state before the first number is put."""
    return np.array([0, 1 << _TOP, 0, 0], np.int64)


def opened(words: np.ndarray) -> np.ndarray:
    """The state before the first number is taken; `words` are at least `WORDS`."""
    first = int(words[0]) << _HALF | int(words[1]) << _WORD | int(words[2])
    return np.array([first, 1 << _TOP, WORDS, 0], np.int64)


@compiled
def put(state: np.ndarray, words: np.ndarray, start: int, size: int, bits: int) -> None:
    """Code that a number lies `size` wide at `start` of 2^bits; at most 2^20."""
    step = state[1] >> bits
    low, width, at = state[0] + step * start, step * size, state[2]
    if low >> _TOP:
        low -= 1 << _TOP
        before = at - 1
        while words[before] == 0xFFFF:
            words[before] = 0
            before -= 1
        words[before] += 1
    while width < 1 << _HALF:
        words[at] = low >> _HALF
        at += 1
        low = (low & _LOWER) << _WORD
        width <<= _WORD
    state[0], state[1], state[2] = low, width, at


@compiled
def peek(state: np.ndarray, bits: int) -> int:
    """Where of 2^bits the next number lies."""
    step = state[1] >> bits
    # Both are below 2^53: the quotient of floats, which is quicker, is the whole one or one more.
    found = int(float(state[0]) / float(step))
    if found * step > state[0]:
        found -= 1
    if found >> bits:  # the remainder of the division: nothing was put there
        found = (1 << bits) - 1
        state[0] = (step << bits) - 1
        state[3] = 1
    return found


@compiled
def take(state: np.ndarray, words: np.ndarray, start: int, size: int, bits: int) -> None:
    """Go on behind a number that `peek` found to lie there."""
    step = state[1] >> bits
    code, width, at = state[0] - step * start, step * size, state[2]
    while width < 1 << _HALF:
        following = 0
        if at < words.shape[0]:
            following = int(words[at])
        code = code << _WORD | following
        at += 1
        width <<= _WORD
    state[0], state[1], state[2] = code, width, at


@compiled
def finish(state: np.ndarray, words: np.ndarray) -> None:
    """Write what tells the last interval from all others."""
    for place in range(WORDS):
        words[state[2] + place] = state[0] >> (_HALF - _WORD * place) & 0xFFFF
    state[2] += WORDS
