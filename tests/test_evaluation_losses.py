"""Measures of `trainer.eval_loss_config` against other packages and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from codecctl.engine.losses.filterbank import resample, slaney_filters
from codecctl.engine.metrics.evaluation_losses import MelMeasure, SiSdrMeasure, StftMeasure

SIZES = {"fft_size": 256, "hop_size": 64, "win_length": 200}


def noise(*shape: int, seed: int = 0) -> Tensor:
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.oracle
@pytest.mark.parametrize("zero_mean", [True, False])
def test_sisdr_is_that_of_torchmetrics(zero_mean: bool) -> None:
    functional = pytest.importorskip("torchmetrics.functional.audio")
    reference = noise(4, 2, 2400, seed=1) + 0.05
    estimate = reference + 0.3 * noise(4, 2, 2400, seed=2) + 0.1
    expected = functional.scale_invariant_signal_distortion_ratio(
        estimate, reference, zero_mean=zero_mean
    )
    for reduction, wanted in (("mean", expected.mean(1)), ("sum", expected.sum(1))):
        measure = SiSdrMeasure(zero_mean=zero_mean, reduction=reduction)  # type: ignore[arg-type]
        torch.testing.assert_close(measure(estimate, reference), wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.oracle
def test_stft_is_that_of_auraloss() -> None:
    freq = pytest.importorskip("auraloss.freq")
    theirs = freq.STFTLoss(**SIZES, w_sc=1.0, w_log_mag=1.0)
    ours = StftMeasure(sample_rate=24_000, rate=24_000, **SIZES)
    reference, estimate = noise(1, 2, 2400, seed=1), noise(1, 2, 2400, seed=2)
    torch.testing.assert_close(
        ours(estimate, reference).mean(), theirs(estimate, reference), rtol=1e-5, atol=0
    )


def test_stft_is_measured_at_the_rate_that_its_lengths_are_meant_at() -> None:
    reference, estimate = noise(1, 1, 2400, seed=1), noise(1, 1, 2400, seed=2)
    at_half = StftMeasure(sample_rate=12_000, rate=24_000, **SIZES)(estimate, reference)
    plain = StftMeasure(sample_rate=12_000, rate=12_000, **SIZES)
    halves = (resample(each, 24_000, 12_000) for each in (estimate, reference))
    torch.testing.assert_close(at_half, plain(*halves))
    assert at_half.item() != pytest.approx(plain(estimate, reference).item(), rel=1e-3)


def test_mel_is_convergence_and_log_distance_of_bands() -> None:
    reference, estimate = noise(1, 2, 2400, seed=1).double(), noise(1, 2, 2400, seed=2).double()
    found = MelMeasure(n_mels=20, rate=24_000, **SIZES).double()(estimate, reference)
    filters = slaney_filters(n_fft=256, num_mels=20, sample_rate=24_000).double()
    bands = []
    for audio in (estimate, reference):
        spectra = torch.stft(
            audio[0], 256, 64, 200, window=torch.hann_window(200).double(), return_complex=True
        )
        bands.append((spectra.abs().transpose(1, 2) @ filters).clamp(min=1e-4).numpy())
    ours, theirs = bands
    convergence = np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)
    wanted = convergence + np.abs(np.log(ours) - np.log(theirs)).mean()
    assert found.item() == pytest.approx(wanted, rel=1e-6)


def test_ten_times_the_level_is_ten_natural_units_of_the_logarithm() -> None:
    reference = noise(1, 1, 2400, seed=1)
    measure = StftMeasure(sample_rate=24_000, rate=24_000, **SIZES)
    # A difference of nine times the reference, and ln 10 everywhere.
    assert measure(10 * reference, reference).item() == pytest.approx(9 + math.log(10), rel=1e-4)
