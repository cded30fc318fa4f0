"""Log-mel spectrograms at several resolutions, and the distances between them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from codecctl.engine.losses.filterbank import slaney_filters
from codecctl.engine.losses.precision import float32_island

FLOOR = 1e-5
"""Mel power below this counts as silence, so that its logarithm is finite."""


class LogMelSpectrogram(nn.Module):
    """log10 of mel power at one resolution, floored.

    A plain Hann STFT with hop n/4, mirrored (n - hop)/2 samples at both ends, so that there are
    exactly T / hop frames. Window and filters are made once.

    Args:
        n_fft: Window and transform length in samples.
        num_mels: Bands between 0 Hz and half the rate.
        sample_rate: Hz.
    """

    window: Tensor
    filters: Tensor

    def __init__(self, *, n_fft: int, num_mels: int, sample_rate: int) -> None:
        super().__init__()
        self.n_fft = n_fft
        self.hop_length = n_fft // 4
        filters = slaney_filters(n_fft=n_fft, num_mels=num_mels, sample_rate=sample_rate)
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, audio: Tensor) -> Tensor:
        """(N, T) to (N, T / hop, num_mels)."""
        padding = (self.n_fft - self.hop_length) // 2
        mirrored = functional.pad(audio, (padding, padding), mode="reflect")
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
        return (power.transpose(1, 2) @ self.filters).clamp(min=FLOOR).log10()


class LogMelDifferences(nn.Module):
    """Differences of log mel at several resolutions.

    Args:
        scales: Exponents i of the windows of 2^i samples.
        num_mels: Bands at every resolution.
        sample_rate: Hz.
    """

    def __init__(self, *, scales: Sequence[int], num_mels: int, sample_rate: int) -> None:
        super().__init__()
        self.resolutions = nn.ModuleList(
            LogMelSpectrogram(n_fft=2**scale, num_mels=num_mels, sample_rate=sample_rate)
            for scale in scales
        )

    def forward(self, estimate: Tensor, reference: Tensor) -> list[Tensor]:
        """Estimate minus reference, both (N, C, T): one (N, C * frames * bands) per resolution."""
        num_items = estimate.shape[0]
        # Both in one STFT call, so that a resolution costs one launch of each kernel.
        audio = torch.cat([estimate, reference.detach()]).flatten(0, 1)  # (2 * N * C, T)
        differences: list[Tensor] = []
        for resolution in self.resolutions:
            log_mel: Tensor = resolution(audio)
            ours, theirs = log_mel.chunk(2)
            differences.append((ours - theirs.detach()).reshape(num_items, -1))
        return differences


class MultiScaleMelLoss(nn.Module):
    """Sum over resolutions of the mean absolute and the mean squared log-mel difference.

    Both terms act on log10 of mel power, and the sum is not divided by the number of scales.

    Args:
        scales: Exponents i of the windows of 2^i samples.
        num_mels: Bands at every resolution.
        sample_rate: Hz.
    """

    def __init__(self, *, scales: Sequence[int], num_mels: int, sample_rate: int) -> None:
        super().__init__()
        self.differences = LogMelDifferences(
            scales=scales, num_mels=num_mels, sample_rate=sample_rate
        )

    def forward(self, estimate: Tensor, reference: Tensor) -> Tensor:
        """Loss of each item: (N, C, T) twice to (N,)."""
        with float32_island(estimate, reference) as (ours, theirs):
            differences: list[Tensor] = self.differences(ours, theirs)
            terms = [d.abs().mean(1) + d.square().mean(1) for d in differences]
            return torch.stack(terms).sum(0)
