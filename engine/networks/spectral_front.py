"""Audio to complex spectrograms and back: what stands before and behind a spectral network.

A spectrogram has T // hop + 1 frames of n_fft / 2 + 1 bins; frame f is centered on sample f * hop.
The inverse is the least-squares one of Griffin and Lim 1984, equation 6: overlapping frames, times
the window once more, over the sum of the squared windows.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from codecctl.engine.losses.precision import float32_island
from codecctl.engine.networks.complex_channels import from_channels, to_channels
from codecctl.engine.networks.conv import pad
from codecctl.engine.networks.pre_transforms import PreTransform

_LEAST_ENVELOPE = 1e-8
"""Sum of squared windows below which a sample is left as it is; only beyond the audio's ends."""


class SpectralFront(nn.Module):
    """The STFT with a Hann window, its pre-transform, and the way back.

    Features are real channels (B, 2C, bins, frames) in the order of `complex_channels`, always
    float32, or float64 for audio in float64.

    Args:
        n_fft: Length of the FFT, in samples; even.
        hop_length: Samples per frame; at most half the window.
        win_length: Samples of the window, which stands in the middle of the FFT.
        normalized: Divide spectra by sqrt(n_fft), so that noise has the level in bins that it has
            in samples.
        transform: Of the spectra.
    """

    window: Tensor

    def __init__(
        self,
        *,
        n_fft: int,
        hop_length: int,
        win_length: int,
        normalized: bool,
        transform: PreTransform,
    ) -> None:
        super().__init__()
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.transform = transform
        self._scale = n_fft**0.5 if normalized else 1.0
        before = (n_fft - win_length) // 2
        window = functional.pad(
            torch.hann_window(win_length, dtype=torch.float64),
            (before, n_fft - win_length - before),
        )
        self.register_buffer("window", window, persistent=False)

    def num_frames(self, num_samples: int) -> int:
        """Frames of so many samples."""
        return num_samples // self.hop_length + 1

    def analyze(self, audio: Tensor) -> Tensor:
        """Features (B, 2C, bins, T // hop + 1) of audio (B, C, T)."""
        return self.frames(self.padded(audio), 0, self.num_frames(audio.shape[-1]))

    def synthesize(self, features: Tensor, num_samples: int) -> Tensor:
        """Audio (B, C, num_samples) of features (B, 2C, bins, frames)."""
        summed = self.overlapped(features)
        return self.finished(summed, features.shape[-1], num_samples)

    def synthesize_transformed(self, features: Tensor, num_samples: int) -> Tensor:
        """The same without undoing the pre-transform: what the network sees, as a wave."""
        summed = self._waves(features)
        return self.finished(summed, features.shape[-1], num_samples)

    def padded(self, audio: Tensor) -> Tensor:
        """Audio (B, C, T) with half an FFT mirrored at either end."""
        return pad(audio, self.n_fft // 2, self.n_fft // 2, mode="reflect")

    def frames(self, padded: Tensor, first: int, last: int) -> Tensor:
        """Features of the frames from `first` to before `last` of padded audio."""
        hop = self.hop_length
        span = padded[..., first * hop : (last - 1) * hop + self.n_fft]
        with float32_island(span) as (samples,):
            windowed = samples.unfold(-1, self.n_fft, hop) * self.window.to(samples.dtype)
            spectrum = torch.fft.rfft(windowed).transpose(-1, -2) / self._scale
            return self.transform(to_channels(spectrum))

    def overlapped(self, features: Tensor) -> Tensor:
        """Sum of the windowed frames (B, C, (frames - 1) * hop + n_fft), for `finished`."""
        with float32_island(features) as (channels,):
            return self._waves(self.transform.inverse(channels))

    def finished(self, summed: Tensor, frames: int, num_samples: int) -> Tensor:
        """The audio (B, C, num_samples) of the sums of all frames."""
        squares = self.window.to(summed.dtype).square()[None, None]
        ones = squares.new_ones(1, 1, frames)
        envelope = functional.conv_transpose1d(ones, squares, stride=self.hop_length)
        audio = summed / torch.where(envelope > _LEAST_ENVELOPE, envelope, 1.0)
        half = self.n_fft // 2
        return audio[..., half : half + num_samples]

    def _waves(self, features: Tensor) -> Tensor:
        with float32_island(features) as (channels,):
            spectrum = from_channels(channels) * self._scale
            waves = torch.fft.irfft(spectrum.transpose(-1, -2), self.n_fft)
            return self._overlap(waves * self.window.to(waves.dtype))

    def _overlap(self, waves: Tensor) -> Tensor:
        """Frames (B, C, frames, n_fft) added where they overlap."""
        batch, channels, frames, size = waves.shape
        length = (frames - 1) * self.hop_length + size
        columns = waves.flatten(0, 1).transpose(1, 2)  # (B * C, n_fft, frames)
        summed: Tensor = functional.fold(
            columns, (1, length), kernel_size=(1, size), stride=(1, self.hop_length)
        )
        return summed.view(batch, channels, length)
