"""Log-mel spectrograms at several resolutions, and the distances between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from codecctl.engine.losses.filterbank import slaney_filters
from codecctl.engine.losses.mel_power import MelPower
from codecctl.engine.losses.precision import float32_island

FLOOR = 1e-5
"""Mel power below this counts as silence, so that its logarithm is finite."""


class LogMelSpectrogram(nn.Module):
    """log10 of mel power at one resolution, floored.

    A plain Hann STFT with hop n/4, Slaney bands.

    Args:
        n_fft: Window and transform length in samples.
        num_mels: Bands between 0 Hz and half the rate.
        sample_rate: Hz.
    """

    def __init__(self, *, n_fft: int, num_mels: int, sample_rate: int) -> None:
        super().__init__()
        self.power = MelPower(
            window=torch.hann_window(n_fft),
            filters=slaney_filters(n_fft=n_fft, num_mels=num_mels, sample_rate=sample_rate),
            complete=False,
        )
        self.share = self.power.share
        """Of all bands that are not empty."""

    def forward(self, audio: Tensor) -> Tensor:
        """(N, T) to (N, T / hop, bands that are not empty)."""
        power: Tensor = self.power(audio)
        return power.clamp(min=FLOOR).log10()


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
