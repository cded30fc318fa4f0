"""Loss scale of one optimizer, so that float16 gradients neither vanish nor overflow.

Micikevicius et al. 2018 (https://arxiv.org/abs/1710.03740), section 3.2. Each optimizer has its
own: what overflows on one side tells nothing of the other. Scales are powers of two, so that
scaling and unscaling lose nothing, and stay on the device.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from codecctl.engine.recipes.base import State

FIRST = 2.0**16
LARGEST = 2.0**24
SMALLEST = 1.0
"""Below it not the scale is to blame: gradients are not finite of themselves."""
PATIENCE = 2000
"""Updates without an overflow before the scale is doubled."""


class LossScale:
    """A factor on losses: half after an overflow, twice after long without one.

    Args:
        device: Where the networks live.

    Attributes:
        value: 0-d float32.
    """

    def __init__(self, device: torch.device) -> None:
        self.value = torch.full((), FIRST, device=device)
        self._clean = torch.zeros((), device=device)

    @torch.no_grad()
    def unscale_(self, gradients: Sequence[Tensor]) -> None:
        """Divide gradients by the scale, in place."""
        if gradients:
            torch._foreach_mul_(list(gradients), self.value.reciprocal())

    def update(self, overflowed: Tensor) -> None:
        """Take in whether the gradients of an update were finite, 0-d bool."""
        clean = self._clean + 1
        grown = torch.where(clean >= PATIENCE, 2.0, 1.0)
        factor = torch.where(overflowed, 0.5, grown)
        self.value = (self.value * factor).clamp(SMALLEST, LARGEST)
        self._clean = torch.where(overflowed | (clean >= PATIENCE), 0.0, clean)

    def state_dict(self) -> State:
        """The scale and how long it has held; tensors only."""
        return {"value": self.value, "clean": self._clean}

    def load_state_dict(self, state: State) -> None:
        """Take up a scale."""
        self.value = cast(Tensor, state["value"]).to(self.value)
        self._clean = cast(Tensor, state["clean"]).to(self._clean)
