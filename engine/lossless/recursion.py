"""Prediction frame by frame, compiled; what it is for stands in `prediction`."""

from __future__ import annotations

import numpy as np

from codecctl.engine.lossless.compiled import compiled

PAST = 32
"""Samples before a segment, zeros; the longest past that anything is predicted from."""
OWN = 16
"""Samples of its own that a channel is predicted from with a short memory."""
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
    weights: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray],
    errors: np.ndarray,
    rests: tuple[np.ndarray, np.ndarray],
    steps: np.ndarray,
) -> bool:
    """Predict frames and take what is left of them, or put it back.

    Args:
        samples: (PAST + T, C) float64, whole numbers; written when decoding.
        left: (T, C) int64; written when encoding.
        span: First frame, and the one after the last.
        decode: Which way.
        edge: Samples lie within -edge and edge - 1.
        weights: Long and short ones for all channels (D, C), from the oldest; own (OWN, C), from
            the latest; of the stages (FAST, C) and (PAST, C), from the latest, adapted here.
        errors: (3, C) running squares of what long, short and own weights leave.
        rests: (PAST + T, C) each: what the mixture leaves, and what the first stage leaves.
        steps: (4, C) how far each stage steps next, and the powers of what it sees.

    Returns:
        Whether all samples lie within the edges.
    """
    long, short, own, fast, slow = weights
    mixed, second = rests
    work = np.empty((6, samples.shape[1]))
    for frame in range(span[0], span[1]):
        now = frame + PAST
        _from_all(long, samples, now, work[0])
        _from_all(short, samples, now, work[1])
        _from_own(own, samples, now, work[2])
        _from_rest(fast, mixed, now, steps[0], work[3])
        _from_rest(slow, second, now, steps[1], work[4])
        if not _one_frame(samples, left, frame, decode, edge, (long, short), errors, mixed, work):
            return False
        _follow(samples, now, errors, mixed, second, steps, work)
    return True


@compiled
def _from_all(weights: np.ndarray, samples: np.ndarray, now: int, found: np.ndarray) -> None:
    channels = samples.shape[1]
    count = weights.shape[0] - channels
    past = samples.reshape(-1)[now * channels - count : now * channels]
    found[:] = 0.0
    for at in range(0, count - 7, 8):  # eight at once, one after the other: fewer stores
        a, b, c, d = past[at], past[at + 1], past[at + 2], past[at + 3]
        e, f, g, h = past[at + 4], past[at + 5], past[at + 6], past[at + 7]
        for k in range(channels):
            value = found[k] + weights[at, k] * a
            value = value + weights[at + 1, k] * b
            value = value + weights[at + 2, k] * c
            value = value + weights[at + 3, k] * d
            value = value + weights[at + 4, k] * e
            value = value + weights[at + 5, k] * f
            value = value + weights[at + 6, k] * g
            found[k] = value + weights[at + 7, k] * h
    for at in range(count - count % 8, count):
        for k in range(channels):
            found[k] += weights[at, k] * past[at]


@compiled
def _from_own(own: np.ndarray, samples: np.ndarray, now: int, found: np.ndarray) -> None:
    found[:] = 0.0
    for lag in range(0, own.shape[0], 4):
        last = now - 1 - lag
        for c in range(samples.shape[1]):
            value = found[c] + own[lag, c] * samples[last, c]
            value = value + own[lag + 1, c] * samples[last - 1, c]
            value = value + own[lag + 2, c] * samples[last - 2, c]
            found[c] = value + own[lag + 3, c] * samples[last - 3, c]


@compiled
def _from_rest(
    taps: np.ndarray, rests: np.ndarray, now: int, step: np.ndarray, found: np.ndarray
) -> None:
    """Take the step of the frame before, which is 0 at the first, and predict."""
    found[:] = 0.0
    for lag in range(0, taps.shape[0], 2):
        last = now - 1 - lag
        for c in range(taps.shape[1]):
            one, two = rests[last, c], rests[last - 1, c]
            first = taps[lag, c] + step[c] * two
            other = taps[lag + 1, c] + step[c] * rests[last - 2, c]
            taps[lag, c], taps[lag + 1, c] = first, other
            value = found[c] + first * one
            found[c] = value + other * two


@compiled
def _one_frame(
    samples: np.ndarray,
    left: np.ndarray,
    frame: int,
    decode: bool,
    edge: float,
    weights: tuple[np.ndarray, np.ndarray],
    errors: np.ndarray,
    mixed: np.ndarray,
    work: np.ndarray,
) -> bool:
    """Channel after channel: each is known before it helps to predict the next."""
    long, short = weights
    channels, now = samples.shape[1], frame + PAST
    first, other, own, one, two = work[0], work[1], work[2], work[3], work[4]
    _shares(errors, work[5], mixed[now])
    for c in range(channels):
        guess = own[c] + work[5, c] * (first[c] - own[c]) + mixed[now, c] * (other[c] - own[c])
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
        place, near = long.shape[0] - channels + c, short.shape[0] - channels + c
        for k in range(channels):  # weights of earlier channels are 0
            first[k] += long[place, k] * value
            other[k] += short[near, k] * value
    return True


@compiled
def _shares(errors: np.ndarray, long: np.ndarray, short: np.ndarray) -> None:
    """Parts of the first two predictions of three, by their running errors."""
    for c in range(errors.shape[1]):
        first, other = errors[0, c] * errors[0, c], errors[1, c] * errors[1, c]
        own = errors[2, c] * errors[2, c]
        last, ahead = first / other, first / own
        long[c] = 1.0 / (1.0 + last + ahead)
        short[c] = last * long[c]


@compiled
def _follow(
    samples: np.ndarray,
    now: int,
    errors: np.ndarray,
    mixed: np.ndarray,
    second: np.ndarray,
    steps: np.ndarray,
    work: np.ndarray,
) -> None:
    """Running errors, powers, and how far each stage steps."""
    for c in range(samples.shape[1]):
        for k in range(3):
            error = samples[now, c] - work[k, c]
            errors[k, c] += _FORGET * (error * error - errors[k, c]) + 0.001
    for c in range(samples.shape[1]):
        second[now, c] = mixed[now, c] - work[3, c]
        steps[0, c] = _RATE * second[now, c] / (steps[2, c] + 1.0)
        steps[1, c] = _RATE * (second[now, c] - work[4, c]) / (steps[3, c] + 1.0)
        came, gone = mixed[now, c], mixed[now - FAST, c]
        steps[2, c] = max(0.0, steps[2, c] + (came * came - gone * gone))
        came, gone = second[now, c], second[now - PAST, c]
        steps[3, c] = max(0.0, steps[3, c] + (came * came - gone * gone))
