"""Convolutions over bins and frames, of real or of complex channels."""

from __future__ import annotations

from math import prod
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrize import is_parametrized

from codecctl.engine.networks.complex_layers import (
    ComplexConv2d,
    ComplexConvTranspose2d,
    draw,
)
from codecctl.engine.networks.conv import Norm, PadMode, normalized, pad

Arithmetic = Literal["real", "complex"]
"""What a channel is: a number, or two in the order of `complex_channels`."""


def pad_frames_and_bins(
    features: Tensor, bins: tuple[int, int], frames: tuple[int, int], *, mode: PadMode
) -> Tensor:
    """Pad features (B, C, bins, frames) at the lower and upper, first and last end."""
    batch, channels, height, _ = features.shape
    wide = pad(features.flatten(1, 2), *frames, mode=mode).view(batch, channels, height, -1)
    if not any(bins):
        return wide
    turned = wide.transpose(-1, -2)
    length = turned.shape[2]
    tall = pad(turned.flatten(1, 2), *bins, mode=mode).view(batch, channels, length, -1)
    return tall.transpose(-1, -2)


class PaddedConv2d(nn.Module):
    """Convolution to floor(bins / stride) bins and ceil(frames / stride) frames.

    Args:
        in_channels: Channels of the input, in the arithmetic's numbers.
        out_channels: Channels of the output.
        kernel_size: Taps over bins and frames; each at least the stride.
        stride: Over bins and frames.
        norm: Parametrization of the weight.
        pad_mode: What stands beside the features.
        arithmetic: What a channel is.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel_size: tuple[int, int],
        stride: tuple[int, int] = (1, 1),
        norm: Norm,
        pad_mode: PadMode,
        arithmetic: Arithmetic,
    ) -> None:
        super().__init__()
        if arithmetic == "real":
            layer: nn.Module = nn.Conv2d(in_channels, out_channels, kernel_size, stride)
        else:
            layer = ComplexConv2d(in_channels, out_channels, kernel_size=kernel_size, stride=stride)
        self.conv = normalized(layer, norm)
        self.stride = stride
        self.pad_mode = pad_mode
        self._bins, self._frames = (
            (total - total // 2, total // 2)
            for total in (k - s for k, s in zip(kernel_size, stride, strict=True))
        )

    def forward(self, features: Tensor) -> Tensor:
        """(B, in, bins, frames) to (B, out, bins // stride, ceil(frames / stride))."""
        completion = -features.shape[-1] % self.stride[1]
        left, right = self._frames
        padded = pad_frames_and_bins(
            features, self._bins, (left, right + completion), mode=self.pad_mode
        )
        output: Tensor = self.conv(padded)
        return output


class TrimmedConvTranspose2d(nn.Module):
    """Transposed convolution to a given number of bins and to frames * stride frames.

    Args:
        in_channels: Channels of the input, in the arithmetic's numbers.
        out_channels: Channels of the output.
        kernel_size: Taps over bins and frames; each at least the stride.
        stride: Over bins and frames.
        num_bins: Bins of the output: those that a `PaddedConv2d` of this stride was given.
        norm: Parametrization of the weight.
        arithmetic: What a channel is.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel_size: tuple[int, int],
        stride: tuple[int, int],
        num_bins: int,
        norm: Norm,
        arithmetic: Arithmetic,
    ) -> None:
        super().__init__()
        if arithmetic == "real":
            layer: nn.Module = nn.ConvTranspose2d(in_channels, out_channels, kernel_size, stride)
        else:
            layer = ComplexConvTranspose2d(
                in_channels, out_channels, kernel_size=kernel_size, stride=stride
            )
        self.conv = normalized(layer, norm)
        self.stride = stride
        self.num_bins = num_bins
        surplus = [k - s for k, s in zip(kernel_size, stride, strict=True)]
        self._below, self._before = (total - total // 2 for total in surplus)

    def forward(self, features: Tensor) -> Tensor:
        """(B, in, bins, frames) to (B, out, num_bins, frames * stride)."""
        output: Tensor = self.conv(features)
        frames = features.shape[-1] * self.stride[1]
        output = output[:, :, self._below :, self._before : self._before + frames]
        # Bins that the encoder's floor left out lie beyond the last tap; they start as nothing.
        missing = max(0, self.num_bins - output.shape[2])
        return functional.pad(output, (0, 0, 0, missing))[:, :, : self.num_bins]


@torch.no_grad()
def preserve_variance_2d(network: nn.Module) -> None:
    """Redraw all weights of convolutions so that an output varies as an input; no biases.

    See `conv.preserve_variance`, which does it for one dimension.
    """
    for layer in network.modules():
        if isinstance(layer, ComplexConv2d | ComplexConvTranspose2d):
            drawn = torch.empty_like(layer.weight)
            draw(drawn, layer.inputs)
        elif isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            # What reaches one output: of a transposed convolution, one tap in a stride.
            inputs, stride = (1, 1) if isinstance(layer, nn.Conv2d) else (0, prod(layer.stride))
            taps = layer.weight.shape[inputs] * prod(layer.kernel_size) / stride
            drawn = torch.randn_like(layer.weight) / taps**0.5
        else:
            continue
        if is_parametrized(layer, "weight"):
            layer.weight = drawn  # filled, it would be computed again from its parts
        else:
            layer.weight.copy_(drawn)
        if layer.bias is not None:
            layer.bias.zero_()
