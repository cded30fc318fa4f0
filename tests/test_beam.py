"""Beams against plane waves that the renderer of corpora puts on the capsules."""

from __future__ import annotations

import numpy as np
import pytest

from codecctl.datasets.beam import ambisonic_weights, beam_of, steer
from codecctl.datasets.harmonics import sn3d, unit_vector
from codecctl.datasets.synth.array import BLOCK, DELAY, FixedDirections
from codecctl.errors import DataError

RATE = 48_000
LOOK = (30.0, 20.0)
BANDS = ((200, 500), (500, 1000), (1000, 2000), (2000, 4000), (4000, 6000))


def _arriving(azimuth: float, elevation: float) -> tuple[np.ndarray, np.ndarray]:
    """Noise at the center, (BLOCK,), and what the capsules hear of it, (32, BLOCK)."""
    direction = unit_vector(azimuth, elevation)[None]
    gains = np.ones((1, len(FixedDirections.frequencies(RATE))))
    array = FixedDirections(direction, gains=gains, sample_rate=RATE)
    signal = np.random.default_rng(0).standard_normal((1, BLOCK)).astype(np.float32)
    return signal[0], array.process(signal)


def _band_gains_db(azimuth: float, elevation: float) -> list[float]:
    """Levels of the beam against the free field in `BANDS`."""
    beam = beam_of("em32", 32, sample_rate=RATE, azimuth=LOOK[0], elevation=LOOK[1])
    signal, capsules = _arriving(azimuth, elevation)
    before, after = (
        np.abs(np.fft.rfft(audio[2048:-2048])) ** 2
        for audio in (np.roll(signal, DELAY), steer(capsules, beam))
    )
    frequencies = np.fft.rfftfreq(BLOCK - 4096, 1 / RATE)
    bands = [(frequencies >= low) & (frequencies < high) for low, high in BANDS]
    return [10 * float(np.log10(after[band].sum() / before[band].sum())) for band in bands]


def test_the_look_direction_passes_unchanged() -> None:
    assert max(abs(gain) for gain in _band_gains_db(*LOOK)) < 1.0


def test_the_look_direction_is_not_delayed() -> None:
    beam = beam_of("em32", 32, sample_rate=RATE, azimuth=LOOK[0], elevation=LOOK[1])
    signal, capsules = _arriving(*LOOK)
    heard = steer(capsules, beam)
    lags = np.fft.irfft(np.fft.rfft(heard) * np.fft.rfft(signal).conj())
    assert int(np.argmax(lags)) == DELAY


def test_what_comes_from_behind_is_attenuated() -> None:
    low, *middle, high = _band_gains_db(LOOK[0] - 180, -LOOK[1])
    assert low < -8
    assert max(middle) < -14
    assert high < -20


def test_what_comes_from_the_side_is_attenuated() -> None:
    assert max(_band_gains_db(LOOK[0] + 90, 0)[2:]) < -20


def test_blocks_of_the_convolution_join_without_a_seam() -> None:
    beam = beam_of("em32", 32, sample_rate=8000, azimuth=0, elevation=0)
    audio = np.random.default_rng(0).standard_normal((32, 5000)).astype(np.float32)
    direct = sum(
        np.convolve(row.astype(np.float64), taps)
        for row, taps in zip(audio, beam.filters, strict=True)
    )
    expected = np.asarray(direct)[beam.delay :][:5000]
    np.testing.assert_allclose(steer(audio, beam), expected, atol=1e-4)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_an_encoded_wave_passes_an_ambisonic_beam_by_its_pattern(order: int) -> None:
    look, behind = unit_vector(40, 10), -unit_vector(40, 10)
    weights = ambisonic_weights(look, order)
    ahead, back = (sn3d(direction[None], order)[0] @ weights for direction in (look, behind))
    assert ahead == pytest.approx(1.0)
    assert abs(back) < {1: 0.27, 2: 0.13, 4: 0.05}[order]


def test_a_first_order_beam_backwards_has_the_gain_worked_out_by_hand() -> None:
    # (1 - 3 g) / (1 + 3 g) with g = cos(137.9 / 2.51 degrees) = 0.5744
    weights = ambisonic_weights(unit_vector(0, 0), 1)
    back = sn3d(unit_vector(180, 0)[None], 1)[0] @ weights
    assert back == pytest.approx((1 - 3 * 0.5744) / (1 + 3 * 0.5744), abs=1e-4)


def test_ambisonic_audio_is_mixed_by_the_weights() -> None:
    source = np.random.default_rng(0).standard_normal(100).astype(np.float32)
    encoded = (sn3d(unit_vector(-70, 30)[None], 4)[0][:, None] * source).astype(np.float32)
    beam = beam_of("ambisonic-ACN-SN3D", 25, sample_rate=RATE, azimuth=-70, elevation=30)
    np.testing.assert_allclose(steer(encoded, beam), source, atol=1e-5)


@pytest.mark.parametrize(("array", "channels"), [("unknown-8ch", 8), ("ambisonic-ACN-SN3D", 24)])
def test_an_unknown_array_is_refused(array: str, channels: int) -> None:
    with pytest.raises(DataError, match="no beam can be formed; needed em32"):
        beam_of(array, channels, sample_rate=RATE, azimuth=0, elevation=0)
