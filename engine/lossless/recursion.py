"""Prediction frame by frame, compiled; what it is for stands in `prediction`."""

from __future__ import annotations

import numpy as np

from codecctl.engine.lossless.compiled import compiled

PAST = 32
"""Samples before a segment, zeros; the longest past that anything is predicted from."""
FAST = 16
"""Taps of the first stage of normalised least mean squares; the second has `PAST`."""
_RATE = 0.005
_FORGET = 1 / 32


@compiled
def run(
    samples: np.ndarray,
    left: np.ndarray,
    span: tuple[int, int],
    decode: bool,
    edge: float,
    weights: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    errors: np.ndarray,
    rests: tuple[np.ndarray, np.ndarray],
) -> bool:
    """Predict frames and take what is left of them, or put it back.

    Args:
        samples: (PAST + T, C) float64, whole numbers; written when decoding.
        left: (T, C) int64; written when encoding.
        span: First frame, and the one after the last.
        decode: Which way.
        edge: Samples lie within -edge and edge - 1.
        weights: Shared (D, C), from the oldest; own (PAST, C), from the latest; of the stages
            (FAST, C) and (PAST, C), from the latest, adapted here.
        errors: (2, C) running squares of what shared and own weights leave.
        rests: (PAST + T, C) each: what the mixture leaves, and what the first stage leaves.

    Returns:
        Whether all samples lie within the edges.
    """
    shared, own, fast, slow = weights
    mixed, second = rests
    work = np.empty((6, samples.shape[1]))
    for frame in range(span[0], span[1]):
        now = frame + PAST
        _from_all(shared, samples, now, work[0])
        _from_own(own, samples, now, work[1])
        _from_rest(fast, mixed, now, work[2], work[4])
        _from_rest(slow, second, now, work[3], work[5])
        if not _one_frame(samples, left, frame, decode, edge, shared, errors, mixed, work):
            return False
        _follow(samples, now, errors, mixed, second, work)
        _adapt(fast, mixed, now, work[4])
        _adapt(slow, second, now, work[5])
    return True


@compiled
def _from_all(shared: np.ndarray, samples: np.ndarray, now: int, found: np.ndarray) -> None:
    channels = samples.shape[1]
    count = shared.shape[0] - channels
    past = samples.reshape(-1)[now * channels - count : now * channels]
    found[:] = 0.0
    for at in range(0, count - 3, 4):  # four at once, one after the other: fewer stores
        one, two, three, four = past[at], past[at + 1], past[at + 2], past[at + 3]
        for c in range(channels):
            value = found[c] + shared[at, c] * one
            value = value + shared[at + 1, c] * two
            value = value + shared[at + 2, c] * three
            found[c] = value + shared[at + 3, c] * four
    for at in range(count - count % 4, count):
        for c in range(channels):
            found[c] += shared[at, c] * past[at]


@compiled
def _from_own(own: np.ndarray, samples: np.ndarray, now: int, found: np.ndarray) -> None:
    found[:] = 0.0
    for lag in range(0, PAST, 4):
        last = now - 1 - lag
        for c in range(samples.shape[1]):
            value = found[c] + own[lag, c] * samples[last, c]
            value = value + own[lag + 1, c] * samples[last - 1, c]
            value = value + own[lag + 2, c] * samples[last - 2, c]
            found[c] = value + own[lag + 3, c] * samples[last - 3, c]


@compiled
def _from_rest(
    taps: np.ndarray, rests: np.ndarray, now: int, found: np.ndarray, power: np.ndarray
) -> None:
    found[:] = 0.0
    power[:] = 0.0
    for lag in range(0, taps.shape[0], 2):
        last = now - 1 - lag
        for c in range(taps.shape[1]):
            one, two = rests[last, c], rests[last - 1, c]
            value = found[c] + taps[lag, c] * one
            found[c] = value + taps[lag + 1, c] * two
            square = power[c] + one * one
            power[c] = square + two * two


@compiled
def _one_frame(
    samples: np.ndarray,
    left: np.ndarray,
    frame: int,
    decode: bool,
    edge: float,
    shared: np.ndarray,
    errors: np.ndarray,
    mixed: np.ndarray,
    work: np.ndarray,
) -> bool:
    """Channel after channel: each is known before it helps to predict the next."""
    channels, now = samples.shape[1], frame + PAST
    near, far, one, two = work[0], work[1], work[2], work[3]
    for c in range(channels):
        first, other = errors[0, c] * errors[0, c], errors[1, c] * errors[1, c]
        guess = far[c] + other / (first + other) * (near[c] - far[c])
        whole = np.floor(guess + one[c] + two[c] + 0.5)
        whole = min(max(whole, -edge), edge - 1.0)
        if decode:
            samples[now, c] = whole + left[frame, c]
            if not -edge <= samples[now, c] < edge:
                return False
        else:
            left[frame, c] = int(samples[now, c] - whole)
        value = samples[now, c]
        mixed[now, c] = value - guess
        place = shared.shape[0] - channels + c
        for later in range(c + 1, channels):
            near[later] += shared[place, later] * value
    return True


@compiled
def _follow(
    samples: np.ndarray,
    now: int,
    errors: np.ndarray,
    mixed: np.ndarray,
    second: np.ndarray,
    work: np.ndarray,
) -> None:
    """Running errors, and in the place of powers how far each stage steps."""
    for c in range(samples.shape[1]):
        first, other = samples[now, c] - work[0, c], samples[now, c] - work[1, c]
        errors[0, c] += _FORGET * (first * first - errors[0, c]) + 0.001
        errors[1, c] += _FORGET * (other * other - errors[1, c]) + 0.001
        second[now, c] = mixed[now, c] - work[2, c]
        work[4, c] = _RATE * second[now, c] / (work[4, c] + 1.0)
        work[5, c] = _RATE * (second[now, c] - work[3, c]) / (work[5, c] + 1.0)


@compiled
def _adapt(taps: np.ndarray, rests: np.ndarray, now: int, step: np.ndarray) -> None:
    for lag in range(taps.shape[0]):
        for c in range(taps.shape[1]):
            taps[lag, c] += step[c] * rests[now - 1 - lag, c]
