"""Distance of the phases of short-time spectra."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from codecctl.engine.losses.precision import float32_island
from codecctl.engine.losses.spectra import FLOOR, Spectra, magnitude


class PhaseLoss(nn.Module):
    """One minus the cosine of the phase difference, weighted by the reference's energy.

    sum |S|^2 (1 - cos(arg S' - arg S)) / sum |S|^2 over channels, bins and frames of an item: 0 for
    equal phases, 1 for unrelated ones, 2 for opposite ones, whatever the estimate's level. Silence
    has no phase and costs nothing, nor do bins of the reference whose power is below `FLOOR`.

    Args:
        n_fft: Length of the transform in samples.
        hop_length: In samples.
        win_length: Of the Hann window in samples.
    """

    def __init__(self, *, n_fft: int, hop_length: int, win_length: int) -> None:
        super().__init__()
        self.spectra = Spectra(n_fft=n_fft, hop_length=hop_length, win_length=win_length)

    def forward(self, estimate: Tensor, reference: Tensor) -> Tensor:
        """Loss of each item: (N, C, T) twice to (N,)."""
        with float32_island(estimate, reference) as (ours, theirs):
            with torch.no_grad():
                wanted: Tensor = self.spectra(theirs)
                power = wanted.real.square() + wanted.imag.square()
                heard = power >= FLOOR
                wanted, power = wanted * heard, power * heard
                energy = power.flatten(1).sum(1).clamp(min=FLOOR)
            given: Tensor = self.spectra(ours)
            along = given.real * wanted.real + given.imag * wanted.imag  # |S'| |S| cos
            cosine_energy = wanted.abs() * along / magnitude(given)
            return (power - cosine_energy).flatten(1).sum(1) / energy
