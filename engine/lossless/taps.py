"""Predictions of frames from samples before them and in them, compiled.

Samples of all channels and frames lie in a row, float32, and so do the taps of a stage.
"""

from __future__ import annotations

import numpy as np

from codecctl.engine.lossless.compiled import compiled


@compiled
def from_all(
    weights: np.ndarray, samples: np.ndarray, at: int, decode: bool, found: np.ndarray
) -> None:
    """Predict some frames (N, C) at once, so that weights are fetched once for all of them.

    Samples are those of all channels and frames in a row, the first of the frames at a place. Where
    they are still to be decoded, the ends of their sums are left out: what is taken from the frame
    itself (`recursion`), and by the second of two from the first (`from_last`).
    """
    frames, channels = found.shape
    common = past = weights.shape[0] - channels
    if not decode:
        common = past = weights.shape[0]
    elif frames > 1:
        common = past - channels
    for frame in range(frames):
        for c in range(channels):
            found[frame, c] = 0.0
    _add_rows(weights, samples, at, (0, common), found)
    _add_rows(weights, samples, at, (common, past), found[:1])


@compiled
def from_last(weights: np.ndarray, samples: np.ndarray, at: int, found: np.ndarray) -> None:
    """What `from_all` left out of the second of two frames, the first of which is known now."""
    count = weights.shape[0] - found.shape[1]
    _add_rows(weights, samples, at, (count - found.shape[1], count), found)


@compiled
def _add_rows(
    weights: np.ndarray, samples: np.ndarray, at: int, rows: tuple[int, int], found: np.ndarray
) -> None:
    """Add to predictions of frames (N, C) what some rows of weights say of their past."""
    frames, channels = found.shape
    behind = at - (weights.shape[0] - channels)
    grouped = rows[1] - (rows[1] - rows[0]) % 8
    for row in range(rows[0], grouped, 8):  # eight at once, one after the other: fewer stores
        for frame in range(frames):
            past = samples[behind + frame * channels + row :]
            a, b, c, d = past[0], past[1], past[2], past[3]
            e, f, g, h = past[4], past[5], past[6], past[7]
            for k in range(channels):
                value = found[frame, k] + weights[row, k] * a
                value = value + weights[row + 1, k] * b
                value = value + weights[row + 2, k] * c
                value = value + weights[row + 3, k] * d
                value = value + weights[row + 4, k] * e
                value = value + weights[row + 5, k] * f
                value = value + weights[row + 6, k] * g
                found[frame, k] = value + weights[row + 7, k] * h
    for row in range(grouped, rows[1]):
        for frame in range(frames):
            last = samples[behind + frame * channels + row]
            for k in range(channels):
                found[frame, k] += weights[row, k] * last


@compiled
def from_own(
    weights: np.ndarray, samples: np.ndarray, at: int, terms: np.ndarray, found: np.ndarray
) -> None:
    """Predict a frame from all taps of all channels in a row; so do the stages."""
    seen = samples[at - weights.shape[0] : at]
    for place in range(weights.shape[0]):
        terms[place] = weights[place] * seen[place]
    _add_up(terms, weights.shape[0], found)


@compiled
def from_rest(
    taps: np.ndarray,
    rests: np.ndarray,
    at: int,
    step: np.ndarray,
    scratch: np.ndarray,
    found: np.ndarray,
) -> None:
    """Take the step of the frame before, which is 0 at the first, and predict."""
    channels, size, terms, steps = found.shape[0], taps.shape[0], scratch[0], scratch[1]
    seen, before = rests[at - size : at], rests[at - channels - size : at - channels]
    for c in range(channels):
        steps[c] = step[c]
    filled = channels
    while filled < size:  # the same for each tap, so that one loop goes through all of them
        more = steps[filled : 2 * filled]
        for place in range(filled):
            more[place] = steps[place]
        filled *= 2
    for place in range(size):
        tap = taps[place] + steps[place] * before[place]
        taps[place] = tap
        terms[place] = tap * seen[place]
    _add_up(terms, size, found)


@compiled
def _add_up(terms: np.ndarray, size: int, found: np.ndarray) -> None:
    """Sums over taps, 2^n of them, of terms of all taps of all channels: halves, then halves."""
    half = size // 2
    while half >= found.shape[0]:
        upper = terms[half : 2 * half]
        for place in range(half):
            terms[place] += upper[place]
        half //= 2
    for c in range(found.shape[0]):
        found[c] = terms[c]
