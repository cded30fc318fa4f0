"""Covariances of what is coded already, and the weights that follow, compiled.

Sums of products of a block are whole numbers below 2^53, exact in any order; the rest has one.
"""

from __future__ import annotations

import numpy as np

from codecctl.engine.lossless.compiled import compiled, compiled_exact
from codecctl.engine.lossless.recursion import PAST


@compiled_exact
def products(samples: np.ndarray, span: tuple[int, int], sums: np.ndarray) -> None:
    """Sums of products of the last frames of each frame, and of itself, with each frame.

    Compiled rather than a product of matrices of a library, which starts threads that wait for
    one another in processor time: a block is too small for them.

    Args:
        samples: (PAST + T, C) whole numbers whose sums of products are exact.
        span: First frame, and the one after the last.
        sums: (D, C), from the oldest lag; written.
    """
    size, channels = sums.shape
    flat, first = samples.reshape(-1), size - channels
    sums[:] = 0.0
    grouped = span[1] - (span[1] - span[0]) % 8
    for at in range(span[0] + PAST, grouped + PAST, 8):  # eight at once: fewer stores
        for d in range(size):
            place = at * channels - first + d
            a, b = flat[place], flat[place + channels]
            e, f = flat[place + 2 * channels], flat[place + 3 * channels]
            g, h = flat[place + 4 * channels], flat[place + 5 * channels]
            p, q = flat[place + 6 * channels], flat[place + 7 * channels]
            for c in range(channels):
                some = a * samples[at, c] + b * samples[at + 1, c]
                some += e * samples[at + 2, c] + f * samples[at + 3, c]
                some += g * samples[at + 4, c] + h * samples[at + 5, c]
                some += p * samples[at + 6, c] + q * samples[at + 7, c]
                sums[d, c] += some
    for at in range(grouped + PAST, span[1] + PAST):
        for d in range(size):
            factor = flat[at * channels - first + d]
            for c in range(channels):
                sums[d, c] += factor * samples[at, c]


@compiled
def gather_shared(
    gram: np.ndarray, some: np.ndarray, samples: np.ndarray, span: tuple[int, int], decay: float
) -> None:
    """Forget a little of a covariance and add that of some frames.

    Args:
        gram: (D, D), upper triangle of blocks: lag from the oldest, then channel.
        some: (D, D), whose last C columns hold the sums of products with the frames themselves;
            the others are derived here, by what one lag more takes in and leaves out.
        samples: (PAST + T, C).
        span: First frame, and the one after the last.
        decay: Of what is known so far.
    """
    channels = samples.shape[1]
    lags = gram.shape[0] // channels - 1
    for column in range(lags - 1, -1, -1):
        right = lags - column
        for row in range(column + 1):
            above = lags - row
            for i in range(channels):
                a_in = samples[span[0] + PAST - above, i]
                a_out = samples[span[1] + PAST - above, i]
                at, before = row * channels + i, (row + 1) * channels + i
                for j in range(channels):
                    b_in = samples[span[0] + PAST - right, j]
                    b_out = samples[span[1] + PAST - right, j]
                    known = some[before, (column + 1) * channels + j]
                    some[at, column * channels + j] = known + (a_in * b_in - a_out * b_out)
    for i in range(gram.shape[0]):
        for j in range(i, gram.shape[0]):
            gram[i, j] = gram[i, j] * decay + some[i, j]


@compiled
def gather_own(
    gram: np.ndarray, some: np.ndarray, samples: np.ndarray, span: tuple[int, int], decay: float
) -> None:
    """`gather_shared` for each channel alone: (OWN + 1, OWN + 1, C), lag from the latest."""
    size, channels = gram.shape[0], gram.shape[2]
    for lag in range(size):
        some[0, lag, :] = 0.0
    for now in range(span[0] + PAST, span[1] + PAST):
        for lag in range(size):
            for c in range(channels):
                some[0, lag, c] += samples[now, c] * samples[now - lag, c]
    for a in range(1, size):
        for b in range(a, size):
            for c in range(channels):
                taken = samples[span[0] + PAST - a, c] * samples[span[0] + PAST - b, c]
                gone = samples[span[1] + PAST - a, c] * samples[span[1] + PAST - b, c]
                some[a, b, c] = some[a - 1, b - 1, c] + (taken - gone)
    for a in range(size):
        for b in range(a, size):
            for c in range(channels):
                gram[a, b, c] = gram[a, b, c] * decay + some[a, b, c]


@compiled
def solve_shared(gram: np.ndarray, ridge: float, weights: np.ndarray) -> None:
    """Least squares of each of the last C variables from all before it, by one factorisation.

    Args:
        gram: (D, D), upper triangle; destroyed.
        ridge: Added to its diagonal.
        weights: (D, C), written.
    """
    size, channels = weights.shape
    for i in range(size):
        gram[i, i] += ridge
    inverse = np.empty(size)
    grouped = size - size % 8
    for start in range(0, grouped, 8):
        for pivot in range(start, start + 8):
            inverse[pivot] = 1.0 / max(gram[pivot, pivot], ridge)
            for i in range(pivot + 1, start + 8):
                _less_one(gram, pivot, i, inverse)
        for i in range(start + 8, size):
            _less_eight(gram, start, i, inverse)
    for pivot in range(grouped, size):
        inverse[pivot] = 1.0 / max(gram[pivot, pivot], ridge)
        for i in range(pivot + 1, size):
            _less_one(gram, pivot, i, inverse)
    first = size - channels
    for i in range(size):
        for j in range(i + 1, size):
            gram[i, j] *= inverse[i]
        for c in range(channels):
            weights[i, c] = gram[i, first + c] if i < first + c else 0.0
    _substitute(gram, weights, first)


@compiled
def _substitute(gram: np.ndarray, weights: np.ndarray, first: int) -> None:
    """Weights of the unit triangle, from the last variable; four at once where all have them."""
    channels = weights.shape[1]
    ends = first - first % 4
    for j in range(weights.shape[0] - 1, ends - 1, -1):
        for i in range(j):
            factor = gram[i, j]
            for c in range(max(0, j - first + 1), channels):
                weights[i, c] -= factor * weights[j, c]
    for j in range(ends - 4, -1, -4):
        for last in range(j + 3, j, -1):
            for i in range(j, last):
                factor = gram[i, last]
                for c in range(channels):
                    weights[i, c] -= factor * weights[last, c]
        for i in range(j):
            one, two, three, four = gram[i, j + 3], gram[i, j + 2], gram[i, j + 1], gram[i, j]
            for c in range(channels):
                value = weights[i, c] - one * weights[j + 3, c]
                value = value - two * weights[j + 2, c]
                value = value - three * weights[j + 1, c]
                weights[i, c] = value - four * weights[j, c]


@compiled
def _less_one(gram: np.ndarray, pivot: int, i: int, inverse: np.ndarray) -> None:
    factor = gram[pivot, i] * inverse[pivot]
    for j in range(i, gram.shape[0]):
        gram[i, j] -= factor * gram[pivot, j]


@compiled
def _less_eight(gram: np.ndarray, start: int, i: int, inverse: np.ndarray) -> None:
    """Take multiples of eight pivot rows from a row, one after the other."""
    a, b = gram[start, i] * inverse[start], gram[start + 1, i] * inverse[start + 1]
    c, d = gram[start + 2, i] * inverse[start + 2], gram[start + 3, i] * inverse[start + 3]
    e, f = gram[start + 4, i] * inverse[start + 4], gram[start + 5, i] * inverse[start + 5]
    g, h = gram[start + 6, i] * inverse[start + 6], gram[start + 7, i] * inverse[start + 7]
    for j in range(i - i % 16, gram.shape[0]):  # what lies below the diagonal is never read
        value = gram[i, j] - a * gram[start, j]
        value = value - b * gram[start + 1, j]
        value = value - c * gram[start + 2, j]
        value = value - d * gram[start + 3, j]
        value = value - e * gram[start + 4, j]
        value = value - f * gram[start + 5, j]
        value = value - g * gram[start + 6, j]
        gram[i, j] = value - h * gram[start + 7, j]


@compiled
def solve_own(gram: np.ndarray, ridge: np.ndarray, weights: np.ndarray) -> None:
    """Least squares of each channel from its own past.

    Args:
        gram: (OWN + 1, OWN + 1, C) of `gather_own`, upper triangle; destroyed.
        ridge: (C,), added to the diagonal.
        weights: (OWN, C), written.
    """
    size, channels = gram.shape[0], gram.shape[2]
    inverse, factor = np.empty(channels), np.empty(channels)
    for i in range(1, size):
        for c in range(channels):
            gram[i, i, c] += ridge[c]
            weights[i - 1, c] = gram[0, i, c]
    for pivot in range(1, size):
        for c in range(channels):
            inverse[c] = 1.0 / max(gram[pivot, pivot, c], ridge[c])
        for i in range(pivot + 1, size):
            for c in range(channels):
                factor[c] = gram[pivot, i, c] * inverse[c]
                weights[i - 1, c] -= factor[c] * weights[pivot - 1, c]
            for j in range(i, size):
                for c in range(channels):
                    gram[i, j, c] -= factor[c] * gram[pivot, j, c]
        for c in range(channels):
            weights[pivot - 1, c] *= inverse[c]
            for i in range(pivot + 1, size):
                gram[pivot, i, c] *= inverse[c]
    for j in range(size - 1, 1, -1):
        for i in range(1, j):
            for c in range(channels):
                weights[i - 1, c] -= gram[i, j, c] * weights[j - 1, c]
