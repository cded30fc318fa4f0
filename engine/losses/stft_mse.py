"""Distance of spectrograms in the domain of a network."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from codecctl.engine.losses.precision import float32_island


class StftDistance:
    """|S' - S|^p of the real and imaginary parts of spectrograms.

    Args:
        p: Power.
        summed: Sum over channels, bins and frames of an item instead of the mean.
        inverse: Applied to both before; undoes a pre-transform.
    """

    def __init__(
        self, *, p: float, summed: bool, inverse: Callable[[Tensor], Tensor] | None
    ) -> None:
        self._p = p
        self._summed = summed
        self._inverse = inverse

    def __call__(self, estimate: Tensor, reference: Tensor) -> Tensor:
        """Distance of each item, (N,), of complex channels (N, 2C, bins, frames)."""
        with float32_island(estimate, reference) as (ours, theirs):
            if self._inverse is not None:
                ours, theirs = self._inverse(ours), self._inverse(theirs)
            difference = (ours - theirs).flatten(1)
            # Squared without a root in between: its gradient is finite at 0.
            powers = difference.square() if self._p == 2 else difference.abs().pow(self._p)
            return powers.sum(1) if self._summed else powers.mean(1)
