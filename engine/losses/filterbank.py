"""Mel filter banks and resampling on the device; the only module that imports torchaudio."""

from __future__ import annotations

import warnings

import torchaudio
from torch import Tensor


def slaney_filters(*, n_fft: int, num_mels: int, sample_rate: int) -> Tensor:
    """Triangular filters on the Slaney mel scale from 0 Hz to half the rate, area-normalized.

    At short windows there are fewer bins than bands, so some filters are empty.

    Returns:
        (n_fft // 2 + 1, num_mels) float32.
    """
    return _filters(n_fft, num_mels, sample_rate, norm="slaney", scale="slaney")


def htk_filters(*, n_fft: int, num_mels: int, sample_rate: int) -> Tensor:
    """Triangular filters of height 1 on the HTK mel scale from 0 Hz to half the rate.

    Returns:
        (n_fft // 2 + 1, num_mels) float32.
    """
    return _filters(n_fft, num_mels, sample_rate, norm=None, scale="htk")


def resample(audio: Tensor, rate: int, wanted: int) -> Tensor:
    """Audio (..., T) at another rate in Hz, band-limited; itself where the rates are equal."""
    if rate == wanted:
        return audio
    resampled: Tensor = torchaudio.functional.resample(audio, rate, wanted)
    return resampled


def _filters(
    n_fft: int, num_mels: int, sample_rate: int, *, norm: str | None, scale: str
) -> Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="At least one mel filterbank has all zero")
        filters: Tensor = torchaudio.functional.melscale_fbanks(
            n_fft // 2 + 1,
            f_min=0.0,
            f_max=sample_rate / 2,
            n_mels=num_mels,
            sample_rate=sample_rate,
            norm=norm,
            mel_scale=scale,
        )
    return filters
