"""Complex layers in real arithmetic, on channels in the order of `complex_channels`.

A complex convolution is a real one of twice the channels whose weight is built of the complex one,
so that autocast, weight norm and every optimizer work; gradients are those that torch's complex
autograd gives for the two parts. Trabelsi et al. 2018 (https://arxiv.org/abs/1705.09792).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from codecctl.engine.networks.complex_channels import parts, scaled, squared_magnitudes, together

_TINY = 1e-12
"""Added to squared magnitudes before a root, so that its gradient is finite at 0."""


class ComplexConv2d(nn.Module):
    """Convolution with a complex weight and bias.

    Args:
        in_channels: Complex channels of the input.
        out_channels: Complex channels of the output.
        kernel_size: Taps over bins and frames.
        stride: Over bins and frames.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel_size: tuple[int, int],
        stride: tuple[int, int],
    ) -> None:
        super().__init__()
        self.stride = stride
        self.inputs = in_channels * kernel_size[0] * kernel_size[1]
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, *kernel_size, 2))
        self.bias = nn.Parameter(torch.zeros(out_channels, 2))
        draw(self.weight, self.inputs)

    def forward(self, channels: Tensor) -> Tensor:
        """(B, 2 in, bins, frames) to (B, 2 out, ...), without padding."""
        real, imaginary = self.weight.unbind(-1)
        rows = [torch.stack([real, -imaginary], 2), torch.stack([imaginary, real], 2)]
        weight = torch.stack(rows, 1).flatten(2, 3).flatten(0, 1)
        return functional.conv2d(channels, weight, self.bias.flatten(), self.stride)


class ComplexConvTranspose2d(nn.Module):
    """Transposed convolution with a complex weight and bias; arguments as above."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        kernel_size: tuple[int, int],
        stride: tuple[int, int],
    ) -> None:
        super().__init__()
        self.stride = stride
        # Taps that reach one output: of a transposed convolution, one in a stride.
        self.inputs = in_channels * kernel_size[0] * kernel_size[1] // (stride[0] * stride[1])
        self.weight = nn.Parameter(torch.empty(in_channels, out_channels, *kernel_size, 2))
        self.bias = nn.Parameter(torch.zeros(out_channels, 2))
        draw(self.weight, self.inputs)

    def forward(self, channels: Tensor) -> Tensor:
        """(B, 2 in, bins, frames) to (B, 2 out, ...), untrimmed."""
        real, imaginary = self.weight.unbind(-1)
        rows = [torch.stack([real, imaginary], 2), torch.stack([-imaginary, real], 2)]
        weight = torch.stack(rows, 1).flatten(2, 3).flatten(0, 1)
        return functional.conv_transpose2d(channels, weight, self.bias.flatten(), self.stride)


@torch.no_grad()
def draw(weight: Tensor, inputs: int) -> None:
    """Fill a complex weight (..., 2) such that an output varies as much as an input.

    Normal parts: a Rayleigh magnitude of scale 1 / sqrt(2 inputs) and any phase, section 3.6.
    """
    nn.init.normal_(weight, std=(2 * inputs) ** -0.5)


class ComplexReLU(nn.Module):
    """ReLU of the real and of the imaginary part, section 3.4 (CReLU)."""

    def forward(self, channels: Tensor) -> Tensor:
        """(B, 2C, ...) to the same shape."""
        return functional.relu(channels)


class ComplexELU(nn.Module):
    """ELU of the real and of the imaginary part, which never loses its gradient as a ReLU can."""

    def forward(self, channels: Tensor) -> Tensor:
        """(B, 2C, ...) to the same shape."""
        return functional.elu(channels)


class ModReLU(nn.Module):
    """ReLU of the magnitude plus a bias, with the phase as it is: (1 + b / |z|) z where positive.

    Arjovsky et al. 2016 (https://arxiv.org/abs/1511.06464), equation 8.

    Args:
        channels: Complex channels, each with a bias, which starts at 0.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, channels: Tensor) -> Tensor:
        """(B, 2C, bins, frames) to the same shape."""
        magnitudes = (squared_magnitudes(channels) + _TINY).sqrt()
        grown = functional.relu(magnitudes + self.bias[:, None, None])
        return scaled(channels, grown / magnitudes)


def _complex_relu(_channels: int) -> nn.Module:
    return ComplexReLU()


def _complex_elu(_channels: int) -> nn.Module:
    return ComplexELU()


COMPLEX_ACTIVATIONS: dict[str, Callable[[int], nn.Module]] = {
    "complex_elu": _complex_elu,
    "complex_relu": _complex_relu,
    "modrelu": ModReLU,
}
"""Activations by the name that a profile gives, made for a number of complex channels."""


class ComplexRMSNorm(nn.Module):
    """Divides the numbers at each bin and frame by their root mean square over the channels.

    A complex gain for each channel follows. Nothing is averaged over bins or frames, so that the
    end of a signal has no influence on its beginning and pieces of it are normalized as the whole.

    Args:
        channels: Complex channels.
        epsilon: Added to the mean square.
    """

    def __init__(self, channels: int, *, epsilon: float = 1e-6) -> None:
        super().__init__()
        self._epsilon = epsilon
        self.gain = nn.Parameter(torch.tensor([1.0, 0.0]).repeat(channels, 1))  # (C, 2)

    def forward(self, channels: Tensor) -> Tensor:
        """(B, 2C, bins, frames) to the same shape."""
        power = squared_magnitudes(channels).mean(1, keepdim=True)
        real, imaginary = parts(channels * (power + self._epsilon).rsqrt())
        of_real, of_imaginary = (part[:, None, None] for part in self.gain.unbind(-1))
        return together(
            of_real * real - of_imaginary * imaginary, of_imaginary * real + of_real * imaginary
        )
