"""Mel power at one resolution, which both spectral terms begin with."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from codecctl.engine.reflection import reflect


class MelPower(nn.Module):
    """Mel power of frames of n samples, hop n/4.

    (n - hop)/2 samples are mirrored at both ends. Window and filters are made once. Bands that no
    bin falls into, of which a short window has many, are left out: they are empty whatever the
    audio.

    Args:
        window: Of n samples.
        filters: (n // 2 + 1, bands).
        complete: Whether zeros complete the last frame; else it is left out.
    """

    window: Tensor
    filters: Tensor

    def __init__(self, *, window: Tensor, filters: Tensor, complete: bool) -> None:
        super().__init__()
        self.n_fft = len(window)
        self.hop_length = self.n_fft // 4
        self.complete = complete
        self.share = filters.any(0).sum().item() / filters.shape[1]
        """Of all bands that are not empty."""
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("filters", filters[:, filters.any(0)].contiguous(), persistent=False)

    def forward(self, audio: Tensor) -> Tensor:
        """(N, T) to (N, frames, bands that are not empty); T / hop frames."""
        padding = (self.n_fft - self.hop_length) // 2
        mirrored = reflect(audio, padding, padding)
        if self.complete:
            mirrored = functional.pad(mirrored, (0, -audio.shape[-1] % self.hop_length))
        spectrum = torch.stft(
            mirrored,
            self.n_fft,
            self.hop_length,
            window=self.window,
            center=False,
            return_complex=True,
        )
        # Not abs(): its square root has no gradient at a silent bin.
        power = spectrum.real.square() + spectrum.imag.square()  # (N, n_fft // 2 + 1, frames)
        return power.transpose(1, 2) @ self.filters
