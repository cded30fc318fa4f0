"""Whole numbers to bytes and back, without a trained model: `magnitudes` and a range coder.

A number is rounded to a token of at most 1/8 of the mean magnitude that is expected, coded with the
table of its scale and shape; what rounding left is as good as uniform and goes beside it, bit by
bit, from the end of the bytes towards their middle. Tables are whole numbers made with +, -, x, /
and square root of IEEE 754 alone, so that every machine makes the same.
"""

from __future__ import annotations

import zlib
from functools import cache

import numpy as np

from codecctl.engine.lossless.magnitudes import (
    FIRST_BITS,
    LOWEST,
    MEANS,
    MOMENTS,
    REACH,
    SCALES,
    STEPS,
    TOTAL_BITS,
    WEIGHTS,
    Expected,
    Stream,
    Tables,
    read,
    write,
)
from codecctl.engine.lossless.range_coder import (
    AT,
    BITS,
    FILL,
    WORDS,
    empty,
    finish,
    opened,
    put_beside,
    take_beside,
)
from codecctl.errors import DataError

SHAPES = 3
"""Exponents 1 (Laplace), 1.5 and 2 (Gauss)."""
_FINEST = 3
"""Tokens are rounded where the mean magnitude would be 2^4 of them, down to 2^3."""
_ROWS = (_FINEST + 1 - LOWEST) * STEPS
_FIRST_MEAN = 256.0
_FIRST_WEIGHTS = (0.0, 0.3, 0.2, 0.2)
_WORDS_A_NUMBER = 4
_PIECE = 1 << 16
"""Numbers that words are made room for at once."""


@cache
def tables() -> Tables:
    """Those of every file."""
    means = _means()
    shifts = np.maximum(0, np.arange(SCALES) // STEPS + LOWEST - _FINEST)
    weights = np.stack([_weights(shape, means[:_ROWS]) for shape in range(SHAPES)])
    counts = _frequencies(weights)
    bounds = np.zeros((*counts.shape[:2], counts.shape[2] + 1), np.int32)
    np.cumsum(counts, axis=2, out=bounds[:, :, 1:])
    places = np.arange(1 << FIRST_BITS) << (TOTAL_BITS - FIRST_BITS)
    found = [[np.searchsorted(row, places, side="right") - 1 for row in rows] for rows in bounds]
    return Tables(
        bounds=bounds,
        first=np.array(found, np.int32),
        rows=np.arange(SCALES) - STEPS * shifts,
        shifts=shifts,
        inverses=1.0 / means,
    )


@cache
def check() -> int:
    """CRC-32 of the tables and of a noise that grows: equal where the arithmetic is."""
    state, drawn = 1, []
    for place in range(3 * 200):
        state = (1103515245 * state + 12345) % (1 << 31)
        drawn.append(((state >> 15) % 2001 - 1000) * (1 + place * place >> 8))
    packer = Packer(3)
    packer.rows(np.array(drawn).reshape(200, 3))
    counts = np.diff(tables().bounds, axis=2)
    return zlib.crc32(counts.astype("<i4").tobytes()) ^ zlib.crc32(packer.bytes())


def _means() -> np.ndarray:
    """The mean magnitude of each scale."""
    eighth = float(np.sqrt(np.sqrt(np.sqrt(2.0))))
    means = np.empty(SCALES)
    for place in range(STEPS):
        means[place] = means[place - 1] * eighth if place else 1.0 / (1 << -LOWEST)
    for place in range(STEPS, SCALES):
        means[place] = 2.0 * means[place - STEPS]
    return means


def _weights(shape: int, means: np.ndarray) -> np.ndarray:
    """(rows, 2 REACH + 2): exp(-(k / a)^p) at whole numbers, a such that their mean is right."""
    steps = np.arange(REACH + 1, dtype=np.float64)
    powers = (steps, steps * np.sqrt(steps), steps * steps)[shape]
    low, high = np.full(len(means), 1e-9), np.full(len(means), 64.0)
    for _ in range(48):
        rate = 0.5 * (low + high)
        found = _exp_minus(powers * rate[:, None])
        large = 2.0 * _summed(found[:, 1:] * steps[1:]) > means * (
            1.0 + 2.0 * _summed(found[:, 1:])
        )
        low, high = np.where(large, rate, low), np.where(large, high, rate)
    half = _exp_minus(powers * high[:, None])
    return np.hstack([half[:, :0:-1], half, np.zeros((len(means), 1))])


def _summed(rows: np.ndarray) -> np.ndarray:
    """Sums of rows in one order on every machine."""
    total = np.zeros(len(rows))
    for column in rows.T:
        total += column
    return total


def _exp_minus(x: np.ndarray) -> np.ndarray:
    """exp(-x) for x >= 0 without the mathematics library, whose last bit differs by machine."""
    small = np.minimum(x, 700.0) / 1024.0
    value = np.ones_like(small)
    for order in range(9, 0, -1):
        value = 1.0 + value * small / order
    for _ in range(10):
        value = value * value
    inverse: np.ndarray = 1.0 / value
    return inverse


def _frequencies(weights: np.ndarray) -> np.ndarray:
    """Whole numbers of at least 1 that add up to 2^TOTAL_BITS in each row."""
    total = 1 << TOTAL_BITS
    flat = weights.reshape(-1, weights.shape[-1])
    counts = 1.0 + np.floor(flat / _summed(flat)[:, None] * (total - flat.shape[1]))
    counts[np.arange(len(counts)), counts.argmax(1)] += total - counts.sum(1)
    whole: np.ndarray = counts.astype(np.int64).reshape(weights.shape)
    return whole


def _expected(channels: int) -> Expected:
    """Before the first frame."""
    weights = np.repeat(np.array(_FIRST_WEIGHTS)[:, None], channels, axis=1)
    assert len(weights) == WEIGHTS
    moments = np.ones((MOMENTS, channels))
    moments[1] = 1.7
    numbers = np.ones((2 * MEANS, channels))
    return Expected(
        means=np.full((MEANS, channels), _FIRST_MEAN),
        weights=weights,
        moments=moments,
        running=np.zeros(3),
        numbers=numbers,
        bits=numbers.view(np.int64),
        logs=np.empty((MEANS + 1, channels)),
        shapes=np.zeros(channels, np.int64),
    )


class Packer:
    """Collects numbers and gives their bytes.

    Args:
        channels: Of the rows that will come.
    """

    def __init__(self, channels: int) -> None:
        self._expected, self._coder = _expected(channels), empty()
        self._words, self._beside = np.zeros(_PIECE, np.uint16), np.zeros(_PIECE, np.uint16)

    def number(self, value: int, bits: int) -> None:
        """One number of so many bits, as good as uniform."""
        self._room(1)
        state = int(self._coder[BITS]), int(self._coder[FILL])
        self._coder[BITS], self._coder[FILL] = put_beside(*state, self._beside, value, bits)

    def rows(self, values: np.ndarray) -> None:
        """(T, channels) int64 numbers within -MOST and MOST - 1."""
        self._room(values.size)
        write(values, Stream(self._coder, self._words, self._beside), tables(), self._expected)

    def bytes(self) -> bytes:
        """Everything so far; nothing may come behind it."""
        self._room(0)
        count, beside = finish(self._coder, self._words, self._beside)
        words = np.append(self._words[:count], self._beside[:beside][::-1])
        return words.astype("<u2").tobytes()

    def _room(self, numbers: int) -> None:
        self._words = _longer(self._words, int(self._coder[AT]), numbers)
        self._beside = _longer(self._beside, int(self._coder[FILL]) // 16, numbers)


def _longer(words: np.ndarray, done: int, numbers: int) -> np.ndarray:
    """With room for so many numbers behind the words that are done."""
    needed = done + _WORDS_A_NUMBER * numbers + 2 * WORDS
    return words if needed <= len(words) else np.append(words, np.zeros(needed, np.uint16))


class Unpacker:
    """Gives the numbers of a `Packer` in the order in which they were packed.

    Args:
        coded: What a packer gave.
        channels: Of its rows.

    Raises:
        DataError: Bytes that no packer wrote; from every method.
    """

    def __init__(self, coded: bytes, channels: int) -> None:
        if len(coded) % 2 or len(coded) < 2 * WORDS:
            raise DataError(f"coded segment: found {len(coded)} bytes, needed whole words of 2")
        self._channels, self._expected = channels, _expected(channels)
        words = np.frombuffer(coded, "<u2").astype(np.uint16)
        beside = np.append(words[::-1], np.zeros(WORDS, np.uint16))
        self._stream = Stream(opened(words), words, beside)

    def number(self, bits: int) -> int:
        """One number of so many bits."""
        state = self._stream.state
        value = int(take_beside(int(state[FILL]), self._stream.beside, bits))
        state[FILL] += bits
        self._require(written=True)
        return value

    def rows(self, count: int) -> np.ndarray:
        """(count, channels) int64 numbers."""
        values = np.zeros((count, self._channels), np.int64)
        self._require(written=bool(read(values, self._stream, tables(), self._expected)))
        return values

    def end(self) -> None:
        """Nothing may be left."""
        if self._words_read() != len(self._stream.words):
            raise DataError("coded segment: bytes are left after its last number")

    def _words_read(self) -> int:
        return int(self._stream.state[AT]) + (int(self._stream.state[FILL]) + 15) // 16

    def _require(self, *, written: bool) -> None:
        if not written or self._words_read() > len(self._stream.words):
            raise DataError("coded segment: no encoder wrote this")
