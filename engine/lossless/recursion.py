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
AT_ONCE, _PAIR = 32, 2
"""Frames that are predicted at once from all channels: known ones, and those to be decoded."""


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
    scratch: tuple[np.ndarray, np.ndarray],
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
        scratch: (6, C) and (2, AT_ONCE, C).

    Returns:
        Whether all samples lie within the edges.
    """
    long, short, own, fast, slow = weights
    mixed, second = rests
    work, ahead = scratch
    many = _PAIR if decode else AT_ONCE
    for frame in range(span[0], span[1]):
        now, place = frame + PAST, (frame - span[0]) % many
        if place == 0:
            count = min(many, span[1] - frame)
            _from_all(long, samples, now, decode, ahead[0, :count])
            _from_all(short, samples, now, decode, ahead[1, :count])
        elif decode:
            _from_last(long, samples, now, ahead[0, place])
            _from_last(short, samples, now, ahead[1, place])
        for k in range(2):
            for c in range(samples.shape[1]):
                work[k, c] = ahead[k, place, c]
        _from_own(own, samples, now, work[2])
        _from_rest(fast, mixed, now, steps[0], work[3])
        _from_rest(slow, second, now, steps[1], work[4])
        _shares(errors, work[5], mixed[now])
        if not decode:
            _take_frame(samples, left, frame, edge, mixed, work)
        elif not _put_frame(samples, left, frame, edge, (long, short), mixed, work):
            return False
        _follow(samples, now, errors, mixed, second, steps, work)
    return True


@compiled
def _from_all(
    weights: np.ndarray, samples: np.ndarray, now: int, decode: bool, found: np.ndarray
) -> None:
    """Predict some frames (N, C) at once, so that weights are fetched once for all of them.

    Where they are still to be decoded, the ends of their sums are left out: what is taken from the
    frame itself (`_put_frame`), and by the second of two from the first (`_from_last`).
    """
    channels = samples.shape[1]
    common = past = weights.shape[0] - channels
    if not decode:
        common = past = weights.shape[0]
    elif found.shape[0] > 1:
        common = past - channels
    found[:] = 0.0
    _add_rows(weights, samples, now, (0, common), found)
    _add_rows(weights, samples, now, (common, past), found[:1])


@compiled
def _from_last(weights: np.ndarray, samples: np.ndarray, now: int, found: np.ndarray) -> None:
    """What `_from_all` left out of the second of two frames, the first of which is known now."""
    channels = samples.shape[1]
    count = weights.shape[0] - channels
    _add_rows(weights, samples, now, (count - channels, count), found.reshape((1, channels)))


@compiled
def _add_rows(
    weights: np.ndarray, samples: np.ndarray, now: int, rows: tuple[int, int], found: np.ndarray
) -> None:
    """Add to predictions of frames (N, C) what some rows of weights say of their past."""
    frames, channels = found.shape
    behind = now * channels - (weights.shape[0] - channels)
    flat = samples.reshape(-1)
    grouped = rows[1] - (rows[1] - rows[0]) % 8
    for at in range(rows[0], grouped, 8):  # eight at once, one after the other: fewer stores
        for frame in range(frames):
            past = flat[behind + frame * channels + at :]
            a, b, c, d = past[0], past[1], past[2], past[3]
            e, f, g, h = past[4], past[5], past[6], past[7]
            for k in range(channels):
                value = found[frame, k] + weights[at, k] * a
                value = value + weights[at + 1, k] * b
                value = value + weights[at + 2, k] * c
                value = value + weights[at + 3, k] * d
                value = value + weights[at + 4, k] * e
                value = value + weights[at + 5, k] * f
                value = value + weights[at + 6, k] * g
                found[frame, k] = value + weights[at + 7, k] * h
    for at in range(grouped, rows[1]):
        for frame in range(frames):
            past = flat[behind + frame * channels + at :]
            for k in range(channels):
                found[frame, k] += weights[at, k] * past[0]


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
    for lag in range(0, taps.shape[0], 4):
        last = now - 1 - lag
        for c in range(taps.shape[1]):
            two, three, four = rests[last - 1, c], rests[last - 2, c], rests[last - 3, c]
            first = taps[lag, c] + step[c] * two
            second = taps[lag + 1, c] + step[c] * three
            third = taps[lag + 2, c] + step[c] * four
            fourth = taps[lag + 3, c] + step[c] * rests[last - 4, c]
            taps[lag, c], taps[lag + 1, c] = first, second
            taps[lag + 2, c], taps[lag + 3, c] = third, fourth
            value = found[c] + first * rests[last, c]
            value = value + second * two
            value = value + third * three
            found[c] = value + fourth * four


@compiled
def _take_frame(
    samples: np.ndarray,
    left: np.ndarray,
    frame: int,
    edge: float,
    mixed: np.ndarray,
    work: np.ndarray,
) -> None:
    """What is left of a frame, whose samples are all known."""
    first, other, own, one, two, long = work[0], work[1], work[2], work[3], work[4], work[5]
    now = frame + PAST
    for c in range(samples.shape[1]):
        guess = own[c] + long[c] * (first[c] - own[c]) + mixed[now, c] * (other[c] - own[c])
        whole = np.floor(guess + one[c] + two[c] + 0.5)
        whole = min(max(whole, -edge), edge - 1.0)
        left[frame, c] = int(samples[now, c] - whole)
        mixed[now, c] = samples[now, c] - guess


@compiled
def _put_frame(
    samples: np.ndarray,
    left: np.ndarray,
    frame: int,
    edge: float,
    weights: tuple[np.ndarray, np.ndarray],
    mixed: np.ndarray,
    work: np.ndarray,
) -> bool:
    """Channel after channel: each is known before it helps to predict the next."""
    long, short = weights
    channels, now = samples.shape[1], frame + PAST
    first, other, own, one, two, share = work[0], work[1], work[2], work[3], work[4], work[5]
    for c in range(channels):
        guess = own[c] + share[c] * (first[c] - own[c]) + mixed[now, c] * (other[c] - own[c])
        whole = np.floor(guess + one[c] + two[c] + 0.5)
        value = min(max(whole, -edge), edge - 1.0) + left[frame, c]
        if not -edge <= value < edge:
            return False
        samples[now, c] = value
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
