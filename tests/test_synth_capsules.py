"""Noise and gains of the capsules."""

import numpy as np
import pytest

from codecctl.datasets.synth.capsules import CapsuleNoise, capsule_gains
from codecctl.datasets.synth.plan import NoisePlan

RATE = 48_000
PLAN = NoisePlan(
    rumble_dbfs_per_hz=-90.0, sensor_dbfs_per_hz=-129.0, gain_spread_db=0.5, gain_seed=3, seed=4
)


def test_noise_has_the_densities_that_were_asked_for() -> None:
    noise = CapsuleNoise(PLAN, block=8192, sample_rate=RATE)
    noise.block()
    audio = np.concatenate([noise.block() for _ in range(6)], axis=1)
    power = (np.abs(np.fft.rfft(audio)) ** 2).mean(axis=0) * 2 / (RATE * audio.shape[1])
    frequencies = np.fft.rfftfreq(audio.shape[1], 1 / RATE)

    def density(low: float, high: float) -> float:
        return float(10 * np.log10(power[(frequencies > low) & (frequencies < high)].mean()))

    assert density(5_000, 20_000) == pytest.approx(-129, abs=0.2)
    assert density(12, 24) == pytest.approx(-90, abs=2)
    assert density(75, 85) == pytest.approx(-102.3, abs=2)  # an octave above the corner


def test_no_two_capsules_share_their_noise() -> None:
    block = CapsuleNoise(PLAN, block=8192, sample_rate=RATE).block()
    fast = np.diff(block, axis=1)  # sensor noise alone: slow rumble has few independent moments
    correlation = np.corrcoef(fast) - np.eye(32)
    assert np.abs(correlation).max() < 0.07


def test_gains_belong_to_the_array_and_not_to_the_recording() -> None:
    gains_db = 20 * np.log10(capsule_gains(PLAN))
    assert gains_db.shape == (32, 1)
    assert 0.3 < gains_db.std() < 0.7
    again = NoisePlan(-80.0, -129.0, gain_spread_db=0.5, gain_seed=3, seed=99)
    np.testing.assert_array_equal(capsule_gains(PLAN), capsule_gains(again))
