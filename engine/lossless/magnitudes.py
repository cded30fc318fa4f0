"""Numbers of several channels through the range coder, frame by frame, compiled.

How large a number will be is foretold from those before it: three running means of magnitudes of
its channel, and how far the channels before it in the frame, and of the frame before, exceed what
was foretold of them. The logarithms are mixed by weights that follow the gradient of the code
length. How peaked a channel is follows from two running moments. Both sides do the same with
floats in one order, as `recursion` does.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from codecctl.engine.lossless.compiled import compiled
from codecctl.engine.lossless.range_coder import (
    AT,
    BITS,
    FILL,
    LOW,
    WIDTH,
    peek,
    put,
    put_beside,
    take,
    take_beside,
)

REACH = 255
"""Largest token; one beyond it says that the number follows in full."""
MOST = 1 << 30
"""Numbers lie within -MOST and MOST - 1."""
_WHOLE_BITS = 31
TOTAL_BITS = 20
FIRST_BITS = 10
STEPS = 8
"""Scales an octave."""
LOWEST = -8
"""Logarithm of the smallest scale, a mean magnitude, to base 2."""
SCALES = 33 * STEPS
MEANS, WEIGHTS, MOMENTS = 3, 4, 2
_FLOOR = 1 / 256
_CROSS = 1 / 32
_USUAL = 0.65
"""How far the mean logarithm of a magnitude lies below that of its mean, in octaves."""
_STEP = 0.002
_MOST_STEP = 2.0
_MOMENT = 1 / 512
_BROAD, _NARROW = 1.63, 1.83
"""Mean square over squared mean: 1.57 of Gauss, 1.70 of exponent 1.5, 2 of Laplace."""
_MANTISSA = (1 << 52) - 1
_ONE = 1023 << 52
_LARGE = (1023 + 52) << 52
_LARGE_ONE = float((1 << 52) + 1023)


class Tables(NamedTuple):
    """What is looked up."""

    bounds: np.ndarray
    """(shapes, rows, 2 REACH + 3) int32, cumulative."""
    first: np.ndarray
    """(shapes, rows, 2^FIRST_BITS) int32: token to look at first, by the upper bits of a place."""
    rows: np.ndarray
    """(SCALES,) int64."""
    shifts: np.ndarray
    inverses: np.ndarray
    """(SCALES,) float64, one over the mean magnitude."""


class Stream(NamedTuple):
    """What is written, or read."""

    state: np.ndarray
    """Of the range coder, (5,) int64."""
    words: np.ndarray
    beside: np.ndarray
    """Words of what rounding left."""


class Expected(NamedTuple):
    """What follows every frame."""

    means: np.ndarray
    """(MEANS, C) of magnitudes."""
    weights: np.ndarray
    """(WEIGHTS, C)."""
    moments: np.ndarray
    """(MOMENTS, C)."""
    running: np.ndarray
    """(3,) what the channels before exceed, and all but the last of them; frames so far."""
    numbers: np.ndarray
    """(2 MEANS, C) for calculations; from MEANS: magnitudes, their parts of what was expected, and
    what channels before exceeded."""
    bits: np.ndarray
    """The same memory as int64."""
    logs: np.ndarray
    """(MEANS + 1, C) differences of logarithms, the middle one, and the level of each channel."""
    shapes: np.ndarray
    """(C,) int64."""


@compiled
def write(values: np.ndarray, stream: Stream, tables: Tables, expected: Expected) -> None:
    """Code some frames (T, C) int64 of numbers within -MOST and MOST - 1."""
    words, beside = stream.words, stream.beside
    low, width, at = stream.state[LOW], stream.state[WIDTH], stream.state[AT]
    rest, fill = stream.state[BITS], stream.state[FILL]
    for frame in range(values.shape[0]):
        _expect(expected)
        for c in range(values.shape[1]):
            value, scale, shape = values[frame, c], _scale(expected, c), expected.shapes[c]
            row, shift = tables.rows[scale], tables.shifts[scale]
            lifted = value + ((1 << shift) >> 1)
            token = (lifted >> shift) + REACH
            whole = 0 <= token <= 2 * REACH
            if not whole:
                token = 2 * REACH + 1
            start = int(tables.bounds[shape, row, token])
            part = start, int(tables.bounds[shape, row, token + 1]) - start, TOTAL_BITS
            low, width, at = put(low, width, at, words, part)
            if not whole:
                rest, fill = put_beside(rest, fill, beside, value + MOST, _WHOLE_BITS)
            elif shift:
                rest, fill = put_beside(rest, fill, beside, lifted & ((1 << shift) - 1), shift)
            _see(expected, c, value, tables.inverses[scale])
        _follow(expected)
    stream.state[LOW], stream.state[WIDTH], stream.state[AT] = low, width, at
    stream.state[BITS], stream.state[FILL] = rest, fill


@compiled
def read(values: np.ndarray, stream: Stream, tables: Tables, expected: Expected) -> bool:
    """Fill some frames (T, C) int64; whether all of them were written."""
    words, beside = stream.words, stream.beside
    code, width, at = stream.state[LOW], stream.state[WIDTH], stream.state[AT]
    fill = stream.state[FILL]
    for frame in range(values.shape[0]):
        _expect(expected)
        for c in range(values.shape[1]):
            scale, shape = _scale(expected, c), expected.shapes[c]
            row, shift = tables.rows[scale], tables.shifts[scale]
            place = peek(code, width, TOTAL_BITS)
            if place >> TOTAL_BITS:
                return False
            token = int(tables.first[shape, row, place >> (TOTAL_BITS - FIRST_BITS)])
            while int(tables.bounds[shape, row, token + 1]) <= place:
                token += 1
            start = int(tables.bounds[shape, row, token])
            part = start, int(tables.bounds[shape, row, token + 1]) - start, TOTAL_BITS
            code, width, at = take(code, width, at, words, part)
            if token > 2 * REACH:
                value = take_beside(fill, beside, _WHOLE_BITS) - MOST
                fill += _WHOLE_BITS
            else:
                lifted = ((token - REACH) << shift) | take_beside(fill, beside, shift)
                value = lifted - ((1 << shift) >> 1)
                fill += shift
            values[frame, c] = value
            _see(expected, c, value, tables.inverses[scale])
        _follow(expected)
    stream.state[LOW], stream.state[WIDTH], stream.state[AT] = code, width, at
    stream.state[FILL] = fill
    return True


@compiled
def _expect(expected: Expected) -> None:
    """Logarithms of the means to base 2, the level that follows, and the shape."""
    means, weights, moments = expected.means, expected.weights, expected.moments
    numbers, bits, logs = expected.numbers, expected.bits, expected.logs
    channels = means.shape[1]
    for k in range(MEANS):
        for c in range(channels):
            numbers[k, c] = means[k, c] + _FLOOR
        for c in range(channels):  # the exponent as a float: 2^52 and it, as whole numbers
            bits[MEANS + k, c] = (bits[k, c] >> 52) | _LARGE
            bits[k, c] = (bits[k, c] & _MANTISSA) | _ONE
        for c in range(channels):
            x = numbers[k, c] - 1.0
            exponent = numbers[MEANS + k, c] - _LARGE_ONE
            logs[k, c] = exponent + x * (1.4208 + x * (-0.5772 + x * 0.1564))
    for c in range(channels):
        fast, slow = logs[0, c] - logs[1, c], logs[2, c] - logs[1, c]
        level = logs[1, c] + weights[0, c] + weights[1, c] * fast
        logs[0, c], logs[2, c] = fast, slow
        logs[3, c] = level + weights[2, c] * slow
    for c in range(channels):
        square = moments[0, c] * moments[0, c]
        narrow, broad = moments[1, c] > _NARROW * square, moments[1, c] < _BROAD * square
        expected.shapes[c] = 0 if narrow else 2 if broad else 1


@compiled
def _scale(expected: Expected, c: int) -> int:
    """Of a channel, from its level and what those before the last exceed."""
    level = expected.logs[MEANS, c] + expected.weights[3, c] * expected.running[1]
    scale = int(np.floor((level - LOWEST) * STEPS + 0.5))
    return min(max(scale, 0), SCALES - 1)


@compiled
def _see(expected: Expected, c: int, value: int, inverse: float) -> None:
    """Take a number: its magnitude, and how far it exceeds what was expected.

    The next channel is not to wait for it, so that its scale can be looked up meanwhile.
    """
    numbers, bits, running = expected.numbers, expected.bits, expected.running
    size = float(abs(value))
    numbers[MEANS, c], numbers[MEANS + 1, c] = size, size * inverse
    numbers[MEANS + 2, c] = running[1]
    numbers[0, 0] = size + 0.25
    exponent = float((bits[0, 0] >> 52) - 1023)
    bits[0, 0] = (bits[0, 0] & _MANTISSA) | _ONE
    x = numbers[0, 0] - 1.0
    found = exponent + x * (1.4208 + x * (-0.5772 + x * 0.1564))
    excess = found - expected.logs[MEANS, c] + _USUAL
    running[1] = running[0]
    running[0] += _CROSS * (min(max(excess, -3.0), 3.0) - running[0])


@compiled
def _follow(expected: Expected) -> None:
    """Means, weights and moments after a frame."""
    means, weights, moments = expected.means, expected.weights, expected.moments
    running, numbers, logs = expected.running, expected.numbers, expected.logs
    sizes, parts, cross = numbers[MEANS], numbers[MEANS + 1], numbers[MEANS + 2]
    running[2] += 1.0
    early = 1.0 / (running[2] + 1.0)
    fast, middle, slow = max(early, 1 / 16), max(early, 1 / 128), max(early, 1 / 1024)
    moment = max(early, _MOMENT)
    for c in range(means.shape[1]):
        means[0, c] += fast * (sizes[c] - means[0, c])
        means[1, c] += middle * (sizes[c] - means[1, c])
        means[2, c] += slow * (sizes[c] - means[2, c])
        step = _STEP * (min(parts[c] - 1.0, _MOST_STEP))
        weights[0, c] = min(max(weights[0, c] + step, -1.0), 1.0)
        weights[1, c] = min(max(weights[1, c] + step * logs[0, c], 0.0), 1.0)
        weights[2, c] = min(max(weights[2, c] + step * logs[2, c], 0.0), 1.0)
        weights[3, c] = min(max(weights[3, c] + step * cross[c], 0.0), 1.0)
        part = min(parts[c], 8.0)
        moments[0, c] += moment * (part - moments[0, c])
        moments[1, c] += moment * (part * part - moments[1, c])
