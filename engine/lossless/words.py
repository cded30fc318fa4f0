"""A range coder of words of 32 bits, compiled, to the bytes of `constriction`.

An interval of 64 bits (Martin 1979) is cut in proportion to frequencies that are stretched to add
up to 2^24, each at least 1: a symbol starts at floor(float32(sum of those before it x scale)) + how
many those are, where scale is float32((2^24 - V) / sum of all). A carry runs back through the words
that are written; the end is the lowest word that lies in the interval whatever follows it, and a
word of 0 where the one behind the interval begins alike. `tests/test_lossless_words.py` compares
the bytes.

State is (4,) uint64: low end, modulo 2^64; width; the code that is read; words done.
"""

from __future__ import annotations

import numpy as np

from codecctl.engine.lossless.compiled import inlined, inlined_exact
from codecctl.errors import DataError

WORD_BYTES = 4
"""A coded chunk is a sequence of little-endian words of 32 bits."""
END_WORDS = 2
"""That the end of a stream takes at most; each symbol takes one at most."""
NOTHING = -1
"""Found where no encoder put a symbol."""
_WORD, _PRECISION = np.uint64(32), np.uint64(24)
_WHOLE = 1 << 24
_ONE, _ONE_WORD = np.uint64(1), np.uint64(1 << 32)
_LAST_WORD = (1 << 32) - 1
_WIDEST = (1 << 64) - 1
_BLOCK = 16
"""Frequencies that are added up at once: as many as vectors hold."""


def states(items: int) -> np.ndarray:
    """(items, 4) states before the first symbol is put."""
    return np.tile(np.array([0, _WIDEST, 0, 0], np.uint64), (items, 1))


@inlined_exact
def _added(frequencies: np.ndarray, first: int, behind: int) -> np.float32:
    """The sum of some frequencies; float32 holds it, in any order."""
    total = np.float32(0.0)
    for symbol in range(first, behind):
        total += frequencies[symbol]
    return total


@inlined_exact
def _before(frequencies: np.ndarray, symbol: int) -> tuple[np.float32, np.float32]:
    """The sum of the frequencies before a symbol, and of all of them."""
    below, total = np.float32(0.0), np.float32(0.0)
    behind = np.int32(symbol)
    for place in range(len(frequencies)):
        each = frequencies[place]
        total += each
        if np.int32(place) < behind:  # a choice of numbers, not of ways: vectors of them
            below += each
    return below, total


@inlined
def _start(below: np.float32, symbol: int, scale: np.float32) -> np.uint64:
    """Where of 2^24 a symbol begins, whose predecessors have the sum `below`."""
    return np.uint64(np.int64(np.float32(below * scale)) + symbol)


@inlined
def put(state: np.ndarray, words: np.ndarray, frequencies: np.ndarray, symbol: int) -> None:
    """Code a symbol.

    Args:
        state: (4,); it goes on.
        words: (W,) uint32, with room for one more.
        frequencies: (V,) float32 whole numbers of 1 and more that add up to at most 2^24.
        symbol: Below V.
    """
    count = len(frequencies)
    below, total = _before(frequencies, symbol)
    scale = np.float32(_WHOLE - count) / total
    start, behind = _start(below, symbol, scale), np.uint64(_WHOLE)
    if symbol + 1 < count:
        behind = _start(below + frequencies[symbol], symbol + 1, scale)
    step = state[1] >> _PRECISION
    low, width = state[0] + step * start, step * (behind - start)
    if low < state[0]:
        _carry(state, words)
    if width < _ONE_WORD:
        words[np.int64(state[3])] = low >> _WORD
        state[3] += _ONE
        low, width = low << _WORD, width << _WORD
    state[0], state[1] = low, width


@inlined
def _carry(state: np.ndarray, words: np.ndarray) -> None:
    """Add 1 to what is written."""
    before = np.int64(state[3]) - 1
    while words[before] == _LAST_WORD:
        words[before] = 0
        before -= 1
    words[before] += np.uint32(1)


@inlined
def finish(state: np.ndarray, words: np.ndarray) -> None:
    """Write what tells the last interval from all others; nothing where no symbol was put."""
    low, width, done = state[0], state[1], np.int64(state[3])
    if width == np.uint64(_WIDEST):
        return
    last = low + np.uint64(_LAST_WORD)
    if last < low:
        _carry(state, words)
    words[done] = last >> _WORD
    state[3] += _ONE
    if (low + width) >> _WORD == last >> _WORD:
        words[done + 1] = 0
        state[3] += _ONE


@inlined
def _next(state: np.ndarray, words: np.ndarray) -> None:
    """Read a word, or 0 behind the last."""
    at, following = np.int64(state[3]), np.uint64(0)
    if at < len(words):
        following = np.uint64(words[at])
    state[2] = state[2] << _WORD | following
    state[3] += _ONE


@inlined
def begin(state: np.ndarray, words: np.ndarray) -> None:
    """Go before the first symbol of some words (W,) uint32."""
    _next(state, words)
    _next(state, words)


@inlined
def take(state: np.ndarray, words: np.ndarray, frequencies: np.ndarray) -> int:
    """The next symbol, or `NOTHING` where none was put; arguments as of `put`."""
    count = len(frequencies)
    step = state[1] >> _PRECISION
    found = (state[2] - state[0]) // step
    if found >> _PRECISION:
        return NOTHING
    scale = np.float32(_WHOLE - count) / _added(frequencies, 0, count)
    symbol, below = _block(frequencies, found, scale)
    start, behind = _start(below, symbol, scale), np.uint64(_WHOLE)
    while symbol + 1 < count:
        below += frequencies[symbol]
        behind = _start(below, symbol + 1, scale)
        if behind > found:
            break
        symbol, start, behind = symbol + 1, behind, np.uint64(_WHOLE)
    low, width = state[0] + step * start, step * (behind - start)
    if width < _ONE_WORD:
        _next(state, words)
        low, width = low << _WORD, width << _WORD
    state[0], state[1] = low, width
    return symbol


@inlined
def _block(frequencies: np.ndarray, found: np.uint64, scale: np.float32) -> tuple[int, np.float32]:
    """The first symbol of the block that a place of 2^24 lies in, and the sum of those before."""
    first, below = 0, np.float32(0.0)
    while first + _BLOCK < len(frequencies):
        through = below + _added(frequencies, first, first + _BLOCK)
        if _start(through, first + _BLOCK, scale) > found:
            break
        first, below = first + _BLOCK, through
    return first, below


def require_end(state: np.ndarray, count: int) -> None:
    """Check that an encoder that put what was taken wrote just those words.

    Args:
        state: Behind the last symbol.
        count: Words that there were.

    Raises:
        DataError: It wrote others.
    """
    low, width, code, done = (int(each) for each in state)
    last = (low + _LAST_WORD) >> 32 & _LAST_WORD
    needed = 0
    if width != _WIDEST:
        needed = done - 1 + ((low + width) >> 32 & _LAST_WORD == last)
    if count > needed:
        raise DataError("coded chunk: bytes are left after its last symbol")
    if count < needed or (needed and code != last << 32):
        raise DataError("coded chunk: no encoder wrote this")
