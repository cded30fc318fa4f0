"""SoundStream's discriminator on one complex spectrogram.

Zeghidour et al. 2021 (https://arxiv.org/abs/2107.03312), section 3.4 and figure 4.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from codecctl.engine.networks.judgement import Judgement

_UNITS = ((1, 2, 1), (2, 2, 2), (4, 1, 1), (4, 2, 2), (8, 1, 1), (8, 2, 2))
"""Width at the input in `num_filters`, growth, stride over time; every unit halves the bins."""
_FIRST_KERNEL = 7


class ResidualUnit2d(nn.Module):
    """Two convolutions, the second strided, beside a strided 1x1 convolution; ELU of the sum.

    Padding stands before the first frame and below the lowest bin only.
    """

    def __init__(self, width: int, *, growth: int, time_stride: int) -> None:
        super().__init__()
        stride = (time_stride, 2)
        kernel = (time_stride + 2, 4)
        self.first = nn.Conv2d(width, width, 3)
        self.second = nn.Conv2d(width, growth * width, kernel, stride)
        self.skip = nn.Conv2d(width, growth * width, 1, stride)

    def forward(self, features: Tensor) -> Tensor:
        """(B, width, F, bins) to (B, growth * width, ceil(F / stride), ceil(bins / 2))."""
        hidden = functional.elu(self.first(functional.pad(features, (2, 0, 2, 0))))
        time = self.second.kernel_size[0] - 1
        refined: Tensor = self.second(functional.pad(hidden, (3, 0, time, 0)))
        return functional.elu(refined + self.skip(features))


class ResidualSTFTDiscriminator(nn.Module):
    """Judges time steps of a centered complex spectrogram by all of its bins.

    Args:
        channels: Audio channels judged together.
        n_fft: Length of transform and Hann window in samples.
        hop_length: Samples between frames.
        num_filters: Width of the first layer; the last unit is 16 times as wide.
    """

    window: Tensor

    def __init__(self, *, channels: int, n_fft: int, hop_length: int, num_filters: int) -> None:
        super().__init__()
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)
        self.first = nn.Conv2d(2 * channels, num_filters, _FIRST_KERNEL)
        self.units = nn.ModuleList(
            ResidualUnit2d(times * num_filters, growth=growth, time_stride=stride)
            for times, growth, stride in _UNITS
        )
        self.logits = nn.Conv2d(16 * num_filters, 1, (1, _bins_left(n_fft)))

    def spectrogram(self, audio: Tensor) -> Tensor:
        """Real and imaginary parts (B, 2 C, F, bins) of audio (B, C, T), always in float32."""
        batch, channels, samples = audio.shape
        with torch.autocast(audio.device.type, enabled=False):
            spectrum = torch.stft(
                audio.to(self.window.dtype).reshape(batch * channels, samples),
                self.n_fft,
                self.hop_length,
                window=self.window,
                return_complex=True,
            )  # (B C, bins, F)
        planes = torch.view_as_real(spectrum).view(batch, channels, *spectrum.shape[1:], 2)
        return planes.permute(0, 4, 1, 3, 2).flatten(1, 2)

    def forward(self, audio: Tensor) -> list[Judgement]:
        """Judge audio (B, C, T): one logit for each time step, (B, 1, F, 1)."""
        features = functional.elu(self.first(self.spectrogram(audio)))
        feature_maps = [features]
        for unit in self.units:
            features = unit(features)
            feature_maps.append(features)
        return [(self.logits(features), feature_maps)]


def _bins_left(n_fft: int) -> int:
    bins = n_fft // 2 + 1 - (_FIRST_KERNEL - 1)
    for _ in _UNITS:
        bins = -(-bins // 2)
    return bins
