"""Backward adaptive prediction: exact, alike compiled or not, least squares, as good as can be."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from codecctl.engine.lossless import integers, prediction
from codecctl.engine.lossless.least_squares import (
    gather_own,
    gather_shared,
    products,
    solve_own,
    solve_shared,
)
from codecctl.engine.lossless.prediction import EFFORTS, Predictor, left_of
from codecctl.engine.lossless.recursion import BLOCK, KEPT, OWN, PAST


def walk(frames: int, channels: int) -> np.ndarray:
    """Loud whole numbers with some past to predict from, zeros before the first frame."""
    drawn = np.random.default_rng(7).integers(-4000, 4000, (frames, channels))
    return np.vstack([np.zeros((KEPT, channels)), np.cumsum(drawn, axis=0)])


def restored(left: np.ndarray, *, bits: int, effort: str = "normal") -> np.ndarray | None:
    """The samples (T, C) of which that is left; None if there are none."""
    values = left.copy()
    inside = Predictor(left.shape[1], bits=bits, effort=effort).restore(values)
    return values if inside else None


def lagged(samples: np.ndarray, lags: int) -> np.ndarray:
    """(T, (lags + 1) C): the last `lags` frames of each frame, from the oldest, and itself."""
    frames = len(samples) - KEPT
    return np.hstack([samples[KEPT - lag :][:frames] for lag in range(lags, -1, -1)])


def gathered(samples: np.ndarray, cuts: list[int], decay: float) -> np.ndarray:
    """Covariance of three lags over blocks between cuts, each the more forgotten the older."""
    channels = samples.shape[1]
    gram: np.ndarray = np.zeros((4 * channels, 4 * channels))
    some = np.zeros_like(gram)
    rows = lagged(samples, 3)
    for at, end in pairwise(cuts):
        some[:, -channels:] = rows[at:end].T @ samples[KEPT + at : KEPT + end]
        before, last = (samples[KEPT + place - PAST : KEPT + place] for place in (at, end))
        gather_shared(gram, some, before, last, decay)
    return gram


@pytest.mark.parametrize(("channels", "frames"), [(32, 128), (3, 45), (1, 7)])
def test_products_of_a_block_are_those_of_whole_numbers(channels: int, frames: int) -> None:
    samples = walk(130, channels)
    sums = np.ones((channels, 4 * channels))
    products(samples, frames, sums)
    rows = lagged(samples, 3)[:frames].astype(np.int64)
    assert np.array_equal(sums, samples[KEPT : KEPT + frames].astype(np.int64).T @ rows)


@pytest.mark.long
def test_the_same_bits_compiled_and_as_it_stands() -> None:
    code = (
        "from codecctl.engine.lossless import integers, prediction;"
        "print(prediction.check(), integers.check())"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [int(word) for word in told.stdout.split()] == [prediction.check(), integers.check()]
    assert prediction.check() == 0xDA4BDA6A
    assert integers.check() == 0x7A6DF03F


def test_a_covariance_is_that_of_all_its_frames() -> None:
    samples = walk(150, 3)
    rows = lagged(samples, 3)
    weights = np.repeat([0.25, 0.5, 1.0], [32, 70, 48])
    wanted = rows.T @ (rows * weights[:, None])
    found = gathered(samples, [0, 32, 102, 150], 0.5)
    assert np.array_equal(np.triu(found), np.triu(wanted))


def test_weights_are_least_squares_from_all_that_comes_before() -> None:
    samples = walk(400, 3)
    rows = lagged(samples, 3)
    weights = np.zeros((12, 3))
    solve_shared(gathered(samples, [0, 400], 1.0), 2.0, weights)
    for channel in range(3):
        known = rows[:, : 9 + channel]
        ridge = np.sqrt(2.0) * np.eye(known.shape[1])
        target = np.append(rows[:, 9 + channel], np.zeros(len(ridge)))
        wanted = np.linalg.lstsq(np.vstack([known, ridge]), target, rcond=None)[0]
        assert np.allclose(weights[: 9 + channel, channel], wanted, rtol=1e-6, atol=1e-8)
        assert not weights[9 + channel :, channel].any()


def test_weights_of_a_channel_alone_are_least_squares_from_its_past() -> None:
    samples = walk(300, 2)
    gram, some = np.zeros((2, OWN + 1, OWN + 1, 2))
    for at, end in pairwise((0, 128, 200, 300)):
        gather_own(gram, some, samples[at:], end - at, 1.0)
    weights, ridge = np.zeros((OWN, 2)), np.array([1.0, 1e6])
    solve_own(gram.copy(), ridge - 1.0, weights)
    for channel in range(2):
        rows = lagged(samples[:, [channel]], OWN)[:, ::-1]
        covariance = rows.T @ rows
        assert np.array_equal(np.triu(gram[:, :, channel]), np.triu(covariance))
        wanted = np.linalg.solve(
            covariance[1:, 1:] + ridge[channel] * np.eye(OWN), covariance[1:, 0]
        )
        assert np.allclose(weights[:, channel], wanted, rtol=1e-6, atol=1e-9)


def test_what_is_left_is_the_part_that_nothing_foretells() -> None:
    rng = np.random.default_rng(5)
    noise = rng.normal(0, 50, (8192, 2))
    samples = np.zeros((8192, 2))
    for t in range(2, 8192):
        samples[t, 0] = 1.6 * samples[t - 1, 0] - 0.81 * samples[t - 2, 0] + noise[t, 0]
        samples[t, 1] = 0.9 * samples[t - 1, 0] + 0.7 * samples[t, 0] + noise[t, 1]
    left = left_of(np.rint(samples).astype(np.int64), bits=16)
    late = left[4096:].std(axis=0)
    assert samples.std(axis=0).min() > 150
    assert (late > 48).all()
    assert (late < 50 * 1.05).all()


def test_what_no_encoder_left_is_seen() -> None:
    left = left_of(np.full((600, 2), 9), bits=8)
    assert restored(left, bits=8) is not None
    left[500, 1] += 1000
    assert restored(left, bits=8) is None


def test_more_effort_finds_more() -> None:
    rng = np.random.default_rng(9)
    noise, samples = rng.normal(0, 40, (6000, 32)), np.zeros((6000, 32))
    for t in range(10, 6000):  # an echo of ten frames, beyond what the normal effort sees
        samples[t] = noise[t] + 0.9 * np.roll(samples[t - 10], 5)
    whole = np.rint(samples).astype(np.int64)
    left = {effort: left_of(whole, bits=16, effort=effort)[3000:].std() for effort in EFFORTS}
    assert left["high"] < 0.75 * left["normal"]


def test_pieces_of_a_segment_leave_what_the_whole_does() -> None:
    samples = walk(1500, 5)[KEPT:].astype(np.int64)
    whole = left_of(samples, bits=24)
    predictor, pieces = Predictor(5, bits=24), samples.copy()
    for at, end in pairwise((0, BLOCK, 5 * BLOCK, 11 * BLOCK, 1500)):
        predictor.leave(pieces[at:end])
    assert np.array_equal(pieces, whole)


@pytest.mark.parametrize("effort", EFFORTS)
@pytest.mark.parametrize("level", [1 << 23, 1])
def test_extremes_of_amplitude_come_back(level: int, effort: str) -> None:
    drawn = np.random.default_rng(1).integers(0, 2, (700, 33)) * (2 * level - 1) - level
    drawn[200:400] = 0
    back = restored(left_of(drawn, bits=24, effort=effort), bits=24, effort=effort)
    assert back is not None
    assert np.array_equal(back, drawn)
