"""SoundStream's spectral term: mel power, and the norm of its logarithm over the bands.

Zeghidour et al. 2021 (https://arxiv.org/abs/2107.03312), equations 4 and 5, with mel power in the
place of mel magnitude, as the project of document 003 has it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from codecctl.engine.losses.filterbank import htk_filters
from codecctl.engine.losses.precision import float32_island

FLOOR = 1e-20
"""Mel power below this counts as silence, so that its logarithm is finite."""
_SHORTEST_TRANSFORM = 512
_LEAST_SQUARE = 1e-20
"""Keeps the gradient of the norm finite where estimate and reference are the same."""


class CenteredMelPower(nn.Module):
    """Mel power of centered frames of a Hann window of s samples, hop s / 4.

    The transform is at least 512 samples long, so that the bands of short windows are not empty.

    Args:
        window: s, in samples.
        num_mels: Bands between 0 Hz and half the rate, HTK scale, height 1.
        sample_rate: Hz.
    """

    window: Tensor
    filters: Tensor

    def __init__(self, *, window: int, num_mels: int, sample_rate: int) -> None:
        super().__init__()
        self.hop_length = window // 4
        self.n_fft = max(window, _SHORTEST_TRANSFORM)
        filters = htk_filters(n_fft=self.n_fft, num_mels=num_mels, sample_rate=sample_rate)
        self.register_buffer("window", torch.hann_window(window), persistent=False)
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, audio: Tensor) -> Tensor:
        """(N, T) to (N, T / hop + 1, num_mels)."""
        spectrum = torch.stft(
            audio,
            self.n_fft,
            self.hop_length,
            len(self.window),
            self.window,
            return_complex=True,
        )
        # Not abs(): its square root has no gradient at a silent bin.
        power = spectrum.real.square() + spectrum.imag.square()  # (N, bins, frames)
        return power.transpose(1, 2) @ self.filters


class MultiScaleLogNormMelLoss(nn.Module):
    """Sum over windows s of mean |S - S'|_1 + sqrt(s / 2) mean |ln S - ln S'|_2.

    Both norms go over the bands of a frame, both means over frames and channels.

    Args:
        scales: Exponents i of the windows of 2^i samples.
        num_mels: Bands at every resolution.
        sample_rate: Hz.
    """

    def __init__(self, *, scales: Sequence[int], num_mels: int, sample_rate: int) -> None:
        super().__init__()
        self.windows = tuple(2**scale for scale in scales)
        self.resolutions = nn.ModuleList(
            CenteredMelPower(window=window, num_mels=num_mels, sample_rate=sample_rate)
            for window in self.windows
        )

    def forward(self, estimate: Tensor, reference: Tensor) -> Tensor:
        """Loss of each item: (N, C, T) twice to (N,)."""
        with float32_island(estimate, reference) as (ours, theirs):
            terms = [
                self._term(power, window, ours, theirs)
                for power, window in zip(self.resolutions, self.windows, strict=True)
            ]
            return torch.stack(terms).sum(0)

    def _term(self, power: nn.Module, window: int, estimate: Tensor, reference: Tensor) -> Tensor:
        with torch.no_grad():
            theirs: Tensor = power(reference.flatten(0, 1))  # (N * C, frames, bands)
        ours: Tensor = power(estimate.flatten(0, 1))
        linear = (ours - theirs).abs().sum(-1)
        logarithmic = ours.clamp(min=FLOOR).log() - theirs.clamp(min=FLOOR).log()
        norm = logarithmic.square().sum(-1).clamp(min=_LEAST_SQUARE).sqrt()
        frames: Tensor = linear + (window / 2) ** 0.5 * norm
        return frames.reshape(len(estimate), -1).mean(1)
