"""Covariances of what is coded already, and the weights that follow, compiled.

Sums of products of a block are whole numbers below 2^53, exact in any order; the rest has one.
"""

from __future__ import annotations

import numpy as np

from codecctl.engine.lossless.compiled import compiled, compiled_exact
from codecctl.engine.lossless.recursion import KEPT, PAST

RIDGE = 1.0
"""Of the power of what is left: the inverse of the variance that weights are expected to have."""


@compiled_exact
def products(samples: np.ndarray, frames: int, sums: np.ndarray) -> None:
    """Sums of products of each frame with the last frames of it, and with itself.

    Compiled rather than a product of matrices of a library, which starts threads that wait for
    one another in processor time: a block is too small for them.

    Args:
        samples: (KEPT + T, C) whole numbers whose sums of products are exact.
        frames: The first of T that are wanted.
        sums: (C, D), from the oldest lag; written.
    """
    channels, size = sums.shape
    flat, first = samples.reshape(-1), size - channels
    for c in range(channels):
        for place in range(size):
            sums[c, place] = 0.0
    grouped = KEPT + frames - frames % 8
    for at in range(KEPT, grouped, 8):  # eight at once: fewer stores
        seen = flat[at * channels - first :]
        two, three = seen[channels:], seen[2 * channels :]
        four, five = seen[3 * channels :], seen[4 * channels :]
        six, seven, eight = seen[5 * channels :], seen[6 * channels :], seen[7 * channels :]
        for c in range(channels):
            a, b, d, e = samples[at, c], samples[at + 1, c], samples[at + 2, c], samples[at + 3, c]
            f, g = samples[at + 4, c], samples[at + 5, c]
            h, i = samples[at + 6, c], samples[at + 7, c]
            for place in range(size):
                some = a * seen[place] + b * two[place]
                some += d * three[place] + e * four[place]
                some += f * five[place] + g * six[place]
                some += h * seven[place] + i * eight[place]
                sums[c, place] += some
    for at in range(grouped, frames + KEPT):
        seen = flat[at * channels - first :]
        for c in range(channels):
            factor = samples[at, c]
            for place in range(size):
                sums[c, place] += factor * seen[place]


@compiled
def gather_shared(
    gram: np.ndarray, some: np.ndarray, before: np.ndarray, last: np.ndarray, decay: float
) -> None:
    """Forget a little of a covariance and add that of some frames.

    Args:
        gram: (D, D), upper triangle of blocks: lag from the oldest, then channel.
        some: (D, D), whose last C columns hold the sums of products with the frames themselves;
            the others are derived here, by what one lag more takes in and leaves out.
        before: (PAST, C) samples before the first of them.
        last: (PAST, C) samples up to the last of them.
        decay: Of what is known so far.
    """
    channels = before.shape[1]
    lags = gram.shape[0] // channels - 1
    for column in range(lags - 1, -1, -1):
        right = lags - column
        for row in range(column + 1):
            above = lags - row
            for i in range(channels):
                a_in = before[PAST - above, i]
                a_out = last[PAST - above, i]
                at, below = row * channels + i, (row + 1) * channels + i
                for j in range(channels):
                    b_in = before[PAST - right, j]
                    b_out = last[PAST - right, j]
                    known = some[below, (column + 1) * channels + j]
                    some[at, column * channels + j] = known + (a_in * b_in - a_out * b_out)
    for i in range(gram.shape[0]):
        for j in range(i, gram.shape[0]):
            gram[i, j] = gram[i, j] * decay + some[i, j]


@compiled
def gather_own(
    gram: np.ndarray, some: np.ndarray, samples: np.ndarray, frames: int, decay: float
) -> None:
    """`gather_shared` for each channel alone: (OWN + 1, OWN + 1, C), lag from the latest."""
    size, channels = gram.shape[0], gram.shape[2]
    for lag in range(size):
        some[0, lag, :] = 0.0
    for now in range(KEPT, frames + KEPT):
        for lag in range(size):
            for c in range(channels):
                some[0, lag, c] += samples[now, c] * samples[now - lag, c]
    for a in range(1, size):
        for b in range(a, size):
            for c in range(channels):
                taken = samples[KEPT - a, c] * samples[KEPT - b, c]
                gone = samples[frames + KEPT - a, c] * samples[frames + KEPT - b, c]
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
    row, other = gram[i, i:], gram[pivot, i:]  # cut: indices that may be negative stay scalar
    for j in range(row.shape[0]):
        row[j] -= factor * other[j]


@compiled
def _less_eight(gram: np.ndarray, start: int, i: int, inverse: np.ndarray) -> None:
    """Take multiples of eight pivot rows from a row, one after the other."""
    a, b = gram[start, i] * inverse[start], gram[start + 1, i] * inverse[start + 1]
    c, d = gram[start + 2, i] * inverse[start + 2], gram[start + 3, i] * inverse[start + 3]
    e, f = gram[start + 4, i] * inverse[start + 4], gram[start + 5, i] * inverse[start + 5]
    g, h = gram[start + 6, i] * inverse[start + 6], gram[start + 7, i] * inverse[start + 7]
    first = i - i % 16  # what lies below the diagonal is never read
    row = gram[i, first:]
    one, two = gram[start, first:], gram[start + 1, first:]
    three, four = gram[start + 2, first:], gram[start + 3, first:]
    five, six = gram[start + 4, first:], gram[start + 5, first:]
    seven, eight = gram[start + 6, first:], gram[start + 7, first:]
    for j in range(row.shape[0]):
        value = row[j] - a * one[j]
        value = value - b * two[j]
        value = value - c * three[j]
        value = value - d * four[j]
        value = value - e * five[j]
        value = value - f * six[j]
        value = value - g * seven[j]
        row[j] = value - h * eight[j]


@compiled
def solve_own(gram: np.ndarray, powers: np.ndarray, weights: np.ndarray) -> None:
    """Least squares of each channel from its own past.

    Args:
        gram: (OWN + 1, OWN + 1, C) of `gather_own`, upper triangle; destroyed.
        powers: (C,) of what is left; as much and one more is added to the diagonal.
        weights: (OWN, C), written.
    """
    size, channels = gram.shape[0], gram.shape[2]
    inverse, factor, ridge = np.empty(channels), np.empty(channels), np.empty(channels)
    for c in range(channels):
        ridge[c] = RIDGE * powers[c] + 1.0
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
