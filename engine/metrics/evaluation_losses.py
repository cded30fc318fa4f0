"""Measures of `trainer.eval_loss_config`, which a profile sets beside what it trains on."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from codecctl.engine.losses.filterbank import resample, slaney_filters
from codecctl.engine.losses.multi_resolution_stft import (
    log_magnitude_distance,
    spectral_convergence,
)
from codecctl.engine.losses.precision import float32_island
from codecctl.engine.losses.si_sdr import si_sdr_by_channel
from codecctl.engine.losses.spectra import FLOOR, Spectra, magnitude


class SiSdrMeasure:
    """SI-SDR in dB; higher is closer.

    Args:
        zero_mean: Take the mean of each channel away first.
        reduction: Over the channels of a signal.
        rate: Hz of the audio; without influence.
    """

    def __init__(
        self, *, zero_mean: bool, reduction: Literal["mean", "sum"], rate: int = 0
    ) -> None:
        del rate
        self._zero_mean = zero_mean
        self._reduction = reduction

    def __call__(self, estimate: Tensor, reference: Tensor) -> Tensor:
        """(N, C, T) twice to (N,)."""
        ratios = si_sdr_by_channel(estimate, reference, zero_mean=self._zero_mean)
        return ratios.sum(1) if self._reduction == "sum" else ratios.mean(1)


class StftMeasure(nn.Module):
    """Spectral convergence and mean difference of natural log magnitudes; lower is closer.

    Args:
        sample_rate: Hz at which the lengths are meant; other audio is resampled to it.
        fft_size: In samples.
        hop_size: In samples.
        win_length: Of the Hann window in samples.
        rate: Hz of the audio.
    """

    def __init__(
        self, *, sample_rate: int, fft_size: int, hop_size: int, win_length: int, rate: int
    ) -> None:
        super().__init__()
        self._rates = (rate, sample_rate)
        self.spectra = Spectra(n_fft=fft_size, hop_length=hop_size, win_length=win_length)

    def forward(self, estimate: Tensor, reference: Tensor) -> Tensor:
        """(N, C, T) twice to (N,)."""
        with float32_island(estimate, reference) as both:
            ours, theirs = (magnitude(self.spectra(resample(a, *self._rates))) for a in both)
            return spectral_convergence(ours, theirs) + log_magnitude_distance(ours, theirs)


class MelMeasure(nn.Module):
    """The same of magnitudes in mel bands.

    Slaney bands from 0 Hz to half the rate; band values below 1e-4 count as silence.

    Args:
        fft_size: In samples.
        hop_size: In samples.
        win_length: Of the Hann window in samples.
        n_mels: Bands.
        rate: Hz of the audio.
    """

    filters: Tensor

    def __init__(
        self, *, fft_size: int, hop_size: int, win_length: int, n_mels: int, rate: int
    ) -> None:
        super().__init__()
        self.spectra = Spectra(n_fft=fft_size, hop_length=hop_size, win_length=win_length)
        filters = slaney_filters(n_fft=fft_size, num_mels=n_mels, sample_rate=rate)
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, estimate: Tensor, reference: Tensor) -> Tensor:
        """(N, C, T) twice to (N,)."""
        with float32_island(estimate, reference) as both:
            ours, theirs = (self._bands(each) for each in both)
            return spectral_convergence(ours, theirs) + log_magnitude_distance(ours, theirs)

    def _bands(self, audio: Tensor) -> Tensor:
        """(N, C, T) to (N, C, frames, bands)."""
        magnitudes = magnitude(self.spectra(audio)).transpose(-2, -1)
        bands: Tensor = magnitudes @ self.filters.to(magnitudes.dtype)
        return bands.clamp(min=FLOOR**0.5)
