"""One-dimensional convolutions that keep the frame grid: output length is ceil(T / stride)."""

from __future__ import annotations

from math import ceil
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm
from torch.nn.utils.parametrize import is_parametrized

from codecctl.engine.reflection import reflect

Norm = Literal["weight_norm", "none"]
"""How weights are parametrized: a direction and a length per output channel, or freely."""

PadMode = Literal["reflect", "zero"]
"""What stands before the first sample: the mirrored beginning, or silence."""

Initialization = Literal["torch", "variance_preserving"]
"""How weights start: as torch draws them, or by `preserve_variance`."""


def pad(audio: Tensor, left: int, right: int, *, mode: PadMode) -> Tensor:
    """Pad the last axis, also where the input is too short to be mirrored.

    A mirror needs more samples than it adds; a shorter input is continued by zeros first,
    which are removed again after the reflection.

    Args:
        audio: (B, C, T).
        left: Samples to add before the first.
        right: Samples to add after the last.
        mode: Mirror the signal, or add zeros.

    Returns:
        (B, C, left + T + right).
    """
    if mode == "zero":
        return functional.pad(audio, (left, right))
    missing = max(0, max(left, right) + 1 - audio.shape[-1])
    padded = reflect(functional.pad(audio, (0, missing)), left, right)
    return padded[..., : padded.shape[-1] - missing]


def normalized(layer: nn.Module, norm: Norm) -> nn.Module:
    """The layer with its weight parametrized as asked (Salimans and Kingma 2016, 1602.07868)."""
    return weight_norm(layer) if norm == "weight_norm" else layer


@torch.no_grad()
def preserve_variance(network: nn.Module) -> None:
    """Redraw all convolution weights so that an output varies as much as its input; no biases.

    torch's own initialization shrinks a signal in every layer while the biases keep their size. A
    deep encoder then starts with latent frames whose common offset is some fifteen times their
    spread, and an offset moves faster in training than codebooks follow: all frames soon choose
    one entry. LeCun et al. 1998, Efficient BackProp, section 4.6.

    Args:
        network: Its `Conv1d` and `ConvTranspose1d` layers are changed; weights are drawn from
            torch's default random generator.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv1d | nn.ConvTranspose1d):
            # What reaches one output sample: of a transposed convolution, one tap in a stride.
            inputs, stride = (1, 1) if isinstance(layer, nn.Conv1d) else (0, layer.stride[0])
            taps = layer.weight.shape[inputs] * layer.weight.shape[2] / stride
            drawn = torch.randn_like(layer.weight) / taps**0.5
            if is_parametrized(layer, "weight"):
                layer.weight = drawn  # filled, it would be computed again from its parts
            else:
                layer.weight.copy_(drawn)
            if layer.bias is not None:
                layer.bias.zero_()


class PaddedConv1d(nn.Module):
    """Convolution whose output has ceil(T / stride) frames.

    Causal layers take all their padding on the left, so that frame f sees samples up to
    (f + 1) * stride - 1 only; others split it, the larger half on the left. The last,
    incomplete frame is completed on the right.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Taps; at least the stride.
        stride: Samples per output frame.
        dilation: Samples between taps; only with stride 1.
        causal: Whether no frame may see what follows it.
        norm: Parametrization of the weight.
        pad_mode: What is put beside the signal.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel_size: int,
        stride: int = 1,
        dilation: int = 1,
        causal: bool,
        norm: Norm,
        pad_mode: PadMode,
    ) -> None:
        super().__init__()
        assert kernel_size >= stride, (kernel_size, stride)
        assert stride == 1 or dilation == 1, (stride, dilation)
        layer = nn.Conv1d(in_channels, out_channels, kernel_size, stride, dilation=dilation)
        self.conv = normalized(layer, norm)
        self.stride = stride
        self.pad_mode = pad_mode
        padding = (kernel_size - 1) * dilation - (stride - 1)
        self.right = 0 if causal else padding // 2
        self.left = padding - self.right

    def forward(self, audio: Tensor) -> Tensor:
        """Convolve: (B, C, T) to (B, out_channels, ceil(T / stride))."""
        completion = -audio.shape[-1] % self.stride
        padded = pad(audio, self.left, self.right + completion, mode=self.pad_mode)
        output: Tensor = self.conv(padded)
        return output


class TrimmedConvTranspose1d(nn.Module):
    """Transposed convolution whose output has exactly F * stride samples.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Taps; at least the stride.
        stride: Samples per input frame.
        causal: Whether `trim_right_ratio` decides; otherwise both ends are cut alike.
        norm: Parametrization of the weight.
        trim_right_ratio: Share of the surplus that is cut from the right end; 1 makes the
            layer causal.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel_size: int,
        stride: int,
        causal: bool,
        norm: Norm,
        trim_right_ratio: float,
    ) -> None:
        super().__init__()
        assert kernel_size >= stride, (kernel_size, stride)
        layer = nn.ConvTranspose1d(in_channels, out_channels, kernel_size, stride)
        self.conv = normalized(layer, norm)
        surplus = kernel_size - stride
        self.right = ceil(surplus * trim_right_ratio) if causal else surplus // 2
        self.left = surplus - self.right

    def forward(self, latent: Tensor) -> Tensor:
        """Up-sample: (B, C, F) to (B, out_channels, F * stride)."""
        output: Tensor = self.conv(latent)
        return output[..., self.left : output.shape[-1] - self.right]
