"""Products of matrices and attention in exact numbers, for one processor and its cache.

All functions take and give multiples of powers of two whose sums stay below 2^53 units
(`fixed_point`), as float64, or float32 where that holds them: no order of sums changes a number.
"""

from __future__ import annotations

import numpy as np

from codecctl.engine.lossless.compiled import compiled_exact

_AT_ONCE = 4
"""Rows of keys or values that one pass over the positions takes."""
_LANES = 8


@compiled_exact
def product(weights: np.ndarray, inputs: np.ndarray, outputs: np.ndarray) -> None:
    """Fill `outputs` (B, O) float64 with the product of `inputs` (B, I) and `weights` (O, I)."""
    for row in range(weights.shape[0]):
        for item in range(inputs.shape[0]):
            total = 0.0
            for column in range(weights.shape[1]):
                total += np.float64(weights[row, column]) * inputs[item, column]
            outputs[item, row] = total


@compiled_exact
def _largest(scores: np.ndarray) -> float:
    """Of any number of scores; in lanes, as each comparison waits for the one before it."""
    lanes = np.full(_LANES, scores[0])
    done = len(scores) - len(scores) % _LANES
    for first in range(0, done, _LANES):
        for lane in range(_LANES):
            lanes[lane] = max(lanes[lane], scores[first + lane])
    most = scores[len(scores) - 1]
    for position in range(done, len(scores)):
        most = max(most, scores[position])
    for lane in range(_LANES):
        most = max(most, lanes[lane])
    return float(most)


@compiled_exact
def scored(query: np.ndarray, keys: np.ndarray, scores: np.ndarray) -> float:
    """Fill `scores` (S) with products of a query (s) and keys (s, t), S at most t; the largest."""
    count = len(scores)
    for position in range(count):
        scores[position] = 0.0
    size = len(query)
    done = size - size % _AT_ONCE
    for first in range(0, done, _AT_ONCE):
        for position in range(count):
            scores[position] += (
                query[first] * np.float64(keys[first, position])
                + query[first + 1] * np.float64(keys[first + 1, position])
                + query[first + 2] * np.float64(keys[first + 2, position])
                + query[first + 3] * np.float64(keys[first + 3, position])
            )
    for row in range(done, size):
        for position in range(count):
            scores[position] += query[row] * np.float64(keys[row, position])
    return _largest(scores)


@compiled_exact
def shared(scores: np.ndarray, most: float, table: np.ndarray) -> float:
    """Put table[most - score], cut to whole steps, in the place of each score; their sum."""
    last = float(len(table) - 1)
    total = 0.0
    for position in range(len(scores)):
        share = np.float64(table[np.int32(min(most - scores[position], last))])
        scores[position] = share
        total += share
    return total


@compiled_exact
def gathered(shares: np.ndarray, values: np.ndarray, sums: np.ndarray) -> None:
    """Fill `sums` (s) with the sums of values (s, t) times shares (S), S at most t."""
    size = len(sums)
    done = size - size % _AT_ONCE
    for first in range(0, done, _AT_ONCE):
        one, two, three, four = 0.0, 0.0, 0.0, 0.0
        for position in range(len(shares)):
            share = shares[position]
            one += share * np.float64(values[first, position])
            two += share * np.float64(values[first + 1, position])
            three += share * np.float64(values[first + 2, position])
            four += share * np.float64(values[first + 3, position])
        sums[first], sums[first + 1], sums[first + 2], sums[first + 3] = one, two, three, four
    for row in range(done, size):
        one = 0.0
        for position in range(len(shares)):
            one += shares[position] * np.float64(values[row, position])
        sums[row] = one
