"""Linear prediction across time and channels that learns from what is coded already.

Nothing is sent but what the prediction leaves: a decoder has the same past and comes to the same
weights. A sample is predicted three times: by least squares from the last samples of all channels
and the present ones of earlier channels, from fewer of them with a shorter memory, and from its own
past alone with a shorter one still; the three are mixed by their recent errors, and two stages of
normalised least mean squares follow.
The parts are those of RLS-LMS prediction in MPEG-4 ALS (ISO/IEC 14496-3, subpart 11); that one
covariance, factored once, serves all channels is what makes it affordable for 32 of them.

Samples are whole numbers below 2^23 and frames come in blocks of at most 128, so that sums of
products of a block are exact in float64 in any order. All else is `recursion`, `least_squares` and
`adaptation`, in one order. Only the last frames are kept, so that they stay in the cache.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache

import numpy as np

from codecctl.engine.lossless.adaptation import Own, Shared, State, advance
from codecctl.engine.lossless.memory import zeros
from codecctl.engine.lossless.recursion import (
    AT_ONCE,
    BLOCK,
    FAST,
    KEPT,
    OWN,
    PAST,
    Running,
    Weights,
    Window,
)

MOST_CHANNELS = 64
_MOST_SHORT = 16
_SHORT_DECAY = 0.999


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


class Predictor:
    """A segment on its way, frame after frame in one of two directions.

    Args:
        channels: Of its frames.
        bits: Of a sample.
        effort: One of `EFFORTS`.
    """

    def __init__(self, channels: int, *, bits: int, effort: str = "normal") -> None:
        edge = 1 << (bits - 1)
        self._edges = np.float32(-edge), np.float32(edge - 1)
        self._state = _beginning(channels, EFFORTS[effort])

    def leave(self, values: np.ndarray) -> None:
        """Put what prediction leaves of the next frames in their place.

        Args:
            values: (T, C) int64 samples of at most `bits` bits; T a multiple of `BLOCK` in all
                calls but the last.
        """
        advance(values, False, self._edges, self._state)

    def restore(self, values: np.ndarray) -> bool:
        """The inverse of `leave`, on what was left of the same frames; False if nothing was."""
        return bool(advance(values, True, self._edges, self._state))


def left_of(samples: np.ndarray, *, bits: int, effort: str = "normal") -> np.ndarray:
    """What prediction leaves of a segment: (T, C) whole numbers of `bits` bits to (T, C) int64."""
    left = np.array(samples, np.int64, order="C")
    Predictor(left.shape[1], bits=bits, effort=effort).leave(left)
    return left


@cache
def check() -> int:
    """CRC-32 of what is left of a noise: equal where the arithmetic is."""
    state, drawn = 1, []
    for _ in range(3 * 200):
        state = (1103515245 * state + 12345) % (1 << 31)
        drawn.append((state >> 15) % 2001 - 1000)
    noise = np.cumsum(np.array(drawn).reshape(200, 3), axis=0)
    return zlib.crc32(left_of(noise, bits=24, effort="high").astype("<i4").tobytes())


def _beginning(channels: int, effort: Effort) -> State:
    """Of a segment."""
    lags = max(1, min(PAST, effort.long // channels))
    few = max(1, min(_MOST_SHORT, effort.short // channels))
    sizes = (lags + 1) * channels, (few + 1) * channels
    frames = (KEPT + BLOCK, channels)
    rows = [(count, channels) for count in (2, 7, *sizes, OWN, FAST, PAST)]
    scratch = (2, AT_ONCE, channels), (2, PAST * channels)
    steps, work, *weights, ahead, terms = zeros(*rows, *scratch, dtype=np.float32)
    errors, powers, samples, sums = zeros(
        (3, channels), (2, channels), frames, (channels, sizes[0])
    )
    errors[:] = 1.0
    return State(
        window=Window(*zeros(*[frames] * 3, dtype=np.float32)),
        weights=Weights(*weights),
        running=Running(errors, powers, steps, work, ahead, terms),
        shared=(
            _shared(sizes[0], channels, effort.decay, effort.longest),
            _shared(sizes[1], channels, _SHORT_DECAY, effort.often),
        ),
        own=Own(*zeros(*[(OWN + 1, OWN + 1, channels)] * 3, (OWN, channels))),
        samples=samples,
        sums=sums,
        times=np.zeros(3, np.int64),
    )


def _shared(size: int, channels: int, decay: float, longest: int) -> Shared:
    gram, some, factored, latest, weights, before = zeros(
        *[(size, size)] * 3, (channels, size), (size, channels), (PAST, channels)
    )
    times = np.zeros(3, np.int64)
    return Shared(gram, some, factored, latest, before, weights, times, decay, longest)
