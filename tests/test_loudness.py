"""Loudness against the figures of the recommendation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from codecctl.datasets.loudness import k_filters, loudness, matching_gain_db


def tone(frequency: float, rate: int, seconds: float = 2.0, level: float = 1.0) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * frequency * time)).astype(np.float32)[None]


def test_the_filters_at_48_khz_are_those_of_the_recommendation() -> None:
    (shelf, shelf_poles), (high_pass, poles) = k_filters(48_000)
    np.testing.assert_allclose(shelf, [1.53512485958697, -2.69169618940638, 1.19839281085285])
    np.testing.assert_allclose(shelf_poles, [1, -1.69065929318241, 0.73248077421585])
    np.testing.assert_allclose(high_pass, [1, -2, 1])
    np.testing.assert_allclose(poles, [1, -1.99004745483398, 0.99007225036621])


@pytest.mark.parametrize("rate", [16_000, 24_000, 44_100, 48_000, 96_000])
def test_a_tone_of_997_hz_at_full_scale_has_minus_3_lufs_at_every_rate(rate: int) -> None:
    audio = tone(997.0, rate)
    # The bilinear transform bends the shelf: 0.03 dB at 16 kHz.
    assert loudness(audio, sample_rate=rate) == pytest.approx(-3.01, abs=0.04)
    both = np.concatenate([audio, audio])
    twice = loudness(audio, sample_rate=rate) + 10 * math.log10(2)
    assert loudness(both, sample_rate=rate) == pytest.approx(twice)


def test_low_tones_count_less_and_high_ones_more() -> None:
    low, middle, high = (
        loudness(tone(f, 48_000), sample_rate=48_000) for f in (30.0, 997.0, 8000.0)
    )
    assert low < middle - 8
    assert high == pytest.approx(middle + 3.3, abs=0.1)


def test_the_gain_undoes_any_level_and_is_bounded() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (2, 24_000)).astype(np.float32)
    for factor in (0.1, 0.5, 2.0):
        gain = matching_gain_db(noise * np.float32(factor), noise, sample_rate=24_000)
        assert gain == pytest.approx(-20 * math.log10(factor), abs=1e-4)
    assert matching_gain_db(noise * np.float32(1e-6), noise, sample_rate=24_000) == 40
    silence = np.zeros_like(noise)
    assert matching_gain_db(silence, noise, sample_rate=24_000) == 0
    assert matching_gain_db(noise, silence, sample_rate=24_000) == 0
    assert loudness(silence[:, :0], sample_rate=24_000) == -math.inf
