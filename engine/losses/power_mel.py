"""The spectral term of the continuous autoencoder: mel power and its logarithm."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from codecctl.engine.losses.filterbank import htk_filters
from codecctl.engine.losses.mel_power import MelPower
from codecctl.engine.losses.precision import float32_island

FLOOR = 1e-5
"""Added to mel power, so that its logarithm is finite."""


def mel_power(*, n_fft: int, num_mels: int, sample_rate: int) -> MelPower:
    """Mel power in HTK bands with the energy of the Hann window divided out.

    Args:
        n_fft: Window and transform length in samples.
        num_mels: Bands between 0 Hz and half the rate.
        sample_rate: Hz.
    """
    window = torch.hann_window(n_fft)
    return MelPower(
        window=window / window.square().sum().sqrt(),
        filters=htk_filters(n_fft=n_fft, num_mels=num_mels, sample_rate=sample_rate),
        complete=True,
    )


class MultiScalePowerMelLoss(nn.Module):
    """Absolute difference of mel power and squared difference of its logarithm.

    The mean over resolutions of both together: with M the mel power and L = log10(1e-5 + M),
    (1 / 2S) sum over the S resolutions of mean |M - M'| + mean (L - L')^2.

    Args:
        scales: Exponents i of the windows of 2^i samples.
        num_mels: Bands at every resolution, empty ones included.
        sample_rate: Hz.
    """

    def __init__(self, *, scales: Sequence[int], num_mels: int, sample_rate: int) -> None:
        super().__init__()
        self.resolutions = nn.ModuleList(
            mel_power(n_fft=2**scale, num_mels=num_mels, sample_rate=sample_rate)
            for scale in scales
        )

    def forward(self, estimate: Tensor, reference: Tensor) -> Tensor:
        """Loss of each item: (N, C, T) twice to (N,)."""
        with float32_island(estimate, reference) as (ours, theirs):
            terms = [self._term(each, ours, theirs) for each in self.resolutions]
            return torch.stack(terms).mean(0) / 2

    def _term(self, resolution: nn.Module, estimate: Tensor, reference: Tensor) -> Tensor:
        assert isinstance(resolution, MelPower), resolution
        with torch.no_grad():
            theirs: Tensor = resolution(reference.flatten(0, 1))  # (N * C, frames, bands)
        ours: Tensor = resolution(estimate.flatten(0, 1))
        linear = (ours - theirs).abs()
        logarithmic = ((FLOOR + ours).log10() - (FLOOR + theirs).log10()).square()
        return resolution.share * (linear + logarithmic).reshape(len(estimate), -1).mean(1)
