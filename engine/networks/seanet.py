"""SEANet: the convolutional encoder and decoder of SoundStream and EnCodec.

Tagliasacchi et al. 2020 (https://arxiv.org/abs/2009.02095), section 2.1; the layout with an LSTM
is that of Defossez et al. 2022 (https://arxiv.org/abs/2210.13438), section 3.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from codecctl.engine.networks.autoencoder import Autoencoder
from codecctl.engine.networks.conv import (
    Initialization,
    Norm,
    PaddedConv1d,
    PadMode,
    TrimmedConvTranspose1d,
)
from codecctl.engine.networks.wave_layout import WaveLayout

Skip = Literal["conv1x1", "identity"]


@dataclass(frozen=True, kw_only=True)
class SEANetLayout(WaveLayout):
    """The numbers that describe a SEANet; profiles give them under `model.generator`."""

    channels: int
    """Audio channels, 1 to 32."""
    num_filters: int
    """Width of the first layer; every stride doubles it."""
    latent_dim: int
    """Width of the latent sequence."""
    strides: Sequence[int]
    """Down-sampling factors in the order of the encoder; the decoder mirrors them."""
    residual_layers: int
    """Residual blocks per stride."""
    kernel_size: int
    """Taps of the first convolution of either half."""
    last_kernel_size: int
    """Taps of the last convolution of either half."""
    residual_kernel_size: int
    """Taps of the dilated convolution of a residual block."""
    dilation_base: int
    """Dilation of residual block j of a stride is this to the power of j."""
    compress: int
    """A residual block is narrower inside by this factor."""
    lstm_layers: int
    """Layers of the residual LSTM at the narrowest point in time; 0 leaves it out."""
    skip: Skip
    """What a residual block adds its result to: the input, or a 1x1 convolution of it."""
    norm: Norm
    """Parametrization of all convolution weights."""
    causal: bool
    """Whether no output sample depends on later input (but see `pad_mode`)."""
    pad_mode: PadMode
    """What stands before the first sample; "reflect" lets the very first frames see ahead."""
    trim_right_ratio: float
    """Share of a transposed convolution's surplus that a causal decoder cuts from the right."""
    initialization: Initialization
    """Whether weights start as torch draws them, or so that signals keep their variance."""

    def build(self) -> Autoencoder:
        """A new encoder and decoder."""
        return self.joined(SEANetEncoder(self), SEANetDecoder(self))

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
            causal=self.causal,
            norm=self.norm,
            pad_mode=self.pad_mode,
        )


class ResidualBlock(nn.Module):
    """ELU, dilated convolution to a narrower width, ELU, 1x1 convolution back; plus the input."""

    def __init__(self, layout: SEANetLayout, width: int, *, dilation: int) -> None:
        super().__init__()
        hidden = width // layout.compress
        kernel_size = layout.residual_kernel_size
        self.block = nn.Sequential(
            nn.ELU(),
            layout.conv(width, hidden, kernel_size=kernel_size, dilation=dilation),
            nn.ELU(),
            layout.conv(hidden, width, kernel_size=1),
        )
        self.skip: nn.Module = nn.Identity()
        if layout.skip == "conv1x1":
            self.skip = layout.conv(width, width, kernel_size=1)

    def forward(self, features: Tensor) -> Tensor:
        """Refine features (B, width, T) at their own rate."""
        skipped: Tensor = self.skip(features)
        refined: Tensor = self.block(features)
        return skipped + refined


class ResidualLSTM(nn.Module):
    """A forward-in-time LSTM over the frames of each item, added to its input."""

    def __init__(self, width: int, num_layers: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(width, width, num_layers)

    def forward(self, features: Tensor) -> Tensor:
        """Refine features (B, width, F)."""
        by_time = features.permute(2, 0, 1)  # (F, B, width)
        recurrent: Tensor = self.lstm(by_time)[0]
        return (recurrent + by_time).permute(1, 2, 0)


def _residual_blocks(layout: SEANetLayout, width: int) -> list[nn.Module]:
    dilations = [layout.dilation_base**level for level in range(layout.residual_layers)]
    return [ResidualBlock(layout, width, dilation=dilation) for dilation in dilations]


def _recurrence(layout: SEANetLayout, width: int) -> list[nn.Module]:
    return [ResidualLSTM(width, layout.lstm_layers)] if layout.lstm_layers else []


class SEANetEncoder(nn.Module):
    """Audio to latent frames.

    A convolution to `num_filters`; per stride residual blocks and a strided convolution with
    twice as many taps as its stride, doubling the width; an LSTM; a convolution to `latent_dim`.
    """

    def __init__(self, layout: SEANetLayout) -> None:
        super().__init__()
        self.hop_length = layout.hop_length
        width = layout.num_filters
        layers: list[nn.Module] = [
            layout.conv(layout.channels, width, kernel_size=layout.kernel_size)
        ]
        for stride in layout.strides:
            layers += [
                *_residual_blocks(layout, width),
                nn.ELU(),
                layout.conv(width, 2 * width, kernel_size=2 * stride, stride=stride),
            ]
            width *= 2
        layers += [
            *_recurrence(layout, width),
            nn.ELU(),
            layout.conv(width, layout.latent_dim, kernel_size=layout.last_kernel_size),
        ]
        self.layers = nn.Sequential(*layers)

    def forward(self, audio: Tensor) -> Tensor:
        """Encode audio (B, C, T) into (B, latent_dim, ceil(T / hop_length))."""
        latent: Tensor = self.layers(audio)
        return latent


class SEANetDecoder(nn.Module):
    """Latent frames to audio; the encoder in reverse, with transposed convolutions.

    No activation bounds the output.
    """

    def __init__(self, layout: SEANetLayout) -> None:
        super().__init__()
        self.hop_length = layout.hop_length
        width = layout.num_filters * 2 ** len(layout.strides)
        layers: list[nn.Module] = [
            layout.conv(layout.latent_dim, width, kernel_size=layout.kernel_size),
            *_recurrence(layout, width),
        ]
        for stride in reversed(layout.strides):
            up = TrimmedConvTranspose1d(
                width,
                width // 2,
                kernel_size=2 * stride,
                stride=stride,
                causal=layout.causal,
                norm=layout.norm,
                trim_right_ratio=layout.trim_right_ratio,
            )
            width //= 2
            layers += [nn.ELU(), up, *_residual_blocks(layout, width)]
        layers += [
            nn.ELU(),
            layout.conv(width, layout.channels, kernel_size=layout.last_kernel_size),
        ]
        self.layers = nn.Sequential(*layers)

    def forward(self, latent: Tensor) -> Tensor:
        """Decode latent frames (B, latent_dim, F) into audio (B, C, F * hop_length)."""
        audio: Tensor = self.layers(latent)
        return audio
