"""What lies between channels, in numpy, against the validation's own figures."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from codecctl.datasets.between import between
from codecctl.engine.metrics import spatial_errors

RATE = 24_000


@pytest.mark.parametrize("channels", [2, 5])
def test_the_errors_are_those_of_the_validation(channels: int) -> None:
    generator = np.random.default_rng(channels)
    shared = generator.normal(size=RATE)
    reference = (shared + 0.5 * generator.normal(size=(channels, RATE))).astype(np.float32)
    estimate = (0.7 * reference + 0.3 * generator.normal(size=reference.shape)).astype(np.float32)
    estimate[0] *= 0.25
    found = between(estimate, reference, sample_rate=RATE)
    wanted = spatial_errors(torch.from_numpy(estimate)[None], torch.from_numpy(reference)[None])
    assert found.coherence_error == pytest.approx(float(wanted["coherence_error"]), rel=1e-4)
    assert found.level_error_db == pytest.approx(float(wanted["level_error"]), rel=1e-4)
    assert found.phase_error == pytest.approx(float(wanted["phase_error"]), rel=1e-4)
    assert found.level_error_db > 1
    assert found.frequencies.tolist() == [RATE / 512 * number for number in range(1, 256)]
    difference = np.abs(found.bin_estimate - found.bin_reference).mean()
    assert difference <= found.coherence_error + 1e-9
    assert (channels > 2) or difference == pytest.approx(found.coherence_error)
    assert found.bin_levels_db.mean() == pytest.approx(found.level_error_db)
    assert found.pair_error.shape == (channels * (channels - 1) // 2,)
    assert found.pair_error.mean() == pytest.approx(found.coherence_error)


def test_levels_and_phases_are_told_by_octave() -> None:
    """Of two equal channels one is 6.02 dB lower and a quarter turn late, from 3 kHz upward."""
    reference = np.repeat(np.random.default_rng(0).normal(size=(1, RATE)), 2, axis=0)
    spectrum = np.fft.rfft(reference)
    spectrum[1, np.fft.rfftfreq(RATE, 1 / RATE) > 3000] *= -0.5j
    estimate = np.fft.irfft(spectrum).astype(np.float32)
    found = between(estimate, reference.astype(np.float32), sample_rate=RATE)
    levels = dict(zip(found.centers, found.levels_db.tolist(), strict=True))
    phases = dict(zip(found.centers, found.phases.tolist(), strict=True))
    assert levels[1000.0] < 0.05
    assert levels[8000.0] == pytest.approx(20 * np.log10(2) / 2, abs=0.01)  # each from their mean
    assert phases[1000.0] < 0.05
    assert phases[8000.0] == pytest.approx(np.pi / 2, abs=0.01)
    above = found.frequencies > 3200
    np.testing.assert_allclose(found.bin_phases[above], np.pi / 2, atol=0.05)
    np.testing.assert_allclose(found.bin_phases[found.frequencies < 2800], 0, atol=0.05)


def test_octaves_tell_where_the_coherence_is_lost() -> None:
    generator = np.random.default_rng(0)
    reference = np.repeat(generator.normal(size=(1, RATE)), 2, axis=0)
    spectrum = np.fft.rfft(reference)
    high = np.fft.rfftfreq(RATE, 1 / RATE) > 3000
    spectrum[1, high] = np.fft.rfft(generator.normal(size=RATE))[high]
    estimate = np.fft.irfft(spectrum).astype(np.float32)
    found = between(estimate, reference.astype(np.float32), sample_rate=RATE)
    by_octave = dict(zip(found.centers, found.error.tolist(), strict=True))
    np.testing.assert_allclose(found.reference, 1.0, atol=1e-6)
    assert by_octave[1000.0] < 0.01
    assert by_octave[8000.0] > 0.8
    assert found.error.shape == found.estimate.shape == (len(found.centers),)
