"""Doppler shift, distance law and interpolation."""

import numpy as np
import pytest

from codecctl.datasets.sphere import SPEED_OF_SOUND
from codecctl.datasets.synth.motion import Motion, static
from codecctl.datasets.synth.propagation import Loop, Way, air_loss

RATE = 48_000


def _tone(hertz: float) -> Loop:
    times = np.arange(RATE) / RATE
    return Loop(np.sin(2 * np.pi * hertz * times).astype(np.float32), sample_rate=RATE)


def _peak_hertz(signal: np.ndarray) -> float:
    padded = np.abs(np.fft.rfft(signal * np.hanning(len(signal)), 16 * RATE))
    return float(padded.argmax()) / 16


@pytest.mark.parametrize("hertz", [100.0, 5_000.0, 17_000.0])
def test_values_between_samples_follow_the_wave(hertz: float) -> None:
    times = np.linspace(0.7, 1.3, 999)  # across the seam of the loop
    values = _tone(hertz).read(times)
    error = values - np.sin(2 * np.pi * hertz * times)
    assert np.abs(error).max() < 0.003


def test_reading_at_whole_samples_returns_them() -> None:
    samples = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    loop = Loop(samples, sample_rate=RATE)
    np.testing.assert_allclose(
        loop.read(np.arange(-50, 2050) / RATE), np.tile(samples, 4)[950:3050], atol=1e-5
    )
    np.testing.assert_array_equal(loop.read_straight(-50, 100), np.tile(samples, 3)[950:1050])


@pytest.mark.parametrize(("side", "factor"), [(-1, 1 / (1 - 20 / 343)), (1, 1 / (1 + 20 / 343))])
def test_an_approaching_sound_is_higher_and_a_leaving_one_lower(side: int, factor: float) -> None:
    # 200 m away along its line, so the whole speed is radial.
    away = Motion(
        "driving",
        (-400, 2, 0),
        (400, 2, 0),
        speed=20.0,
        pause_seconds=0,
        phase_seconds=20 + 10 * side,
    )
    times = np.arange(RATE // 2) / RATE
    heard = Way(away, 1.0).arriving(_tone(1000), times)
    assert _peak_hertz(heard) == pytest.approx(1000 * factor, abs=1.0)
    assert SPEED_OF_SOUND == 343


def test_twice_the_distance_is_half_the_pressure() -> None:
    times = np.arange(RATE // 10) / RATE
    near, far = (
        np.sqrt(np.mean(Way(static((0.0, x, 0.0)), 1.0).arriving(_tone(1000), times) ** 2))
        for x in (4.0, 8.0)
    )
    assert near / far == pytest.approx(2.0, rel=1e-3)
    assert near == pytest.approx(np.sqrt(0.5) / 4, rel=1e-3)


def test_sound_arrives_from_where_it_was() -> None:
    fast = Motion(
        "driving", (-500, 100, 0), (500, 100, 0), speed=50.0, pause_seconds=0, phase_seconds=10
    )
    directions, distances = Way(fast, 1.0).directions(np.array([0.0]))
    assert directions[0, 0] < 0  # it is at the closest point now; heard is a place before it
    assert distances[0] == pytest.approx(np.hypot(100, 50 * distances[0] / 343), rel=1e-6)


def test_air_takes_high_frequencies_far_away() -> None:
    loss = air_loss(np.array([0.0, 1000.0, 8000.0]), np.array([0.0, 100.0]))
    np.testing.assert_allclose(loss[0], 1.0)
    assert loss[1, 0] == 1.0
    assert 20 * np.log10(loss[1, 1]) == pytest.approx(-0.5)
    assert -12 < 20 * np.log10(loss[1, 2]) < -6
