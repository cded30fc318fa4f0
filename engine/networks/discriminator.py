"""Multi-scale STFT discriminator.

Defossez et al. 2022 (https://arxiv.org/abs/2210.13438), section 3.4: the same
convolutional network on complex spectrograms of several window lengths.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from codecctl.engine.networks.conv import normalized
from codecctl.engine.networks.judgement import Judgement


def _padding(kernel_size: tuple[int, int], time_dilation: int = 1) -> tuple[int, int]:
    return (kernel_size[0] - 1) * time_dilation // 2, (kernel_size[1] - 1) // 2


class STFTDiscriminator(nn.Module):
    """Judges frames and bands of one complex spectrogram.

    The spectrogram is not centered and has the energy of its Hann window divided out. Its real and
    imaginary parts are channels; the axes are time and frequency. The first convolution carries
    weight norm only where asked: it has none in the paper's published code.
    """

    window: Tensor

    def __init__(
        self,
        *,
        channels: int,
        n_fft: int,
        hop_length: int,
        win_length: int,
        num_filters: int,
        kernel_size: tuple[int, int],
        dilations: Sequence[int],
        stride: tuple[int, int],
        feature_maps_include_logits: bool,
        leak: float,
        weight_norm_first: bool,
    ) -> None:
        super().__init__()
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.win_length = win_length
        self.leak = leak
        self.feature_maps_include_logits = feature_maps_include_logits
        window = torch.hann_window(win_length)
        self.register_buffer("window", window / window.square().sum().sqrt(), persistent=False)
        square = (kernel_size[0], kernel_size[0])
        first = nn.Conv2d(2 * channels, num_filters, kernel_size, padding=_padding(kernel_size))
        self.convs = nn.ModuleList(
            [normalized(first, "weight_norm") if weight_norm_first else first]
        )
        for dilation in dilations:
            padding = _padding(kernel_size, dilation)
            layer = nn.Conv2d(
                num_filters, num_filters, kernel_size, stride, padding, dilation=(dilation, 1)
            )
            self.convs.append(normalized(layer, "weight_norm"))
        last = nn.Conv2d(num_filters, num_filters, square, padding=_padding(square))
        self.convs.append(normalized(last, "weight_norm"))
        logits = nn.Conv2d(num_filters, 1, square, padding=_padding(square))
        self.logits = normalized(logits, "weight_norm")

    def spectrogram(self, audio: Tensor) -> Tensor:
        """Real and imaginary parts (B, 2 C, F, bins) of audio (B, C, T), always in float32."""
        batch, channels, samples = audio.shape
        assert samples >= self.n_fft, (samples, self.n_fft)
        with torch.autocast(audio.device.type, enabled=False):
            spectrum = torch.stft(
                audio.to(self.window.dtype).reshape(batch * channels, samples),
                self.n_fft,
                self.hop_length,
                self.win_length,
                self.window,
                center=False,
                return_complex=True,
            )  # (B C, bins, F)
        planes = torch.view_as_real(spectrum)  # (B C, bins, F, 2)
        planes = planes.view(batch, channels, *planes.shape[1:]).permute(0, 4, 1, 3, 2)
        # oneDNN's convolutions of few channels, above all their gradients, are up to three times
        # as fast with the channels last; their order follows from here through all layers.
        cpu = audio.device.type == "cpu"
        order = torch.channels_last if cpu else torch.contiguous_format
        return planes.flatten(1, 2).contiguous(memory_format=order)

    def forward(self, audio: Tensor) -> Judgement:
        """Judge audio (B, C, T); positive logits mean genuine."""
        features = self.spectrogram(audio)
        feature_maps: list[Tensor] = []
        for conv in self.convs:
            features = functional.leaky_relu(conv(features), self.leak)
            feature_maps.append(features)
        logits: Tensor = self.logits(features)
        if self.feature_maps_include_logits:
            feature_maps.append(logits)
        return logits, feature_maps


class MultiScaleSTFTDiscriminator(nn.Module):
    """One `STFTDiscriminator` per window length.

    Args:
        channels: Audio channels judged together.
        n_ffts: FFT lengths in samples, one per scale; audio must not be shorter than the longest.
        hop_lengths: Samples between frames, one per scale.
        win_lengths: Hann window lengths in samples, one per scale.
        num_filters: Width of every hidden layer.
        kernel_size: Taps in time and in frequency.
        dilations: Time dilation of each strided layer.
        stride: Of those layers, in time and in frequency.
        feature_maps_include_logits: Whether feature matching sees the logits, too.
        leak: Negative slope of the LeakyReLU.
        weight_norm_first: Whether the first convolution carries weight norm, too.
    """

    def __init__(
        self,
        *,
        channels: int,
        n_ffts: Sequence[int],
        hop_lengths: Sequence[int],
        win_lengths: Sequence[int],
        num_filters: int,
        kernel_size: Sequence[int],
        dilations: Sequence[int],
        stride: Sequence[int],
        feature_maps_include_logits: bool,
        leak: float,
        weight_norm_first: bool = False,
    ) -> None:
        super().__init__()
        scales = zip(n_ffts, hop_lengths, win_lengths, strict=True)
        self.scales = nn.ModuleList(
            STFTDiscriminator(
                channels=channels,
                n_fft=n_fft,
                hop_length=hop_length,
                win_length=win_length,
                num_filters=num_filters,
                kernel_size=(kernel_size[0], kernel_size[1]),
                dilations=dilations,
                stride=(stride[0], stride[1]),
                feature_maps_include_logits=feature_maps_include_logits,
                leak=leak,
                weight_norm_first=weight_norm_first,
            )
            for n_fft, hop_length, win_length in scales
        )

    def forward(self, audio: Tensor) -> list[Judgement]:
        """Judge audio (B, C, T) at every scale."""
        return [scale(audio) for scale in self.scales]
