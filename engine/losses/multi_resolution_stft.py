"""Distance of short-time spectra at several resolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import Tensor, nn

from codecctl.engine.losses.precision import float32_island
from codecctl.engine.losses.spectra import Spectra, magnitude

Parts: TypeAlias = dict[str, float]
"""Weights of convergence, log_magnitude, magnitude and complex; 0 leaves a part out."""


def spectral_convergence(estimate: Tensor, reference: Tensor) -> Tensor:
    """Norm of the difference over that of the reference, over all channels of an item together.

    Arik et al. 2018 (https://arxiv.org/abs/1808.06719, section 3.2); (N, C, bins, frames) twice
    to (N,).
    """
    difference: Tensor = torch.linalg.vector_norm(reference - estimate, dim=(1, 2, 3))
    level: Tensor = torch.linalg.vector_norm(reference, dim=(1, 2, 3))
    return difference / level


def log_magnitude_distance(estimate: Tensor, reference: Tensor) -> Tensor:
    """Mean absolute difference of natural logarithms: (N, C, bins, frames) twice to (N,)."""
    return (estimate.log() - reference.log()).abs().flatten(1).mean(1)


class MultiResolutionStftLoss(nn.Module):
    """Mean over resolutions of up to four distances of short-time spectra.

    `convergence` and `log_magnitude` together are those of Parallel WaveGAN
    (https://arxiv.org/abs/1910.11480), as the `auraloss` package computes them.

    Args:
        n_ffts: Length of each transform in samples.
        hop_lengths: In samples, one for each.
        win_lengths: Hann windows in samples, one for each.
        convergence: Weight of `spectral_convergence` of magnitudes.
        log_magnitude: Of the mean absolute difference of their natural logarithms.
        magnitude: Of the mean absolute difference of magnitudes.
        complex: Of the mean absolute difference of real and imaginary parts.
    """

    def __init__(
        self,
        *,
        n_ffts: Sequence[int],
        hop_lengths: Sequence[int],
        win_lengths: Sequence[int],
        convergence: float,
        log_magnitude: float,
        magnitude: float,
        complex: float,  # noqa: A002 # a part by its name, as a profile writes it
    ) -> None:
        super().__init__()
        self.resolutions = nn.ModuleList(
            Spectra(n_fft=n_fft, hop_length=hop, win_length=win)
            for n_fft, hop, win in zip(n_ffts, hop_lengths, win_lengths, strict=True)
        )
        self.parts: Parts = {
            "convergence": convergence,
            "log_magnitude": log_magnitude,
            "magnitude": magnitude,
            "complex": complex,
        }

    def forward(self, estimate: Tensor, reference: Tensor) -> Tensor:
        """Loss of each item: (N, C, T) twice to (N,)."""
        with float32_island(estimate, reference) as (ours, theirs):
            terms = [self._term(each, ours, theirs) for each in self.resolutions]
            return torch.stack(terms).mean(0)

    def _term(self, resolution: nn.Module, estimate: Tensor, reference: Tensor) -> Tensor:
        with torch.no_grad():
            theirs: Tensor = resolution(reference)
        ours: Tensor = resolution(estimate)
        loss = torch.zeros(len(estimate), dtype=estimate.dtype, device=estimate.device)
        if self.parts["complex"]:
            difference = torch.view_as_real(ours - theirs).abs().flatten(1).mean(1)
            loss = loss + self.parts["complex"] * difference
        ours, theirs = magnitude(ours), magnitude(theirs)
        if self.parts["convergence"]:
            loss = loss + self.parts["convergence"] * spectral_convergence(ours, theirs)
        if self.parts["log_magnitude"]:
            loss = loss + self.parts["log_magnitude"] * log_magnitude_distance(ours, theirs)
        if self.parts["magnitude"]:
            difference = (ours - theirs).abs().flatten(1).mean(1)
            loss = loss + self.parts["magnitude"] * difference
        return loss
