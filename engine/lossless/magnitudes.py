"""Numbers of several channels through the range coder, frame by frame, compiled.

How large a number will be is foretold from those before it: three running means of magnitudes of
its channel, and how far the channels before it in the frame, and of the frame before, exceed what
was foretold of them. The logarithms are mixed by weights that follow the gradient of the code
length. How peaked a channel is follows from two running moments. Both sides do the same with
floats in one order, as `recursion` does.
"""

from __future__ import annotations

import numpy as np

from codecctl.engine.lossless.compiled import compiled
from codecctl.engine.lossless.range_coder import peek, put, take

REACH = 255
"""Largest token; one beyond it says that the number follows in full."""
MOST = 1 << 30
"""Numbers lie within -MOST and MOST - 1."""
TOTAL_BITS = 20
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


@compiled
def code(
    values: np.ndarray,
    decode: bool,
    stream: tuple[np.ndarray, np.ndarray],
    tables: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    state: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    scratch: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """Code some frames, or read them.

    Args:
        values: (T, C) int64; written when decoding.
        decode: Which way.
        stream: State of the range coder, and its words.
        tables: Cumulative frequencies (shapes, rows, 2 REACH + 3); first token to look at for the
            upper 8 bits of a place (shapes, rows, 256); row, shift and inverse of each scale.
        state: Running means of magnitudes (MEANS, C), weights (WEIGHTS, C), moments (MOMENTS, C);
            what the channels before exceed (1,), and frames so far (1,) behind it.
        scratch: (MEANS + 3, C) float64, the same memory as int64, and (MEANS + 1, C) float64.
    """
    means, weights, moments, running = state
    numbers, _, logs = scratch
    sizes, parts = numbers[MEANS], numbers[MEANS + 1]
    channels = values.shape[1]
    for frame in range(values.shape[0]):
        _expect(means, weights, scratch)
        for c in range(channels):
            level = logs[MEANS, c] + weights[3, c] * running[0]
            scale = int(np.floor((level - LOWEST) * STEPS + 0.5))
            scale = min(max(scale, 0), SCALES - 1)
            shape = 1
            square = moments[0, c] * moments[0, c]
            if moments[1, c] > _NARROW * square:
                shape = 0
            elif moments[1, c] < _BROAD * square:
                shape = 2
            if decode:
                values[frame, c] = _read(stream, tables, shape, scale)
            else:
                _write(stream, tables, shape, scale, values[frame, c])
            sizes[c] = float(abs(values[frame, c]))
            parts[c] = sizes[c] * tables[4][scale]
            excess = _logarithm(scratch, sizes[c] + 0.25) - logs[MEANS, c] + _USUAL
            numbers[MEANS + 2, c] = running[0]
            running[0] += _CROSS * (min(max(excess, -3.0), 3.0) - running[0])
        _follow(state, scratch)


@compiled
def _expect(
    means: np.ndarray,
    weights: np.ndarray,
    scratch: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """Logarithms of the means to base 2, and the level that follows."""
    numbers, bits, logs = scratch
    for k in range(MEANS):
        for c in range(means.shape[1]):
            numbers[k, c] = means[k, c] + _FLOOR
        for c in range(means.shape[1]):
            logs[k, c] = float((bits[k, c] >> 52) - 1023)
            bits[k, c] = (bits[k, c] & _MANTISSA) | _ONE
        for c in range(means.shape[1]):
            x = numbers[k, c] - 1.0
            logs[k, c] += x * (1.4208 + x * (-0.5772 + x * 0.1564))
    for c in range(means.shape[1]):
        fast, slow = logs[0, c] - logs[1, c], logs[2, c] - logs[1, c]
        level = logs[1, c] + weights[0, c] + weights[1, c] * fast
        logs[0, c], logs[2, c] = fast, slow
        logs[3, c] = level + weights[2, c] * slow


@compiled
def _logarithm(scratch: tuple[np.ndarray, np.ndarray, np.ndarray], number: float) -> float:
    numbers, bits, _ = scratch
    numbers[0, 0] = number
    exponent = float((bits[0, 0] >> 52) - 1023)
    bits[0, 0] = (bits[0, 0] & _MANTISSA) | _ONE
    x = numbers[0, 0] - 1.0
    found: float = exponent + x * (1.4208 + x * (-0.5772 + x * 0.1564))
    return found


@compiled
def _write(
    stream: tuple[np.ndarray, np.ndarray],
    tables: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    shape: int,
    scale: int,
    value: int,
) -> None:
    state, words = stream
    bounds, row, shift = tables[0], tables[2][scale], tables[3][scale]
    lifted = value + ((1 << shift) >> 1)
    token = (lifted >> shift) + REACH
    whole = 0 <= token <= 2 * REACH
    if not whole:
        token = 2 * REACH + 1
    start = bounds[shape, row, token]
    put(state, words, start, bounds[shape, row, token + 1] - start, TOTAL_BITS)
    if not whole:
        put(state, words, (value + MOST) >> 16, 1, 16)
        put(state, words, (value + MOST) & 0xFFFF, 1, 16)
    elif shift:
        put(state, words, lifted & ((1 << shift) - 1), 1, shift)


@compiled
def _read(
    stream: tuple[np.ndarray, np.ndarray],
    tables: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    shape: int,
    scale: int,
) -> int:
    state, words = stream
    bounds, row, shift = tables[0], tables[2][scale], tables[3][scale]
    place = peek(state, TOTAL_BITS)
    token = tables[1][shape, row, place >> (TOTAL_BITS - 8)]
    while bounds[shape, row, token + 1] <= place:
        token += 1
    start = bounds[shape, row, token]
    take(state, words, start, bounds[shape, row, token + 1] - start, TOTAL_BITS)
    if token == 2 * REACH + 1:
        high = peek(state, 16)
        take(state, words, high, 1, 16)
        low = peek(state, 16)
        take(state, words, low, 1, 16)
        return (high << 16) + low - MOST
    rest = 0
    if shift:
        rest = peek(state, shift)
        take(state, words, rest, 1, shift)
    value: int = ((token - REACH) << shift) + rest - ((1 << shift) >> 1)
    return value


@compiled
def _follow(
    state: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    scratch: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """Means, weights and moments after a frame."""
    means, weights, moments, running = state
    numbers, _, logs = scratch
    sizes, parts, cross = numbers[MEANS], numbers[MEANS + 1], numbers[MEANS + 2]
    running[1] += 1.0
    early = 1.0 / (running[1] + 1.0)
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
