"""One step of an exact transformer as loops, compiled: the numbers of `exact`, sooner.

Every operation is that of `ExactTransformer` and `fixed_point` on one number after the other; only
exact sums (`sums`) have another order. Keys and values are float32, which holds an activation.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from codecctl.engine.lossless.compiled import compiled
from codecctl.engine.lossless.fixed_point import (
    ACTIVATION_BITS,
    GELU_REACH,
    GELU_STEP_BITS,
    LARGEST_ACTIVATION,
    SHARP_STEP_BITS,
    SOFT_STEP_BITS,
    VARIANCE_BITS,
)
from codecctl.engine.lossless.sums import gathered, product, scored, shared

_EPSILON = 1e-5
_ACTIVATION_STEPS = float(1 << ACTIVATION_BITS)
_VARIANCE_STEPS = float(1 << VARIANCE_BITS)
_GELU_STEPS = float(1 << GELU_STEP_BITS)
_SOFT_STEPS = float(1 << SOFT_STEP_BITS)
_SHARP_STEPS = float(1 << SHARP_STEP_BITS)


class Trunk(NamedTuple):
    """The weights of all layers (L), float32, which holds a weight."""

    inward: np.ndarray
    """(L, 3 * inner, D): queries, keys, values."""
    outward: np.ndarray
    """(L, D, inner)."""
    widen: np.ndarray
    """(L, W, D)."""
    widen_bias: np.ndarray
    """(L, W)."""
    narrow: np.ndarray
    """(L, D, W)."""
    narrow_bias: np.ndarray
    """(L, D)."""
    norms: np.ndarray
    """(L, 2, 2, D): weight and bias behind attention, then behind the feed-forward network."""
    soft: np.ndarray
    """Table of exponentials for attention, float32, which holds its multiples of 2^-16."""
    gelu: np.ndarray
    """Table of GELU, float64."""


@compiled
def rounded(value: float) -> float:
    """The nearest activation."""
    inside = min(max(value, -LARGEST_ACTIVATION), LARGEST_ACTIVATION)
    return float(np.rint(inside * _ACTIVATION_STEPS) / _ACTIVATION_STEPS)


@compiled
def step(
    trunk: Trunk, hidden: np.ndarray, keys: np.ndarray, values: np.ndarray, place: int
) -> None:
    """Take the embeddings of the symbols at one place through all layers.

    Args:
        trunk: Weights.
        hidden: (B, D) float64: embeddings, then the features of the next symbol.
        keys: (L, B, h, s, T) float32; those of this place are written.
        values: As keys.
        place: Of the symbols in their chunks.
    """
    items, dim = hidden.shape
    heads, size = keys.shape[2], keys.shape[3]
    mixed = np.empty((items, trunk.inward.shape[1]))
    seen = np.empty((items, heads * size))
    other = np.empty((items, dim))
    wide = np.empty((items, trunk.widen.shape[1]))
    scores = np.empty(place + 1)
    for layer in range(len(trunk.inward)):
        product(trunk.inward[layer], hidden, mixed)
        for item in range(items):
            _attend(
                mixed[item], keys[layer, item], values[layer, item], scores, trunk.soft, seen[item]
            )
        product(trunk.outward[layer], seen, other)
        _add(hidden, other)
        _norm(hidden, trunk.norms[layer, 0])
        product(trunk.widen[layer], hidden, wide)
        _bend(wide, trunk.widen_bias[layer], trunk.gelu)
        product(trunk.narrow[layer], wide, other)
        other += trunk.narrow_bias[layer]
        _add(hidden, other)
        _norm(hidden, trunk.norms[layer, 1])


@compiled
def _attend(
    mixed: np.ndarray,
    keys: np.ndarray,
    values: np.ndarray,
    scores: np.ndarray,
    table: np.ndarray,
    seen: np.ndarray,
) -> None:
    """Attention of one chunk: its query, key and value (3 * inner) to what is seen (inner)."""
    heads, size, _ = keys.shape
    inner, place = heads * size, len(scores) - 1
    scale = _SOFT_STEPS / math.sqrt(size)
    query = np.empty(size)
    for head in range(heads):
        for row in range(size):
            index = head * size + row
            keys[head, row, place] = rounded(mixed[inner + index])
            values[head, row, place] = rounded(mixed[2 * inner + index])
            scaled = rounded(mixed[index]) * scale
            query[row] = np.rint(scaled * _ACTIVATION_STEPS) / _ACTIVATION_STEPS
        most = scored(query, keys[head], scores)
        total = shared(scores, most, table)
        sums = seen[head * size : (head + 1) * size]
        gathered(scores, values[head], sums)
        for row in range(size):
            sums[row] = rounded(sums[row] / total)


@compiled
def _add(hidden: np.ndarray, other: np.ndarray) -> None:
    """Add what a layer found to what it was given, each rounded."""
    for item in range(hidden.shape[0]):
        for column in range(hidden.shape[1]):
            hidden[item, column] = rounded(hidden[item, column] + rounded(other[item, column]))


@compiled
def _norm(hidden: np.ndarray, affine: np.ndarray) -> None:
    """Layer norm of (B, D), in its place; `affine` is weight and bias."""
    width = hidden.shape[1]
    for row in hidden:
        total = 0.0
        for column in range(width):
            total += row[column]
        mean, squares = total / width, 0.0
        for column in range(width):
            row[column] -= mean
            inside = min(max(row[column], -LARGEST_ACTIVATION), LARGEST_ACTIVATION)
            coarse = np.rint(inside * _VARIANCE_STEPS) / _VARIANCE_STEPS
            squares += coarse * coarse
        deviation = math.sqrt(squares / width + _EPSILON)
        for column in range(width):
            scaled = row[column] / deviation * np.float64(affine[0, column])
            row[column] = rounded(scaled + np.float64(affine[1, column]))


@compiled
def bend(value: float, table: np.ndarray) -> float:
    """GELU of an activation, an activation."""
    if value > GELU_REACH:
        return value
    index = int(np.rint((value + GELU_REACH) * _GELU_STEPS))
    return float(table[min(max(index, 0), len(table) - 1)])


@compiled
def _bend(wide: np.ndarray, bias: np.ndarray, table: np.ndarray) -> None:
    """GELU of (B, W) plus a bias, in its place."""
    for row in wide:
        for column in range(len(row)):
            row[column] = bend(rounded(row[column] + np.float64(bias[column])), table)


@compiled
def counts(
    features: np.ndarray, weights: np.ndarray, bias: np.ndarray, table: np.ndarray, room: float
) -> np.ndarray:
    """Frequencies (B, V) float32 of symbols whose logits are a product of `features` (B, D).

    Args:
        features: Of `step`.
        weights: (V, D) float32.
        bias: (V,) float32.
        table: Of exponentials for probabilities, float64.
        room: What they add up to, beside 1 for each.
    """
    logits = np.empty((len(features), len(weights)))
    product(weights, features, logits)
    found = np.empty(logits.shape, np.float32)
    last = float(len(table) - 1)
    for item in range(len(logits)):
        row = logits[item]
        for symbol in range(len(row)):
            row[symbol] += np.float64(bias[symbol])
        most, total = row.max(), 0.0
        for symbol in range(len(row)):
            steps = np.rint((most - row[symbol]) * _SHARP_STEPS)
            row[symbol] = table[int(min(steps, last))]
            total += row[symbol]
        for symbol in range(len(row)):
            found[item, symbol] = np.floor(row[symbol] / total * room) + 1.0
    return found
