"""Terms on what the quantizer's stages hold, which a mode may add to those of the codec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from torch import Tensor


class LatentTerms(Protocol):
    """Further terms on the vectors of the quantizer's stages."""

    @property
    def weights(self) -> Mapping[str, float]:
        """By term."""
        ...

    def losses(self, stages: Tensor) -> dict[str, Tensor]:
        """Stages (K, B, M, D, F) to the loss of each item, (B,), by term."""
        ...


class NoLatentTerms:
    """Nothing but reconstruction and quantizer shapes the codec."""

    @property
    def weights(self) -> Mapping[str, float]:
        """None."""
        return {}

    def losses(self, stages: Tensor) -> dict[str, Tensor]:
        """None."""
        del stages
        return {}
