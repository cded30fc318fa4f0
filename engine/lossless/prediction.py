"""Linear prediction across time and channels in whole numbers: what is left, and back.

A sample is predicted from the last samples of all channels and a longer past of its own; what is
left of a channel is predicted from what is left of earlier channels at the same time. The order of
channels changes nothing: the product of what remains is the determinant of their covariance.
Coefficients are whole multiples of a power of two and samples whole numbers, so that every sum
stays below 2^53 and is exact in float64 in any order. Decoding needs no other arithmetic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from codecctl.engine.lossless.integers import Packer, Unpacker

PAST = 32
"""Samples of its own that a channel is predicted from."""
MOST_CHANNELS = 64
_DENSE = (0, 4)
"""Past samples of all channels that are tried."""
_MOST_COEFFICIENT = 1 << 17
_PLACES = 16
_ACROSS = 12


@dataclass(frozen=True)
class Predictor:
    """Coefficients of a segment, whole numbers."""

    own: np.ndarray
    """(PAST, C), from the oldest sample."""
    dense: np.ndarray
    """(K, C, C): lag from the oldest, from channel, to channel."""
    across: np.ndarray
    """(C, C), strictly lower: to channel, from channel; multiples of 2^-12."""
    places: int
    """`own` and `dense` are multiples of 2^-places."""

    def pack(self, packer: Packer) -> None:
        """Write it."""
        channels = self.own.shape[1]
        packer.number(self.places, _PLACES)
        packer.number(len(self.dense), 8)
        packer.rows(self.own)
        packer.rows(self.dense.reshape(-1, channels))
        packer.rows(self.across[np.tril_indices(channels, -1)][None])


def unpack(unpacker: Unpacker, channels: int) -> Predictor:
    """Read a predictor."""
    places, count = unpacker.number(_PLACES), unpacker.number(8)
    own = unpacker.rows(PAST, channels)
    dense = unpacker.rows(count * channels, channels).reshape(count, channels, channels)
    across = np.zeros((channels, channels), np.int64)
    rows, columns = np.tril_indices(channels, -1)
    across[rows, columns] = unpacker.rows(1, len(rows))[0]
    return Predictor(own, dense, across, places)


def fitted(samples: np.ndarray, *, bits: int) -> tuple[Predictor, np.ndarray]:
    """The predictor that leaves the least of a segment, and what it leaves.

    Args:
        samples: (T, C) whole numbers of `bits` bits.
        bits: Of a sample.

    Returns:
        The predictor, and (C, T) int64.
    """
    exact = samples.astype(np.float64)
    channels = samples.shape[1]
    tried = [(_nothing(channels), exact)]
    for count in _DENSE:
        if len(samples) >= 4 * (PAST + count * channels) and (count == 0 or channels > 1):
            predictor = _past(exact, count)
            tried.append((predictor, exact - _predicted(exact, predictor, bits)))
    costs = [_cost(predictor, rest) for predictor, rest in tried]
    predictor, rest = tried[int(np.argmin(costs))]
    across = _across(rest)
    predictor = Predictor(predictor.own, predictor.dense, across, predictor.places)
    left = rest - _clipped(rest @ across.T.astype(np.float64), _ACROSS, bits + 1)
    return predictor, left.T.astype(np.int64)


def restored(
    predictors: Sequence[Predictor], left: Sequence[np.ndarray], *, bits: int
) -> np.ndarray:
    """Samples of segments of one length side by side: (S, T, C) float64, whole numbers."""
    rest = np.stack([_from_across(p, x, bits) for p, x in zip(predictors, left, strict=True)])
    count = max(len(predictor.dense) for predictor in predictors)
    segments, length, channels = rest.shape
    dense = np.zeros((segments, count, channels, channels))
    for index, predictor in enumerate(predictors):
        dense[index, count - len(predictor.dense) :] = predictor.dense
    flat = dense.reshape(segments, count * channels, channels)
    own = np.stack([predictor.own for predictor in predictors]).astype(np.float64)
    scale = np.array([[0.5**predictor.places] for predictor in predictors])
    past = np.zeros((segments, length + PAST, channels))
    edge = float(1 << (bits - 1))
    for t in range(length):
        window = past[:, t : t + PAST]
        total = (window * own).sum(1)
        if count:
            recent = window[:, PAST - count :].reshape(segments, 1, -1)
            total += (recent @ flat)[:, 0]
        guess = np.floor(total * scale + 0.5)
        past[:, t + PAST] = rest[:, t] + np.minimum(np.maximum(guess, -edge), edge - 1)
    return past[:, PAST:]


def _nothing(channels: int) -> Predictor:
    zeros = np.zeros((channels, channels), np.int64)
    return Predictor(np.zeros((PAST, channels), np.int64), zeros[None][:0], zeros, 0)


def _predicted(samples: np.ndarray, predictor: Predictor, bits: int) -> np.ndarray:
    length, channels = samples.shape
    past = np.vstack([np.zeros((PAST, channels)), samples])
    total = np.zeros((length, channels))
    for lag in range(PAST):
        total += past[lag : lag + length] * predictor.own[lag]
    for index, matrix in enumerate(predictor.dense.astype(np.float64)):
        first = PAST - len(predictor.dense) + index
        total += past[first : first + length] @ matrix
    return _clipped(total, predictor.places, bits)


def _clipped(total: np.ndarray, places: int, bits: int) -> np.ndarray:
    edge = float(1 << (bits - 1))
    guess = np.floor(total * 0.5**places + 0.5)
    found: np.ndarray = np.minimum(np.maximum(guess, -edge), edge - 1)
    return found


def _from_across(predictor: Predictor, left: np.ndarray, bits: int) -> np.ndarray:
    """What prediction from the past left: (C, T) to (T, C)."""
    rest = left.astype(np.float64)
    for channel in range(1, len(rest)):
        weights = predictor.across[channel, :channel].astype(np.float64)
        if weights.any():
            rest[channel] += _clipped(weights @ rest[:channel], _ACROSS, bits + 1)
    return rest.T


def _past(samples: np.ndarray, count: int) -> Predictor:
    """Least squares over a segment, channel by channel."""
    length, channels = samples.shape
    rows = length - PAST
    lags = [samples[lag : lag + rows] for lag in range(PAST)]
    recent = np.hstack([np.empty((rows, 0)), *lags[PAST - count :]])
    shared = recent.T @ recent
    own = np.zeros((PAST, channels))
    dense = np.zeros((count, channels, channels))
    noise = 0.0
    for channel in range(channels):
        mine = np.stack([lag[:, channel] for lag in lags[: PAST - count]], axis=1)
        cross = mine.T @ recent
        gram = np.block([[mine.T @ mine, cross], [cross.T, shared]])
        target = samples[PAST:, channel]
        wanted = np.concatenate([mine.T @ target, recent.T @ target])
        found = np.linalg.solve(gram + np.eye(len(gram)) * (rows / 12 + 1), wanted)
        own[: PAST - count, channel] = found[: PAST - count]
        dense[:, :, channel] = found[PAST - count :].reshape(count, channels)
        noise += max(float(target @ target - wanted @ found), rows / 12)
    places = _places(samples, noise / (rows * channels), PAST + count * channels)
    largest = max(np.abs(own).max(), np.abs(dense).max(initial=0))
    while places and largest * 2**places >= _MOST_COEFFICIENT:
        places -= 1
    quantised = [
        np.clip(np.rint(x * 2**places), 1 - _MOST_COEFFICIENT, _MOST_COEFFICIENT - 1)
        for x in (own, dense)
    ]
    own_whole, dense_whole = (x.astype(np.int64) for x in quantised)
    return Predictor(own_whole, dense_whole, np.zeros((channels, channels), np.int64), places)


def _places(samples: np.ndarray, noise: float, terms: int) -> int:
    """Binary places at which rounding coefficients adds 0.3 % to what is left."""
    power = float((samples**2).mean()) * terms / 12
    return int(np.clip(np.ceil(0.5 * np.log2(max(power / (0.003 * noise), 1.0))), 6, _PLACES - 1))


def _covariance(rest: np.ndarray) -> np.ndarray:
    found: np.ndarray = rest.T @ rest + np.eye(rest.shape[1]) * (len(rest) / 12 + 1)
    return found


def _across(rest: np.ndarray) -> np.ndarray:
    factor = np.linalg.cholesky(_covariance(rest))
    inverse = np.linalg.inv(factor / np.diag(factor))
    found = np.rint(-np.tril(inverse, -1) * (1 << _ACROSS))
    limited: np.ndarray = np.clip(found, 1 - _MOST_COEFFICIENT, _MOST_COEFFICIENT - 1)
    return limited.astype(np.int64)


def _cost(predictor: Predictor, rest: np.ndarray) -> float:
    """Bits, but for a constant."""
    length = max(len(rest), 1)
    volume = np.linalg.slogdet(_covariance(rest) / length)[1] / np.log(2) / 2
    filled = np.count_nonzero(predictor.own) + np.count_nonzero(predictor.dense)
    return float(length * volume + 10 * filled)
