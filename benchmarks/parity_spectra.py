"""Terms and measures on spectra, and the ratio of signal to distortion, against packages."""

from __future__ import annotations

from collections.abc import Iterator

import auraloss.freq
import torch
from torch import Tensor
from torchmetrics.functional.audio import scale_invariant_signal_distortion_ratio

from benchmarks.parity_rows import Row
from codecctl.engine.losses import LOSSES
from codecctl.engine.metrics import EVAL_LOSSES

SIZES = {"fft_size": 2048, "hop_size": 512, "win_length": 2048}


def of_spectra() -> Iterator[Row]:
    """Values and gradients of one second of two channels, relative."""
    generator = torch.Generator().manual_seed(0)
    reference = 0.1 * torch.randn(1, 2, 24_000, generator=generator)
    estimate = reference + 0.05 * torch.randn(1, 2, 24_000, generator=generator)
    theirs = auraloss.freq.MultiResolutionSTFTLoss(w_lin_mag=1.0)
    ours = LOSSES["mrstft"](
        sample_rate=24_000,
        n_ffts=(1024, 2048, 512),
        hop_lengths=(120, 240, 50),
        win_lengths=(600, 1200, 240),
        convergence=1.0,
        log_magnitude=1.0,
        magnitude=1.0,
        complex=0.0,
    )
    leaf = estimate.clone().requires_grad_()
    expected: Tensor = theirs(leaf, reference)
    found = ours(leaf, reference).mean()
    what = "multi-resolution STFT with linear and log magnitudes, relative"
    yield Row(what, "auraloss", _relative(found, expected), 1e-5)
    (wanted,) = torch.autograd.grad(expected, leaf)
    (given,) = torch.autograd.grad(found, leaf)
    yield Row("its gradient, relative norm", "auraloss", _relative(given, wanted), 1e-3)
    measure = EVAL_LOSSES["stft"](rate=24_000, sample_rate=24_000, **SIZES)
    expected = auraloss.freq.STFTLoss(**SIZES)(estimate, reference)
    found = measure(estimate, reference).mean()
    yield Row("`eval_loss_config.stft`, relative", "auraloss", _relative(found, expected), 1e-5)
    for zero_mean in (True, False):
        measure = EVAL_LOSSES["sisdr"](rate=24_000, zero_mean=zero_mean, reduction="mean")
        expected = scale_invariant_signal_distortion_ratio(
            estimate, reference, zero_mean=zero_mean
        ).mean(1)
        difference = (measure(estimate, reference) - expected).abs().max().item()
        yield Row(f"SI-SDR, zero_mean = {zero_mean}, dB", "torchmetrics", difference, 1e-4)


def _relative(found: Tensor, expected: Tensor) -> float:
    return ((found - expected).norm() / expected.norm()).item()
