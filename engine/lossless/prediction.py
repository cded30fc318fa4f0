"""Linear prediction across time and channels that learns from what is coded already.

Nothing is sent but what the prediction leaves: a decoder has the same past and comes to the same
weights. A sample is predicted twice, by least squares from the last samples of all channels and
the present ones of earlier channels, and from a longer past of its own with a shorter memory; the
two are mixed by their recent errors, and two stages of normalised least mean squares follow.
The parts are those of RLS-LMS prediction in MPEG-4 ALS (ISO/IEC 14496-3, subpart 11); that one
covariance, factored once, serves all channels is what makes it affordable for 32 of them.

Samples are whole numbers below 2^23 and frames come in blocks of at most 128, so that sums of
products of a block are exact in float64 in any order. All else is `recursion` and
`least_squares`, in one order.
"""

from __future__ import annotations

import zlib
from functools import cache

import numpy as np

from codecctl.engine.lossless.least_squares import (
    gather_own,
    gather_shared,
    solve_own,
    solve_shared,
)
from codecctl.engine.lossless.recursion import FAST, PAST, run

MOST_CHANNELS = 64
_SHARED = 192
"""Past samples of all channels together, about."""
_FIRST_BLOCK, _EARLY = 32, 512
_BLOCK = 128
_SHARED_DECAY = 0.9998
_OWN_DECAY = 0.998
_LONGEST = 1024
"""Frames between two solutions for all channels."""
_RIDGE = 1.0
"""Of the power of what is left: the inverse of the variance that weights are expected to have."""


def left_of(samples: np.ndarray, *, bits: int) -> np.ndarray:
    """What prediction leaves of a segment.

    Args:
        samples: (T, C) whole numbers of `bits` bits.
        bits: Of a sample.

    Returns:
        (T, C) int64.
    """
    left = np.zeros(samples.shape, np.int64)
    _Predictor(samples, left, bits).run(decode=False)
    return left


def restored(left: np.ndarray, *, bits: int) -> np.ndarray | None:
    """The segment of which that is left: (T, C) to (T, C) int64; None if no segment leaves it."""
    predictor = _Predictor(np.zeros(left.shape), left, bits)
    inside = predictor.run(decode=True)
    return predictor.samples[PAST:].astype(np.int64) if inside else None


@cache
def check() -> int:
    """CRC-32 of what is left of a noise: equal where the arithmetic is."""
    state, drawn = 1, []
    for _ in range(3 * 200):
        state = (1103515245 * state + 12345) % (1 << 31)
        drawn.append((state >> 15) % 2001 - 1000)
    noise = np.cumsum(np.array(drawn).reshape(200, 3), axis=0)
    return zlib.crc32(left_of(noise, bits=24).astype("<i4").tobytes())


def _power(base: float, exponent: int) -> float:
    """By multiplication alone: the mathematics library's last bit differs by machine."""
    value = 1.0
    for _ in range(exponent):
        value *= base
    return value


class _Predictor:
    """A segment on its way.

    Attributes:
        samples: (PAST + T, C) float64, zeros first.
    """

    def __init__(self, samples: np.ndarray, left: np.ndarray, bits: int) -> None:
        frames, channels = samples.shape
        self.samples = np.zeros((PAST + frames, channels))
        self.samples[PAST:] = samples
        self._left = left
        self._edge = float(1 << (bits - 1))
        self._lags = max(1, min(PAST, _SHARED // channels))
        size = (self._lags + 1) * channels
        self._gram, self._some = np.zeros((2, size, size))
        self._own_gram, self._own_some = np.zeros((2, PAST + 1, PAST + 1, channels))
        self._shared, self._own = np.zeros((size, channels)), np.zeros((PAST, channels))
        self._stages = np.zeros((FAST, channels)), np.zeros((PAST, channels))
        self._errors = np.ones((2, channels))
        self._rests = np.zeros(self.samples.shape), np.zeros(self.samples.shape)

    def run(self, *, decode: bool) -> bool:
        """Predict all frames; whether all samples lie within their bits."""
        frames, due = len(self._left), 0
        weights = (self._shared, self._own, *self._stages)
        at, inside = 0, True
        while at < frames:
            end = min(frames, at + (_FIRST_BLOCK if at < _EARLY else _BLOCK))
            inside = run(
                self.samples,
                self._left,
                (at, end),
                decode,
                self._edge,
                weights,
                self._errors,
                self._rests,
            )
            if not inside:
                break
            if end < frames:
                self._learn(at, end, solve=end >= due)
            if end >= due:
                due = end + min(end // 8, _LONGEST)
            at = end
        return inside

    def _learn(self, at: int, end: int, *, solve: bool) -> None:
        length, channels = end - at, self.samples.shape[1]
        windows = np.lib.stride_tricks.sliding_window_view(
            self.samples[PAST - self._lags + at : PAST + end].ravel(), len(self._gram)
        )[::channels]
        self._some[:, -channels:] = windows.T @ self.samples[PAST + at : PAST + end]
        span = (at, end)
        gather_shared(self._gram, self._some, self.samples, span, _power(_SHARED_DECAY, length))
        gather_own(self._own_gram, self._own_some, self.samples, span, _power(_OWN_DECAY, length))
        if solve:
            ridge = _RIDGE * (sum(self._errors[0].tolist()) / channels) + 1.0
            solve_shared(self._gram.copy(), ridge, self._shared)
        solve_own(self._own_gram.copy(), _RIDGE * self._errors[1] + 1.0, self._own)
