"""SoundStream's encoder and decoder: convolutions only, causal, no normalization.

Zeghidour et al. 2021 (https://arxiv.org/abs/2107.03312), section 3.2, with the strides 3, 4, 5, 8
of the project that document 003 describes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from codecctl.engine.networks.autoencoder import Autoencoder
from codecctl.engine.networks.conv import (
    Initialization,
    PaddedConv1d,
    TrimmedConvTranspose1d,
)
from codecctl.engine.networks.wave_layout import WaveLayout


@dataclass(frozen=True, kw_only=True)
class SoundStreamLayout(WaveLayout):
    """The numbers that describe a SoundStream generator, as a profile gives them."""

    channels: int
    """Audio channels, 1 to 32."""
    num_filters: int
    """Width of the first layer; every stride doubles it."""
    latent_dim: int
    """Width of the latent sequence."""
    strides: Sequence[int]
    """Down-sampling factors in the order of the encoder; the decoder mirrors them."""
    dilations: Sequence[int]
    """Of the residual units of every stride."""
    kernel_size: int
    """Taps of the first convolution of either half, of the decoder's last and of residual units."""
    last_kernel_size: int
    """Taps of the encoder's last convolution."""
    initialization: Initialization
    """Whether weights start as torch draws them, or so that signals keep their variance."""

    def build(self) -> Autoencoder:
        """A new encoder and decoder."""
        return self.joined(SoundStreamEncoder(self), SoundStreamDecoder(self))

    def units(self, width: int) -> list[nn.Module]:
        """The residual units of one stride."""
        return [
            ResidualUnit(width, kernel_size=self.kernel_size, dilation=dilation)
            for dilation in self.dilations
        ]


def _conv(
    in_channels: int, out_channels: int, *, kernel_size: int, stride: int = 1, dilation: int = 1
) -> PaddedConv1d:
    return PaddedConv1d(
        in_channels,
        out_channels,
        kernel_size=kernel_size,
        stride=stride,
        dilation=dilation,
        causal=True,
        norm="none",
        pad_mode="zero",
    )


class ResidualUnit(nn.Module):
    """Dilated convolution, ELU, 1x1 convolution; added to the input, and ELU of the sum."""

    def __init__(self, width: int, *, kernel_size: int, dilation: int) -> None:
        super().__init__()
        self.block = nn.Sequential(
            _conv(width, width, kernel_size=kernel_size, dilation=dilation),
            nn.ELU(),
            _conv(width, width, kernel_size=1),
        )

    def forward(self, features: Tensor) -> Tensor:
        """Refine features (B, width, T) at their own rate."""
        refined: Tensor = self.block(features)
        return functional.elu(features + refined)


class SoundStreamEncoder(nn.Module):
    """Audio to latent frames.

    A convolution to `num_filters`; per stride residual units and a strided convolution with twice
    as many taps as its stride, doubling the width; a convolution to `latent_dim`.
    """

    def __init__(self, layout: SoundStreamLayout) -> None:
        super().__init__()
        self.hop_length = layout.hop_length
        width = layout.num_filters
        layers: list[nn.Module] = [_conv(layout.channels, width, kernel_size=layout.kernel_size)]
        for stride in layout.strides:
            layers += layout.units(width)
            layers.append(_conv(width, 2 * width, kernel_size=2 * stride, stride=stride))
            width *= 2
        layers.append(_conv(width, layout.latent_dim, kernel_size=layout.last_kernel_size))
        self.layers = nn.Sequential(*layers)

    def forward(self, audio: Tensor) -> Tensor:
        """Encode audio (B, C, T) into (B, latent_dim, ceil(T / hop_length))."""
        latent: Tensor = self.layers(audio)
        return latent


class SoundStreamDecoder(nn.Module):
    """Latent frames to audio: transposed convolutions, each followed by residual units.

    No activation bounds the output.
    """

    def __init__(self, layout: SoundStreamLayout) -> None:
        super().__init__()
        self.hop_length = layout.hop_length
        width = layout.num_filters * 2 ** len(layout.strides)
        layers: list[nn.Module] = [_conv(layout.latent_dim, width, kernel_size=layout.kernel_size)]
        for stride in reversed(layout.strides):
            up = TrimmedConvTranspose1d(
                width,
                width // 2,
                kernel_size=2 * stride,
                stride=stride,
                causal=True,
                norm="none",
                trim_right_ratio=1.0,
            )
            width //= 2
            layers += [up, *layout.units(width)]
        layers.append(_conv(width, layout.channels, kernel_size=layout.kernel_size))
        self.layers = nn.Sequential(*layers)

    def forward(self, latent: Tensor) -> Tensor:
        """Decode latent frames (B, latent_dim, F) into audio (B, C, F * hop_length)."""
        audio: Tensor = self.layers(latent)
        return audio
