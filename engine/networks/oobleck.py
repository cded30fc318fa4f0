"""Oobleck: the waveform autoencoder of Stable Audio, convolutions with periodic activations.

Evans et al. 2024 (https://arxiv.org/abs/2404.10301), section 3.1, after the codec of Kumar et al.
2023 (https://arxiv.org/abs/2306.06546); the activation with its two numbers is that of Lee et al.
2022 (https://arxiv.org/abs/2206.04658), section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from codecctl.engine.networks.autoencoder import Autoencoder
from codecctl.engine.networks.conv import (
    Initialization,
    Norm,
    PaddedConv1d,
    TrimmedConvTranspose1d,
)
from codecctl.engine.networks.wave_layout import WaveLayout

_LEAST_GAIN = 1e-9
"""Added to what the activation divides by."""


@dataclass(frozen=True, kw_only=True)
class OobleckLayout(WaveLayout):
    """The numbers that describe an Oobleck; profiles give them under `model.generator`."""

    channels: int
    """Audio channels, 1 to 32."""
    num_filters: int
    """Width of the first layer."""
    multipliers: Sequence[int]
    """Width after each stride, in units of `num_filters`."""
    latent_dim: int
    """Width of the latent sequence."""
    strides: Sequence[int]
    """Down-sampling factors in the order of the encoder; the decoder mirrors them."""
    dilations: Sequence[int]
    """Of the residual units of every stride."""
    kernel_size: int
    """Taps of residual units, of the encoder's first and of the decoder's first and last layer."""
    last_kernel_size: int
    """Taps of the encoder's last convolution."""
    norm: Norm
    """Parametrization of all convolution weights."""
    initialization: Initialization
    """Whether weights start as torch draws them, or so that signals keep their variance."""
    latent_scale: int = 1
    """Numbers that the encoder gives for each of the latent: 2 for mean and scale."""

    def build(self) -> Autoencoder:
        """A new encoder and decoder."""
        return self.joined(OobleckEncoder(self), OobleckDecoder(self))

    def widths(self) -> list[int]:
        """Before the first stride and after each."""
        return [self.num_filters, *(self.num_filters * factor for factor in self.multipliers)]

    def conv(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel_size: int,
        stride: int = 1,
        dilation: int = 1,
    ) -> PaddedConv1d:
        """A convolution with the padding and norm that all of this network share."""
        return PaddedConv1d(
            in_channels,
            out_channels,
            kernel_size=kernel_size,
            stride=stride,
            dilation=dilation,
            causal=False,
            norm=self.norm,
            pad_mode="zero",
        )

    def units(self, width: int) -> list[nn.Module]:
        """The residual units of one stride."""
        return [SnakeUnit(self, width, dilation=dilation) for dilation in self.dilations]


class Snake(nn.Module):
    """x + sin^2(a x) / b for each channel, with a, b > 0 that are learned by their logarithms.

    Args:
        channels: Each has its own a and b, which start at 1.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.log_frequency = nn.Parameter(torch.zeros(channels))
        self.log_gain = nn.Parameter(torch.zeros(channels))

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, T) to the same shape."""
        frequency = self.log_frequency.exp()[:, None]
        gain = self.log_gain.exp()[:, None] + _LEAST_GAIN
        return features + (frequency * features).sin().square() / gain


class SnakeUnit(nn.Module):
    """Snake, dilated convolution, Snake, 1x1 convolution; added to the input."""

    def __init__(self, layout: OobleckLayout, width: int, *, dilation: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            Snake(width),
            layout.conv(width, width, kernel_size=layout.kernel_size, dilation=dilation),
            Snake(width),
            layout.conv(width, width, kernel_size=1),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Refine features (B, width, T) at their own rate."""
        refined: Tensor = self.block(features)
        return features + refined


class OobleckEncoder(nn.Module):
    """Audio to latent frames."""

    def __init__(self, layout: OobleckLayout) -> None:
        super().__init__()
        self.hop_length = layout.hop_length
        widths = layout.widths()
        layers: list[nn.Module] = [
            layout.conv(layout.channels, widths[0], kernel_size=layout.kernel_size)
        ]
        for stride, width, wider in zip(layout.strides, widths, widths[1:], strict=False):
            layers += [
                *layout.units(width),
                Snake(width),
                layout.conv(width, wider, kernel_size=2 * stride, stride=stride),
            ]
        dim = layout.latent_scale * layout.latent_dim
        layers += [
            Snake(widths[-1]),
            layout.conv(widths[-1], dim, kernel_size=layout.last_kernel_size),
        ]
        self.layers = nn.Sequential(*layers)

    def forward(self, audio: Tensor) -> Tensor:
        """(B, C, T) to (B, latent_scale * latent_dim, ceil(T / hop_length))."""
        latent: Tensor = self.layers(audio)
        return latent


class OobleckDecoder(nn.Module):
    """Latent frames to audio; nothing bounds the output."""

    def __init__(self, layout: OobleckLayout) -> None:
        super().__init__()
        self.hop_length = layout.hop_length
        widths = layout.widths()[::-1]
        layers: list[nn.Module] = [
            layout.conv(layout.latent_dim, widths[0], kernel_size=layout.kernel_size)
        ]
        for stride, width, narrower in zip(layout.strides[::-1], widths, widths[1:], strict=False):
            up = TrimmedConvTranspose1d(
                width,
                narrower,
                kernel_size=2 * stride,
                stride=stride,
                causal=False,
                norm=layout.norm,
                trim_right_ratio=0.5,
            )
            layers += [Snake(width), up, *layout.units(narrower)]
        layers += [
            Snake(widths[-1]),
            layout.conv(widths[-1], layout.channels, kernel_size=layout.kernel_size),
        ]
        self.layers = nn.Sequential(*layers)

    def forward(self, latent: Tensor) -> Tensor:
        """(B, latent_dim, F) to (B, C, F * hop_length)."""
        audio: Tensor = self.layers(latent)
        return audio
