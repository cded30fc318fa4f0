"""Invertible transforms of magnitudes between a spectrogram and a network; phases stay.

Spectra of sound have a few large values and many small ones; a network that is trained by squared
errors would learn the large ones alone. Both transforms are straight lines below `FLOOR`, where
their formulas or those of their gradients have no value, and exactly invertible everywhere.
"""

from __future__ import annotations

from math import log1p
from typing import Protocol

from torch import Tensor

from codecctl.engine.networks.complex_channels import scaled, squared_magnitudes

FLOOR = 1e-4
"""Magnitude below which a transform is linear: -80 dB of a magnitude of 1."""
_LARGEST = 60.0
"""Logarithm beyond which `LogMag` gives up, where e^x would leave float32."""


class PreTransform(Protocol):
    """Maps complex channels (B, 2C, bins, frames) in the order of `complex_channels`."""

    def __call__(self, channels: Tensor) -> Tensor:
        """Before the encoder."""
        ...

    def inverse(self, channels: Tensor) -> Tensor:
        """After the decoder."""
        ...


class NoTransform:
    """Spectrograms as they are."""

    def __call__(self, channels: Tensor) -> Tensor:
        """The same."""
        return channels

    def inverse(self, channels: Tensor) -> Tensor:
        """The same."""
        return channels


def _magnitudes(channels: Tensor, floor: float) -> Tensor:
    """max(|z|, floor) as (B, C, ...); below the floor without a gradient, so never infinite."""
    return squared_magnitudes(channels).clamp(min=floor**2).sqrt()


class PowerNorm:
    """|S| becomes beta |S|^alpha.

    Args:
        alpha: In (0, 1]; smaller is flatter.
        beta: Scale.
    """

    def __init__(self, *, alpha: float, beta: float) -> None:
        self._alpha = alpha
        self._beta = beta
        self._lowest = beta * FLOOR**alpha

    def __call__(self, channels: Tensor) -> Tensor:
        """Beta |S|^(alpha - 1) S."""
        factors = self._beta * _magnitudes(channels, FLOOR).pow(self._alpha - 1)
        return scaled(channels, factors)

    def inverse(self, channels: Tensor) -> Tensor:
        """(|Y| / beta)^(1 / alpha) Y / |Y|."""
        magnitudes = _magnitudes(channels, self._lowest) / self._beta
        return scaled(channels, magnitudes.pow(1 / self._alpha - 1) / self._beta)


class LogMag:
    """|S| becomes log(1 + alpha |S|).

    Args:
        alpha: Above 0; magnitudes far below 1 / alpha stay as they are but for their scale.
    """

    def __init__(self, *, alpha: float) -> None:
        self._alpha = alpha

    def __call__(self, channels: Tensor) -> Tensor:
        """log(1 + alpha |S|) S / |S|."""
        magnitudes = _magnitudes(channels, FLOOR)
        return scaled(channels, (self._alpha * magnitudes).log1p() / magnitudes)

    def inverse(self, channels: Tensor) -> Tensor:
        """(e^|Y| - 1) / alpha Y / |Y|; |Y| above 60 is taken for 60 in e^|Y|."""
        floor = log1p(self._alpha * FLOOR)
        magnitudes = _magnitudes(channels, floor)
        grown = magnitudes.clamp(max=_LARGEST).expm1() / self._alpha
        return scaled(channels, grown / magnitudes)
