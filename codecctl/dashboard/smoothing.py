"""Exponential smoothing of a whole series, before anything is left out of it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

LEVELS = (0.0, 0.6, 0.9, 0.97, 0.99)
_BLOCK = 64
_NEGLIGIBLE = 1e-17


def smooth(values: Array, weight: float) -> Array:
    """The debiased exponential moving average of a series.

    s_n = sum_k (1 - w) w^k x_(n-k) / (1 - w^n), over the finite values only: the first value
    is itself, and a NaN neither spreads nor shortens the memory. Computed on every point, since
    an average of decimated points depends on the decimation.

    Args:
        values: (N,); may hold NaN and infinities.
        weight: w in [0, 1); 0 returns the values.

    Returns:
        (N,), NaN where the input is not finite.
    """
    finite = np.isfinite(values)
    averaged = np.full(values.shape, np.nan)
    kept = values[finite]
    if kept.size:
        averaged[finite] = kept if weight <= 0 else _debiased(kept, weight)
    return averaged


def memory(weight: float) -> int:
    """How many finite values back an average reaches, to the resolution of a float."""
    return math.ceil(math.log(_NEGLIGIBLE) / math.log(weight)) if weight > 0 else 0


def _debiased(values: Array, weight: float) -> Array:
    """The average of finite values, in blocks: sums over 2, 4, ... 64 values, and a short scan.

    No matrix product: its threads would take time from the training that is watched.
    """
    count = values.size
    num_blocks = -(-count // _BLOCK)
    within = np.zeros((num_blocks, _BLOCK))  # each block as if it were the first
    within.reshape(-1)[:count] = (1 - weight) * values
    shift = 1
    while shift < _BLOCK:
        within[:, shift:] = within[:, shift:] + weight**shift * within[:, :-shift]
        shift *= 2
    before = np.zeros(num_blocks)
    carry, decay = 0.0, weight**_BLOCK
    for block, last in enumerate(within[:, -1].tolist()):
        before[block] = carry
        carry = carry * decay + last
    fade = weight ** np.arange(1, _BLOCK + 1)
    averaged: Array = (within + before[:, None] * fade).reshape(-1)[:count]
    biased = min(count, memory(weight))
    averaged[:biased] /= 1 - weight ** np.arange(1, biased + 1)
    return averaged
