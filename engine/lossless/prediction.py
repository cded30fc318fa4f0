"""Linear prediction across time and channels that learns from what is coded already.

Nothing is sent but what the prediction leaves: a decoder has the same past and comes to the same
weights. A sample is predicted three times: by least squares from the last samples of all channels
and the present ones of earlier channels, from fewer of them with a shorter memory, and from its own
past alone with a shorter one still; the three are mixed by their recent errors, and two stages of
normalised least mean squares follow.
The parts are those of RLS-LMS prediction in MPEG-4 ALS (ISO/IEC 14496-3, subpart 11); that one
covariance, factored once, serves all channels is what makes it affordable for 32 of them.

Samples are whole numbers below 2^23 and frames come in blocks of at most 128, so that sums of
products of a block are exact in float64 in any order. All else is `recursion` and
`least_squares`, in one order.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache

import numpy as np

from codecctl.engine.lossless.least_squares import (
    gather_own,
    gather_shared,
    products,
    solve_own,
    solve_shared,
)
from codecctl.engine.lossless.memory import zeros
from codecctl.engine.lossless.recursion import AT_ONCE, FAST, OWN, PAST, run

MOST_CHANNELS = 64
_MOST_SHORT = 16
_FIRST_BLOCK, _EARLY = 32, 512
_BLOCK = 128
_SHORT_DECAY = 0.999
_OWN_DECAY = 0.998
_PATIENCE = 4
"""A part of the frames so far lies between two solutions at the beginning: one over this."""
_RIDGE = 1.0
"""Of the power of what is left: the inverse of the variance that weights are expected to have."""


@dataclass(frozen=True)
class Effort:
    """What prediction may cost.

    Attributes:
        long, short: Past samples of all channels together, about, with a long and a short memory.
        decay: Of the long memory, a frame.
        longest, often: Frames between two solutions with the long and the short one, at most.
    """

    long: int
    short: int
    decay: float
    longest: int
    often: int


EFFORTS = {
    "normal": Effort(long=192, short=64, decay=0.9998, longest=1024, often=512),
    "high": Effort(long=512, short=128, decay=0.9999, longest=2048, often=128),
}
"""In the order of their numbers in a file."""


def left_of(samples: np.ndarray, *, bits: int, effort: str = "normal") -> np.ndarray:
    """What prediction leaves of a segment.

    Args:
        samples: (T, C) whole numbers of `bits` bits.
        bits: Of a sample.
        effort: One of `EFFORTS`.

    Returns:
        (T, C) int64.
    """
    left = np.zeros(samples.shape, np.int64)
    _Predictor(samples, left, bits, EFFORTS[effort]).run(decode=False)
    return left


def restored(left: np.ndarray, *, bits: int, effort: str = "normal") -> np.ndarray | None:
    """The segment of which that is left: (T, C) to (T, C) int64; None if no segment leaves it."""
    predictor = _Predictor(np.zeros(left.shape), left, bits, EFFORTS[effort])
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
    return zlib.crc32(left_of(noise, bits=24, effort="high").astype("<i4").tobytes())


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

    def __init__(self, samples: np.ndarray, left: np.ndarray, bits: int, effort: Effort) -> None:
        frames, channels = samples.shape
        self._left = left
        self._edge = float(1 << (bits - 1))
        lags = max(1, min(PAST, effort.long // channels))
        few = max(1, min(_MOST_SHORT, effort.short // channels))
        self._long, self._short = (
            _Shared(lags, channels, effort.decay, effort.longest),
            _Shared(few, channels, _SHORT_DECAY, effort.often),
        )
        self._own_gram, self._own_some = zeros(*[(OWN + 1, OWN + 1, channels)] * 2)
        self.samples, mixed, second = zeros(*[(PAST + frames, channels)] * 3)
        self.samples[PAST:] = samples
        self._rests = mixed, second
        self._own, fast, slow = zeros((OWN, channels), (FAST, channels), (PAST, channels))
        self._stages = fast, slow
        self._errors, self._steps, work, ahead, self._sums = zeros(
            (3, channels),
            (4, channels),
            (6, channels),
            (2, AT_ONCE, channels),
            ((lags + 1) * channels, channels),
        )
        self._errors[:] = 1.0
        self._scratch = work, ahead

    def run(self, *, decode: bool) -> bool:
        """Predict all frames; whether all samples lie within their bits."""
        frames = len(self._left)
        weights = (self._long.weights, self._short.weights, self._own, *self._stages)
        at, inside = 0, True
        while at < frames and inside:
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
                self._steps,
                self._scratch,
            )
            if inside and end < frames:
                self._learn(at, end)
            at = end
        return inside

    def _learn(self, at: int, end: int) -> None:
        products(self.samples, (at, end), self._sums)
        for which, shared in enumerate((self._long, self._short)):
            shared.add(self._sums)
            if end >= shared.due:
                shared.solve(self.samples, end, self._ridge(which))
        decay = _power(_OWN_DECAY, end - at)
        gather_own(self._own_gram, self._own_some, self.samples, (at, end), decay)
        solve_own(self._own_gram.copy(), _RIDGE * self._errors[2] + 1.0, self._own)

    def _ridge(self, which: int) -> float:
        errors: list[float] = self._errors[which].tolist()
        return _RIDGE * (sum(errors) / len(errors)) + 1.0


class _Shared:
    """Least squares for all channels from some last frames of all.

    Attributes:
        weights: ((lags + 1) C, C), from the oldest.
        due: Frames that a segment has when they are to be found again.
    """

    def __init__(self, lags: int, channels: int, decay: float, longest: int) -> None:
        size = (lags + 1) * channels
        self._decay, self._longest = decay, longest
        self._since, self.due = 0, 0
        self.weights, self._latest = zeros(*[(size, channels)] * 2)
        self._gram, self._some, self._factored = zeros(*[(size, size)] * 3)

    def add(self, sums: np.ndarray) -> None:
        """Take sums of products of the last frames, of more lags or as many, with each frame."""
        self._latest += sums[-len(self._latest) :]

    def solve(self, samples: np.ndarray, end: int, ridge: float) -> None:
        """Take the frames up to `end`, whose sums were added, and find the weights."""
        decay = _power(self._decay, end - self._since)
        self._some[:, -self.weights.shape[1] :] = self._latest
        self._latest[:] = 0.0
        gather_shared(self._gram, self._some, samples, (self._since, end), decay)
        self._factored[:] = self._gram
        solve_shared(self._factored, ridge, self.weights)
        self._since, self.due = end, end + min(end // _PATIENCE, self._longest)
