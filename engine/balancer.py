"""Balance of loss terms by the size of their gradients at the estimate.

The gradient of term i at the estimate y is divided by an average of its own size, so that its
weight is its share of the update, whatever its units (Defossez et al. 2022,
https://arxiv.org/abs/2210.13438, section 3.4):

    g_i = d loss_i / d y
    n_i = mean over the items b of |g_i[b]|_2,  averaged over steps with decay, bias-corrected
    G   = sum over present terms of total_norm * w_i / sum(w) * g_i / (n_i + epsilon)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from codecctl.engine.undo import chosen
from codecctl.errors import ProfileError


@dataclass(frozen=True)
class Balanced:
    """One gradient made of several."""

    gradient: Tensor
    """G, shaped like the estimate, detached."""
    shares: dict[str, Tensor]
    """Share of each term in the sum of the sizes of the parts of G; 0-d, they sum to one."""
    sizes: dict[str, Tensor]
    """Running size of each gradient before balancing; 0-d."""


def _same_everywhere(values: Tensor) -> Tensor:
    return values


def item_norm(gradient: Tensor) -> Tensor:
    """Mean over items of the L2 norm of each item's gradient: (N, ...) to 0-d float64."""
    norms: Tensor = torch.linalg.vector_norm(gradient.double().reshape(len(gradient), -1), dim=1)
    return norms.mean()


def gradients_of(
    losses: Mapping[str, Tensor],
    estimate: Tensor,
    *,
    keep_graph: bool,
    scale: Tensor | None = None,
) -> dict[str, Tensor]:
    """Gradient of each term with respect to the estimate.

    Args:
        losses: 0-d terms computed from the estimate.
        estimate: A leaf, so that no gradient goes past it.
        keep_graph: Whether the graph of the terms is needed again.
        scale: Of the losses on their way back through float16, taken out again here; 0-d.
    """
    names = list(losses)
    gradients: dict[str, Tensor] = {}
    for name in names:
        loss = losses[name] if scale is None else losses[name] * scale
        keep = keep_graph or name != names[-1]
        (gradient,) = torch.autograd.grad(loss, [estimate], retain_graph=keep)
        gradients[name] = gradient if scale is None else gradient / scale
    return gradients


class Balancer:
    """Running sizes of gradients; all of its state stays on the device.

    Args:
        weights: Share of each term, in any unit.
        terms: Terms that the recipe computes; must be those of `weights`.
        total_norm: Mean size of an item's balanced gradient.
        decay: Of the running size, per step.
        epsilon: Added to the running size.
        device: Where the estimates live.
        over_ranks: Mean of the sizes over the ranks, so that they are those of the global batch.
    """

    def __init__(
        self,
        weights: Mapping[str, float],
        terms: Collection[str],
        *,
        total_norm: float,
        decay: float,
        epsilon: float,
        device: torch.device,
        over_ranks: Callable[[Tensor], Tensor] = _same_everywhere,
    ) -> None:
        unknown = sorted(set(weights) ^ set(terms))
        if unknown:
            raise ProfileError(
                f"balancer: weights {sorted(weights)} and terms {sorted(terms)} differ in {unknown}"
            )
        self.weights = dict(weights)
        self.total_norm = total_norm
        self.decay = decay
        self.epsilon = epsilon
        self._over_ranks = over_ranks
        # Weighted sum of sizes and sum of weights, float64: their ratio is the corrected average.
        self._sums = {name: torch.zeros((), dtype=torch.float64, device=device) for name in weights}
        self._counts = {name: torch.zeros_like(value) for name, value in self._sums.items()}
        self._before: tuple[dict[str, Tensor], dict[str, Tensor]] | None = None

    def combine(self, gradients: Mapping[str, Tensor]) -> Balanced:
        """Update the running sizes of the terms that are present and balance them.

        Weights of absent terms drop out of the sum: the others then share the whole.

        Args:
            gradients: d loss / d estimate by term, (N, ...) each; a subset of the terms.
        """
        unknown = sorted(set(gradients) - set(self.weights))
        assert not unknown, f"no weight for {unknown}"
        names = list(gradients)
        self._before = (dict(self._sums), dict(self._counts))
        norms = self._over_ranks(torch.stack([item_norm(gradients[name]) for name in names]))
        total_weight = sum(self.weights[name] for name in names)
        total = torch.zeros_like(gradients[names[0]])
        parts: dict[str, Tensor] = {}
        sizes: dict[str, Tensor] = {}
        for name, norm in zip(names, norms, strict=True):
            self._sums[name] = self._sums[name] * self.decay + norm
            self._counts[name] = self._counts[name] * self.decay + 1
            sizes[name] = self._sums[name] / self._counts[name]
            share = self.total_norm * self.weights[name] / total_weight
            scale = share / (sizes[name] + self.epsilon)
            total += gradients[name] * scale.to(total.dtype)
            parts[name] = scale * norm
        whole = torch.stack(list(parts.values())).sum().clamp(min=self.epsilon)
        return Balanced(
            gradient=total,
            shares={name: part / whole for name, part in parts.items()},
            sizes=sizes,
        )

    def settle(self, blocked: Tensor) -> None:
        """End an update: where it was not made, 0-d bool, the running sizes are as before it."""
        if self._before is not None:
            sums, counts = self._before
            self._sums = chosen(blocked, sums, self._sums)
            self._counts = chosen(blocked, counts, self._counts)
            self._before = None

    def undo(self) -> None:
        """Take back what an update that did not come to its end has added."""
        if self._before is not None:
            self._sums, self._counts = self._before
            self._before = None

    def state_dict(self) -> dict[str, object]:
        """Running sizes; tensors only."""
        return {"sums": dict(self._sums), "counts": dict(self._counts)}

    def load_state_dict(self, state: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Take up running sizes of the same terms."""
        assert set(state["sums"]) == set(self.weights), f"{sorted(state['sums'])} are other terms"
        for name in self.weights:
            self._sums[name] = state["sums"][name].to(self._sums[name])
            self._counts[name] = state["counts"][name].to(self._counts[name])
