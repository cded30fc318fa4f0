"""Terms at the decoder's output, and the one gradient that they make together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from codecctl.engine.balancer import Balancer, gradients_of
from codecctl.engine.losses import WaveLoss
from codecctl.engine.recipes.base import Scalars


@dataclass(frozen=True)
class Pull:
    """Where the terms at the decoder's output want it to go."""

    gradient: Tensor
    """Shaped like the estimate, detached."""
    scalars: Scalars
    """Shares of the balanced terms."""


class Objective:
    """Weighted terms of an estimate, balanced or not.

    Args:
        losses: Reconstruction terms; the adversary adds its own.
        weights: Of every term at the decoder's output.
        balancer: Balances those of the terms that it has weights for; the others, or all where
            there is none, enter with their own size times their weight.
    """

    def __init__(
        self,
        losses: Mapping[str, WaveLoss],
        weights: Mapping[str, float],
        *,
        balancer: Balancer | None,
    ) -> None:
        self._losses = dict(losses)
        self.weights = dict(weights)
        self.balancer = balancer

    def reconstruction(self, estimate: Tensor, reference: Tensor) -> dict[str, Tensor]:
        """Reconstruction terms of each item: (N, C, T) twice to (N,) by term."""
        return {name: loss(estimate, reference) for name, loss in self._losses.items()}

    def pull(self, terms: Mapping[str, Tensor], estimate: Tensor, *, keep_graph: bool) -> Pull:
        """One gradient at the estimate from all terms.

        Args:
            terms: 0-d each, computed from the estimate.
            estimate: A leaf, (N, C, T).
            keep_graph: Whether the graph of the terms is needed again.
        """
        balanced = self.balancer.weights if self.balancer is not None else {}
        inside = {name: term for name, term in terms.items() if name in balanced}
        outside = [self.weights[name] * term for name, term in terms.items() if name not in inside]
        gradient = torch.zeros_like(estimate)
        if outside:
            whole = torch.stack(outside).sum()
            gradient += gradients_of({"outside": whole}, estimate, keep_graph=True)["outside"]
        if self.balancer is None or not inside:
            return Pull(gradient=gradient, scalars={})
        together = self.balancer.combine(gradients_of(inside, estimate, keep_graph=keep_graph))
        before = torch.stack(list(together.sizes.values())).sum()
        scalars: Scalars = {}
        for name, share in together.shares.items():
            scalars[f"balancer/{name}"] = share
            scalars[f"balancer/{name}/before"] = together.sizes[name] / before
        return Pull(gradient=gradient + together.gradient, scalars=scalars)
