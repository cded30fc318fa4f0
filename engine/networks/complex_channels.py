"""Complex spectrograms of n channels as real channels, in one order.

Channel 2c holds the real part of channel c and channel 2c + 1 its imaginary part:

    re 0, im 0, re 1, im 1, ..., re C-1, im C-1

so that the two parts of a number lie side by side whatever C is, and taking channels 2a to 2b takes
the channels a to b. Everything in this program that reads or writes complex channels uses these
functions.
"""

from __future__ import annotations

import torch
from torch import Tensor


def to_channels(numbers: Tensor) -> Tensor:
    """Complex (B, C, ...) to real (B, 2C, ...)."""
    return torch.view_as_real(numbers).movedim(-1, 2).flatten(1, 2)


def parts(channels: Tensor) -> tuple[Tensor, Tensor]:
    """Real (B, 2C, ...) to the real and the imaginary parts, (B, C, ...) each."""
    real, imaginary = channels.unflatten(1, (-1, 2)).unbind(2)  # type: ignore[no-untyped-call]  # torch's
    return real, imaginary


def together(real: Tensor, imaginary: Tensor) -> Tensor:
    """Real and imaginary parts, (B, C, ...) each, to real (B, 2C, ...)."""
    return torch.stack([real, imaginary], 2).flatten(1, 2)


def from_channels(channels: Tensor) -> Tensor:
    """Real (B, 2C, ...) to complex (B, C, ...)."""
    return torch.complex(*parts(channels))


def scaled(channels: Tensor, factors: Tensor) -> Tensor:
    """Complex channels (B, 2C, ...) times one real factor for each number (B, C, ...)."""
    return channels * factors.repeat_interleave(2, dim=1)


def squared_magnitudes(channels: Tensor) -> Tensor:
    """|z|^2 of complex channels (B, 2C, ...) as (B, C, ...)."""
    real, imaginary = parts(channels)
    return real.square() + imaginary.square()
