"""Weights that follow the size of gradients: a term gets a share of what reconstruction asks for.

Both gradients arrive at the latent frames in the one backward of an update, and are read there by
hooks, so that nothing is computed twice:

    r   = norm of the gradient of all terms at the decoder's output, at the quantized latent
    p_i = norm of the gradient of term i at the vectors of its stage, divided by its factor
    factor_i = share_i * average(r) / average(p_i), for the next update

Norms are those of the whole global batch; averages are exponential and bias-corrected. As both
come from one backward, no scale of mixed precision changes their ratio.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import torch
from torch import Tensor, nn

from codecctl.engine.quantizers import Quantized
from codecctl.engine.recipes.base import Scalars
from codecctl.engine.undo import chosen

LARGEST_FACTOR = 100.0
"""A term whose gradient has all but vanished must not wait with an enormous weight."""
_RECONSTRUCTION = "reconstruction"


class GradientShares:
    """Factors on the weights of terms between capsules; all of its state stays on the device.

    Args:
        quantizer: Whose output the decoder gets.
        shares: Norm of the gradient of each term, relative to reconstruction's.
        stages: Which stage a term reads; no two of them the same.
        decay: Of the averages, per update.
        device: Where the networks live.
        over_ranks: Mean over the ranks.
    """

    def __init__(
        self,
        quantizer: nn.Module,
        *,
        shares: Mapping[str, float],
        stages: Mapping[str, int],
        decay: float,
        device: torch.device,
        over_ranks: Callable[[Tensor], Tensor],
    ) -> None:
        assert set(shares) <= set(stages), (shares, stages)
        assert len({stages[name] for name in shares}) == len(shares), "one stage for two terms"
        self._shares = dict(shares)
        self._stages = {name: stages[name] for name in shares}
        self._decay = decay
        self._over_ranks = over_ranks
        names = (_RECONSTRUCTION, *shares)
        zero = torch.zeros((), dtype=torch.float64, device=device)
        self._sums = {name: zero.clone() for name in names}
        self._counts = {name: zero.clone() for name in names}
        self._squares = {name: zero.clone() for name in names}
        self.factors = {name: torch.ones_like(zero) for name in shares}
        """By term, of the next update; 0-d."""
        quantizer.register_forward_hook(self._listen)

    def watch(self, stages: Tensor) -> None:
        """Read the gradient that reaches the stages (K, B, M, D, F) which the terms are made of."""
        if stages.requires_grad:
            stages.register_hook(self._hear_terms)  # type: ignore[no-untyped-call]  # torch's

    def scaled(self, name: str, values: Tensor) -> Tensor:
        """A term with its value as it is and its gradient times its factor."""
        if name not in self._shares:
            return values
        held = values.detach()
        return held + self.factors[name].to(values.dtype) * (values - held)

    @torch.no_grad()
    def update(self, blocked: Tensor) -> Scalars:
        """Take in the gradients since the last update; returns the factors that they had.

        Args:
            blocked: Whether that update was left out, 0-d bool: then nothing is learned of it.
        """
        sums, counts, factors = dict(self._sums), dict(self._counts), dict(self.factors)
        had = self._learn()
        self._sums = chosen(blocked, sums, self._sums)
        self._counts = chosen(blocked, counts, self._counts)
        self.factors = chosen(blocked, factors, self.factors)
        return had

    def forget(self) -> None:
        """Drop the gradients since the last update."""
        self._squares = {name: torch.zeros_like(value) for name, value in self._squares.items()}

    def _learn(self) -> Scalars:
        names = list(self._sums)
        squares = self._over_ranks(torch.stack([self._squares[name] for name in names]))
        for name, square in zip(names, squares, strict=True):
            norm = square.sqrt() / self.factors.get(name, 1.0)
            # Nothing is learned of a term without a gradient, nor of an overflow.
            counts = ((norm > 0) & norm.isfinite()).double()
            norm = torch.where(counts > 0, norm, 0.0)
            kept = torch.where(counts > 0, self._decay, 1.0)
            self._sums[name] = self._sums[name] * kept + norm
            self._counts[name] = self._counts[name] * kept + counts
            self._squares[name] = torch.zeros_like(square)
        had: Scalars = {f"factor/{name}": factor for name, factor in self.factors.items()}
        wanted = self._average(_RECONSTRUCTION)
        for name, share in self._shares.items():
            found = self._average(name)
            factor = (share * wanted / found).clamp(1 / LARGEST_FACTOR, LARGEST_FACTOR)
            known = (wanted > 0) & (found > 0)
            self.factors[name] = torch.where(known, factor, self.factors[name])
        return had

    def state_dict(self) -> dict[str, object]:
        """Averages and factors; tensors only."""
        parts = {"sums": self._sums, "counts": self._counts, "factors": self.factors}
        return {name: dict(values) for name, values in parts.items()}

    def load_state_dict(self, state: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Take up averages and factors of the same terms."""
        assert set(state["factors"]) == set(self.factors), f"{sorted(state['factors'])} are others"
        for values, name in ((self._sums, "sums"), (self._counts, "counts")):
            values.update({term: state[name][term].to(old) for term, old in values.items()})
        for term, old in self.factors.items():
            self.factors[term] = state["factors"][term].to(old)

    def _average(self, name: str) -> Tensor:
        """Corrected average; 0 where nothing was seen."""
        return self._sums[name] / self._counts[name].clamp(min=torch.finfo(torch.float64).tiny)

    def _listen(self, module: nn.Module, args: object, output: object) -> None:
        del module, args
        latent = cast(Quantized, output).latent
        if latent.requires_grad:
            latent.register_hook(self._hear_reconstruction)  # type: ignore[no-untyped-call]  # torch's

    def _hear_reconstruction(self, gradient: Tensor) -> None:
        self._hear(_RECONSTRUCTION, gradient)

    def _hear_terms(self, gradient: Tensor) -> None:
        for name, stage in self._stages.items():
            self._hear(name, gradient[stage])

    def _hear(self, name: str, gradient: Tensor) -> None:
        self._squares[name] = self._squares[name] + gradient.detach().double().square().sum()
