"""Log-mel spectrograms at several resolutions, and the distances between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    exactly T / hop frames. Window and filters are made once. Bands that no bin falls into, of
    which a short window has many, are left out: they read the floor whatever the audio.

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
        filters = filters[:, filters.any(0)].contiguous()
        self.share = filters.shape[1] / num_mels
        """Of all bands that are not empty."""
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, audio: Tensor) -> Tensor:
        """(N, T) to (N, T / hop, bands that are not empty)."""
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


@dataclass(frozen=True)
class LogMelDifference:
    """Estimate minus reference at one resolution."""

    values: Tensor
    """(N, channels * frames * bands that are not empty)."""
    share: float
    """Of all bands that are not empty; the others differ by zero."""

    def mean_absolute(self) -> Tensor:
        """Mean over all bands, frames and channels, (N,)."""
        return self.share * self.values.abs().mean(1)

    def mean_square(self) -> Tensor:
        """Mean over all bands, frames and channels, (N,)."""
        return self.share * self.values.square().mean(1)


class LogMelDifferences(nn.Module):
    """Differences of log mel at several resolutions.

    Args:
        scales: Exponents i of the windows of 2^i samples.
        num_mels: Bands at every resolution, empty ones included.
        sample_rate: Hz.
    """

    def __init__(self, *, scales: Sequence[int], num_mels: int, sample_rate: int) -> None:
        super().__init__()
        self.resolutions = nn.ModuleList(
            LogMelSpectrogram(n_fft=2**scale, num_mels=num_mels, sample_rate=sample_rate)
            for scale in scales
        )

    def forward(self, estimate: Tensor, reference: Tensor) -> list[LogMelDifference]:
        """Estimate minus reference, both (N, C, T), at every resolution.

        Two passes, as that of the reference needs no graph: stacked in one, the backward would run
        through both halves and cost twice as much.
        """
        num_items = estimate.shape[0]
        differences: list[LogMelDifference] = []
        for resolution in self.resolutions:
            assert isinstance(resolution, LogMelSpectrogram)
            with torch.no_grad():
                theirs: Tensor = resolution(reference.flatten(0, 1))  # (N * C, frames, bands)
            ours: Tensor = resolution(estimate.flatten(0, 1))
            values = (ours - theirs).reshape(num_items, -1)
            differences.append(LogMelDifference(values=values, share=resolution.share))
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
            differences: list[LogMelDifference] = self.differences(ours, theirs)
            terms = [each.mean_absolute() + each.mean_square() for each in differences]
            return torch.stack(terms).sum(0)
