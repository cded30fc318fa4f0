"""Terms at the decoder's output, and the one gradient that they make together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor

from codecctl.engine.balancer import Balancer, gradients_of
from codecctl.engine.losses import WaveLoss
from codecctl.engine.recipes.base import Scalars

OUTSIDE = "outside"
"""The weighted sum of all terms that are not balanced, among gradients by term."""


@dataclass(frozen=True)
class Pull:
    """Where the terms at the decoder's output want it to go."""

    gradient: Tensor
    """Shaped like what the decoder emits, detached."""
    scalars: Scalars
    """Shares of the balanced terms."""


class Objective:
    """Weighted terms of an estimate, balanced or not.

    Args:
        losses: Reconstruction terms; the adversary adds its own.
        emission_losses: Terms on what the decoder emits before it is rendered.
        wave_view: Makes, of what was emitted and a number of samples, the waves that reconstruction
            terms compare; None: those that are heard.
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
        emission_losses: Mapping[str, WaveLoss] = MappingProxyType({}),
        wave_view: Callable[[Tensor, int], Tensor] | None = None,
    ) -> None:
        self._losses = dict(losses)
        self._emission_losses = dict(emission_losses)
        self._wave_view = wave_view
        self.weights = dict(weights)
        self.balancer = balancer

    def terms(
        self, estimate: Tensor, reference: Tensor, *, emitted: Tensor, target: Tensor
    ) -> dict[str, Tensor]:
        """Every term of each item, (N,), but those that discriminators give.

        Args:
            estimate: Audio (N, C, T).
            reference: What it should be.
            emitted: What the decoder gave, of which the estimate is made, (N, ...).
            target: What it should have given.
        """
        if self._wave_view is not None:
            samples = reference.shape[-1]
            estimate = self._wave_view(emitted, samples)
            reference = self._wave_view(target, samples)
        terms = {name: loss(estimate, reference) for name, loss in self._losses.items()}
        return terms | {n: loss(emitted, target) for n, loss in self._emission_losses.items()}

    def gradients(
        self,
        terms: Mapping[str, Tensor],
        emitted: Tensor,
        *,
        keep_graph: bool,
        scale: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Gradient of each balanced term at what was emitted, and of the others as `OUTSIDE`.

        Those of parts of a batch, one after the other, are those of the batch.

        Args:
            terms: 0-d each, computed from `emitted`.
            emitted: A leaf, (N, ...).
            keep_graph: Whether the graph of the terms is needed again.
            scale: Of the losses on their way back through float16; the gradients are without it.
        """
        if not terms:
            return {OUTSIDE: torch.zeros_like(emitted)}
        balanced = self.balancer.weights if self.balancer is not None else {}
        inside = {name: term for name, term in terms.items() if name in balanced}
        outside = [self.weights[name] * term for name, term in terms.items() if name not in inside]
        if not outside:
            return gradients_of(inside, emitted, keep_graph=keep_graph, scale=scale)
        whole = {OUTSIDE: torch.stack(outside).sum()}
        keep = keep_graph or bool(inside)
        first = gradients_of(whole, emitted, keep_graph=keep, scale=scale)
        return first | gradients_of(inside, emitted, keep_graph=keep_graph, scale=scale)

    def combine(self, gradients: Mapping[str, Tensor]) -> Pull:
        """One gradient from those of all terms, (N, ...) each, of a whole batch."""
        inside = dict(gradients)
        outside = inside.pop(OUTSIDE, None)
        if self.balancer is None or not inside:
            assert outside is not None, "no term at the decoder's output"
            return Pull(gradient=outside, scalars={})
        together = self.balancer.combine(inside)
        before = torch.stack(list(together.sizes.values())).sum()
        scalars: Scalars = {}
        for name, share in together.shares.items():
            scalars[f"balancer/{name}"] = share
            scalars[f"balancer/{name}/before"] = together.sizes[name] / before
        whole = together.gradient if outside is None else outside + together.gradient
        return Pull(gradient=whole, scalars=scalars)
