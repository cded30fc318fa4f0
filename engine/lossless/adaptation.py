"""Prediction of blocks of frames, and the weights that follow from them, compiled.

One call goes through as many blocks as it is given; what `prediction` is for stands there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from codecctl.engine.lossless.compiled import compiled
from codecctl.engine.lossless.least_squares import (
    RIDGE,
    gather_own,
    gather_shared,
    products,
    solve_own,
    solve_shared,
)
from codecctl.engine.lossless.recursion import BLOCK, KEPT, OWN, PAST, Running, Weights, Window, run

_FIRST_BLOCK, _EARLY = 32, 512
_OWN_DECAY = 0.998
_PATIENCE = 4
"""A part of the frames so far lies between two solutions at the beginning: one over this."""
DONE, SINCE, DUE = 0, 1, 2
"""Places of numbers of frames: those so far, those at the last solution, and at the next one."""


class Shared(NamedTuple):
    """Least squares for all channels from some last frames of all: D = (lags + 1) C."""

    gram: np.ndarray
    """(D, D) covariance, upper triangle."""
    some: np.ndarray
    """(D, D) of the frames since the last solution."""
    factored: np.ndarray
    latest: np.ndarray
    """(C, D) sums of products of those frames with the last ones of each."""
    before: np.ndarray
    """(PAST, C) samples before those frames."""
    weights: np.ndarray
    """(D, C)."""
    times: np.ndarray
    """(3,) int64 at SINCE and DUE."""
    decay: float
    """Of the memory, a frame."""
    longest: int
    """Frames between two solutions, at most."""


class Own(NamedTuple):
    """Least squares for each channel from its own past, (OWN + 1, OWN + 1, C) of lags."""

    gram: np.ndarray
    some: np.ndarray
    factored: np.ndarray
    weights: np.ndarray
    """(OWN, C), from the latest."""


class State(NamedTuple):
    """Everything that a decoder has as well."""

    window: Window
    weights: Weights
    running: Running
    shared: tuple[Shared, Shared]
    """With a long and a short memory."""
    own: Own
    samples: np.ndarray
    """(KEPT + BLOCK, C) those of the window."""
    sums: np.ndarray
    """(C, D) of the last block."""
    times: np.ndarray
    """(3,) int64, frames so far at DONE."""


@compiled
def advance(
    values: np.ndarray, decode: bool, edges: tuple[np.float32, np.float32], state: State
) -> bool:
    """Go through some frames and learn from each block of them.

    Args:
        values: (T, C) int64: samples, or what was left of them; the other one is written over it.
            T is a multiple of BLOCK, but for the end of a segment.
        decode: Which way.
        edges: The smallest and the largest sample.
        state: At the last call's end.

    Returns:
        Whether all samples lie within the edges.
    """
    at, frames = 0, values.shape[0]
    while at < frames:
        size = _FIRST_BLOCK if state.times[DONE] < _EARLY else BLOCK
        block = values[at : min(at + size, frames)]
        if not decode:
            _keep(block, state.samples)
        if not run(block, decode, edges, state.window, state.weights, state.running):
            return False
        if decode:
            _keep(block, state.samples)
        _learn(block.shape[0], state)
        _move_last(block.shape[0], state.samples)
        for rows in state.window:
            _move_last(block.shape[0], rows)
        at += block.shape[0]
    return True


@compiled
def _keep(values: np.ndarray, samples: np.ndarray) -> None:
    for frame in range(values.shape[0]):
        for c in range(values.shape[1]):
            samples[KEPT + frame, c] = float(values[frame, c])


@compiled
def _learn(frames: int, state: State) -> None:
    """Take the frames of a block."""
    samples, errors, weights = state.samples, state.running.errors, state.weights
    state.times[DONE] += frames
    products(samples, frames, state.sums)
    last = samples[frames + KEPT - PAST : frames + KEPT]
    for k in range(2):
        if _share(state.shared[k], state.sums, last, state.times[DONE], errors[k]):
            _copy(state.shared[k].weights, (weights.long, weights.short)[k])
    own, square = state.own, (-1, errors.shape[1])
    gather_own(own.gram, own.some, samples, frames, _power(_OWN_DECAY, frames))
    _copy(own.gram.reshape(square), own.factored.reshape(square))
    solve_own(own.factored, errors[2], own.weights)
    for lag in range(OWN):
        _copy(own.weights[lag : lag + 1], weights.own[OWN - 1 - lag : OWN - lag])


@compiled
def _share(
    shared: Shared,
    sums: np.ndarray,
    last: np.ndarray,
    done: int,
    errors: np.ndarray,
) -> bool:
    """Take the sums of products of a block and find the weights again when they are due."""
    latest, times = shared.latest, shared.times
    channels, size = latest.shape
    for c in range(channels):
        new, known = sums[c, sums.shape[1] - size :], latest[c]
        for place in range(size):
            known[place] += new[place]
    if done < times[DUE]:
        return False
    for c in range(channels):
        for place in range(size):
            shared.some[place, size - channels + c] = latest[c, place]
            latest[c, place] = 0.0
    decay = _power(shared.decay, done - times[SINCE])
    gather_shared(shared.gram, shared.some, shared.before, last, decay)
    _copy(shared.gram, shared.factored)
    _copy(last, shared.before)
    total = 0.0
    for c in range(channels):
        total += errors[c]
    solve_shared(shared.factored, RIDGE * (total / channels) + 1.0, shared.weights)
    times[SINCE], times[DUE] = done, done + min(done // _PATIENCE, shared.longest)
    return True


@compiled
def _move_last(frames: int, rows: np.ndarray) -> None:
    """Put what the next block needs of the past where it looks for it."""
    for frame in range(KEPT):
        for c in range(rows.shape[1]):
            rows[frame, c] = rows[frame + frames, c]


@compiled
def _copy(rows: np.ndarray, target: np.ndarray) -> None:
    """Into an array of any floats; one at a time: assigning slices takes seconds to compile."""
    for row in range(rows.shape[0]):
        for column in range(rows.shape[1]):
            target[row, column] = rows[row, column]


@compiled
def _power(base: float, exponent: int) -> float:
    """By multiplication alone: the mathematics library's last bit differs by machine."""
    value = 1.0
    for _ in range(exponent):
        value *= base
    return value
