"""Prediction frame by frame, compiled; what it is for stands in `prediction`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from codecctl.engine.lossless.compiled import compiled
from codecctl.engine.lossless.taps import from_all, from_last, from_own, from_rest

PAST = 32
"""The longest past that anything is predicted from."""
KEPT = PAST + 1
"""Frames that lie before those of a block: the step of the last tap is taken a frame later."""
OWN = 16
"""Samples of its own that a channel is predicted from with a short memory; 2^n, as the taps are."""
FAST = 16
"""Taps of the first stage of normalised least mean squares; the second has `PAST`."""
BLOCK = 128
"""Frames that are predicted with the same weights, at most: sums of products stay exact."""
AT_ONCE, _PAIR = 32, 2
"""Frames that are predicted at once from all channels: known ones, and those to be decoded."""
_GROUP = 8
"""Channels that are decoded one after the other before those behind them take account of them."""
_RATE = 0.005
_FORGET = 1 / 32
_HALF = np.float32(0.5)


class Window(NamedTuple):
    """The last frames and those of a block, (KEPT + BLOCK, C) float32, zeros before a segment."""

    samples: np.ndarray
    """Whole numbers."""
    mixed: np.ndarray
    """What the mixture leaves of them."""
    second: np.ndarray
    """What the first stage leaves of that."""


class Weights(NamedTuple):
    """What predictions are made with, float32."""

    long: np.ndarray
    """(D, C) for all channels, from the oldest."""
    short: np.ndarray
    """The same of fewer frames."""
    own: np.ndarray
    """(OWN, C), from the oldest."""
    fast: np.ndarray
    """(FAST, C) of the first stage, from the oldest; adapted here."""
    slow: np.ndarray
    """(PAST, C) of the second stage."""


class Running(NamedTuple):
    """What follows every frame."""

    errors: np.ndarray
    """(3, C) running squares of what long, short and own weights leave."""
    powers: np.ndarray
    """(2, C) of what each stage sees."""
    steps: np.ndarray
    """(2, C) float32, how far each stage steps next."""
    work: np.ndarray
    """(7, C) float32: five predictions of a frame, and the shares of the first two."""
    ahead: np.ndarray
    """(2, AT_ONCE, C) float32, predictions of frames from all channels."""
    terms: np.ndarray
    """(2, PAST C) float32 for calculations."""


@compiled
def run(
    values: np.ndarray,
    decode: bool,
    edges: tuple[np.float32, np.float32],
    window: Window,
    weights: Weights,
    running: Running,
) -> bool:
    """Predict the frames of a block and take what is left of them, or put it back.

    Args:
        values: (T, C) int64, T at most BLOCK: samples, or what was left of them; the other one is
            written over it.
        decode: Which way.
        edges: The smallest and the largest sample.
        window: The frames before the block; those of the block are written.
        weights: Of the block.
        running: Of the frames before.

    Returns:
        Whether all samples lie within the edges.
    """
    samples, mixed, channels = window.samples, window.mixed, values.shape[1]
    heard, once, twice = samples.reshape(-1), mixed.reshape(-1), window.second.reshape(-1)
    own, fast = weights.own.reshape(-1), weights.fast.reshape(-1)
    slow, both = weights.slow.reshape(-1), (weights.long, weights.short)
    steps, work, ahead, terms = running.steps, running.work, running.ahead, running.terms
    many = _PAIR if decode else AT_ONCE
    if not decode:
        for frame in range(values.shape[0]):
            for c in range(channels):
                samples[frame + KEPT, c] = np.float32(values[frame, c])
    for frame in range(values.shape[0]):
        now, place = frame + KEPT, frame % many
        at, end = now * channels, min(many, values.shape[0] - frame)
        for k in range(2):
            if place == 0:
                from_all(both[k], heard, at, decode, ahead[k, :end])
            elif decode:
                from_last(both[k], heard, at, ahead[k, place : place + 1])
            for c in range(channels):
                work[k, c] = ahead[k, place, c]
        from_own(own, heard, at, terms[0], work[2])
        from_rest(fast, once, at, steps[0], terms, work[3])
        from_rest(slow, twice, at, steps[1], terms, work[4])
        _shares(running.errors, work[5], work[6])
        if not decode:
            _take_frame(samples[now], values[frame], edges, mixed[now], work)
        elif not _put_frame(samples[now], values[frame], edges, both, mixed[now], work):
            return False
        _follow(window, now, running)
    return True


@compiled
def _take_frame(
    samples: np.ndarray,
    values: np.ndarray,
    edges: tuple[np.float32, np.float32],
    mixed: np.ndarray,
    work: np.ndarray,
) -> None:
    """What is left of a frame (C,), whose samples are all known."""
    first, other, own, one, two = work[0], work[1], work[2], work[3], work[4]
    long, short, least, most = work[5], work[6], edges[0], edges[1]
    for c in range(samples.shape[0]):
        guess = own[c] + long[c] * (first[c] - own[c]) + short[c] * (other[c] - own[c])
        whole = np.floor(guess + (one[c] + two[c] + _HALF))
        values[c] = int(samples[c] - min(max(whole, least), most))
        mixed[c] = samples[c] - guess


@compiled
def _put_frame(
    samples: np.ndarray,
    values: np.ndarray,
    edges: tuple[np.float32, np.float32],
    weights: tuple[np.ndarray, np.ndarray],
    mixed: np.ndarray,
    work: np.ndarray,
) -> bool:
    """Channel after channel of a frame: each is known before it helps to predict the next.

    Some channels take what earlier ones of their group say; those behind them, what the group says.
    """
    channels, least, most = samples.shape[0], edges[0], edges[1]
    long = weights[0][weights[0].shape[0] - channels :]
    short = weights[1][weights[1].shape[0] - channels :]
    first, other, own, one, two = work[0], work[1], work[2], work[3], work[4]
    for group in range(0, channels, _GROUP):
        end = min(group + _GROUP, channels)
        for c in range(group, end):
            near, far = first[c], other[c]
            for k in range(group, c):
                near += long[k, c] * samples[k]
                far += short[k, c] * samples[k]
            first[c], other[c] = near, far
            guess = own[c] + work[5, c] * (near - own[c]) + work[6, c] * (far - own[c])
            whole = np.floor(guess + (one[c] + two[c] + _HALF))
            value = min(max(whole, least), most) + np.float32(values[c])
            if not least <= value <= most:
                return False
            samples[c] = value
            values[c] = int(value)
            mixed[c] = value - guess
        if end < channels:
            _add_group(long, samples, group, first)
            _add_group(short, samples, group, other)
    return True


@compiled
def _add_group(weights: np.ndarray, samples: np.ndarray, group: int, found: np.ndarray) -> None:
    """What a group of channels says of those behind it."""
    a, b, c, d = samples[group], samples[group + 1], samples[group + 2], samples[group + 3]
    e, f, g, h = samples[group + 4], samples[group + 5], samples[group + 6], samples[group + 7]
    rows = weights[group : group + _GROUP]
    # An index that might be negative would keep the loop from becoming vector instructions.
    for k in range(np.uint64(group + _GROUP), np.uint64(found.shape[0])):
        value = found[k] + rows[0, k] * a
        value = value + rows[1, k] * b
        value = value + rows[2, k] * c
        value = value + rows[3, k] * d
        value = value + rows[4, k] * e
        value = value + rows[5, k] * f
        value = value + rows[6, k] * g
        found[k] = value + rows[7, k] * h


@compiled
def _shares(errors: np.ndarray, long: np.ndarray, short: np.ndarray) -> None:
    """Parts of the first two predictions of three, by their running errors."""
    for c in range(errors.shape[1]):
        first, other = errors[0, c] * errors[0, c], errors[1, c] * errors[1, c]
        own = errors[2, c] * errors[2, c]
        last, ahead = first / other, first / own
        part = 1.0 / (1.0 + last + ahead)
        long[c], short[c] = np.float32(part), np.float32(last * part)


@compiled
def _follow(window: Window, now: int, running: Running) -> None:
    """Running errors, powers, and how far each stage steps."""
    samples, mixed, second = window
    errors, powers, steps, work = running.errors, running.powers, running.steps, running.work
    for k in range(3):
        for c in range(samples.shape[1]):
            error = np.float64(samples[now, c]) - np.float64(work[k, c])
            errors[k, c] += _FORGET * (error * error - errors[k, c]) + 0.001
    for c in range(samples.shape[1]):
        left = mixed[now, c] - work[3, c]
        second[now, c] = left
        rest = np.float64(left) - np.float64(work[4, c])
        steps[0, c] = np.float32(_RATE * np.float64(left) / (powers[0, c] + 1.0))
        steps[1, c] = np.float32(_RATE * rest / (powers[1, c] + 1.0))
    _add_power(powers[0], mixed[now], mixed[now - FAST])
    _add_power(powers[1], second[now], second[now - PAST])


@compiled
def _add_power(power: np.ndarray, came: np.ndarray, gone: np.ndarray) -> None:
    for c in range(power.shape[0]):
        new, old = np.float64(came[c]), np.float64(gone[c])
        power[c] = max(0.0, power[c] + (new * new - old * old))
