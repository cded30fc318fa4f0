"""Distance of mel magnitudes, not of their logarithms."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from codecctl.engine.losses.filterbank import slaney_filters
from codecctl.engine.losses.mel_power import MelPower
from codecctl.engine.losses.precision import float32_island

FLOOR = 1e-10
"""Mel power below this counts as silence, so that its root has a gradient."""


class MultiScaleLinearMelLoss(nn.Module):
    """Mean over resolutions of the mean absolute difference of mel magnitudes.

    The magnitude is the root of the power that `reconstruction.mel` of kind log takes the logarithm
    of (Hann window, hop n/4, Slaney bands), so it is proportional to the audio's level.

    Args:
        scales: Exponents i of the windows of 2^i samples.
        num_mels: Bands at every resolution, empty ones included.
        sample_rate: Hz.
    """

    def __init__(self, *, scales: Sequence[int], num_mels: int, sample_rate: int) -> None:
        super().__init__()
        self.resolutions = nn.ModuleList(
            MelPower(
                window=torch.hann_window(2**scale),
                filters=slaney_filters(n_fft=2**scale, num_mels=num_mels, sample_rate=sample_rate),
                complete=False,
            )
            for scale in scales
        )

    def forward(self, estimate: Tensor, reference: Tensor) -> Tensor:
        """Loss of each item: (N, C, T) twice to (N,)."""
        with float32_island(estimate, reference) as (ours, theirs):
            terms = [self._term(each, ours, theirs) for each in self.resolutions]
            return torch.stack(terms).mean(0)

    def _term(self, resolution: nn.Module, estimate: Tensor, reference: Tensor) -> Tensor:
        assert isinstance(resolution, MelPower), resolution
        with torch.no_grad():
            theirs: Tensor = resolution(reference.flatten(0, 1)).clamp(min=FLOOR).sqrt()
        ours: Tensor = resolution(estimate.flatten(0, 1)).clamp(min=FLOOR).sqrt()
        return resolution.share * (ours - theirs).abs().reshape(len(estimate), -1).mean(1)
