"""Short-time spectra of audio, and magnitudes whose gradient is finite in silence."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from codecctl.engine.reflection import reflect

FLOOR = 1e-8
"""Power below this counts as silence: a magnitude of 1e-4, as in the `auraloss` package."""


class Spectra(nn.Module):
    """Complex spectra of centred frames under a Hann window.

    Args:
        n_fft: Length of the transform in samples.
        hop_length: In samples.
        win_length: Of the window in samples, at most `n_fft`; zeros on both sides complete it.
    """

    window: Tensor

    def __init__(self, *, n_fft: int, hop_length: int, win_length: int) -> None:
        super().__init__()
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.win_length = win_length
        self.register_buffer("window", torch.hann_window(win_length), persistent=False)

    def forward(self, audio: Tensor) -> Tensor:
        """(N, C, T) to (N, C, n_fft // 2 + 1, T // hop_length + 1), complex."""
        mirrored = reflect(audio.flatten(0, 1), self.n_fft // 2, self.n_fft // 2)
        spectra = torch.stft(
            mirrored,
            self.n_fft,
            self.hop_length,
            self.win_length,
            window=self.window.to(audio.dtype),
            center=False,
            return_complex=True,
        )
        return spectra.reshape(*audio.shape[:2], *spectra.shape[1:])


def magnitude(spectra: Tensor) -> Tensor:
    """Absolute values, floored; without a gradient where the floor holds."""
    power = spectra.real.square() + spectra.imag.square()
    return power.clamp(min=FLOOR).sqrt()
