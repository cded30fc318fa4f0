"""Finite scalar quantization: every latent number is rounded to one of a few levels.

Mentzer et al. 2023 (https://arxiv.org/abs/2309.15505): a grid takes the place of a codebook, so
that nothing can collapse and nothing has to be learned but the two projections.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log2, prod

import torch
from torch import Tensor, nn

from codecctl.engine.quantizers.base import Quantized, as_rows, as_sequence, straight_through
from codecctl.engine.quantizers.ranks import ALONE, Ranks

_MARGIN = 1e-3
"""The outermost levels are reached before the hyperbolic tangent saturates."""


class FiniteScalarQuantizer(nn.Module):
    """Projects each latent frame to a few numbers, rounds them, and projects back.

    One codebook (K = 1) of as many entries as the grid has points. There are no depths and no
    commitment: the distance to the grid is bounded.

    Args:
        dim: Latent width D.
        levels: Of each number, 3 or more.
    """

    levels: Tensor
    basis: Tensor
    revived: Tensor

    def __init__(self, *, dim: int, levels: Sequence[int]) -> None:
        super().__init__()
        assert levels and min(levels) >= 3, levels
        self.dim = dim
        self.num_codebooks = self.max_depth = 1
        self.codebook_size = prod(levels)
        self.frames_needed = 0
        self.bits_per_frame = log2(self.codebook_size)
        self.narrow = nn.Linear(dim, len(levels))
        self.widen = nn.Linear(len(levels), dim)
        for name, values in (("levels", levels), ("basis", _basis(levels))):
            self.register_buffer(name, torch.tensor(values), persistent=False)
        self.register_buffer("revived", torch.zeros(1, dtype=torch.int64), persistent=False)

    @property
    def entry_norms(self) -> Tensor:
        """None: there are no entries; (0,)."""
        return self.revived.new_zeros(0, dtype=torch.float32)

    def forward(self, latent: Tensor, depths: Tensor | None = None) -> Quantized:
        """Quantize a latent sequence (B, D, F)."""
        del depths  # a grid has no stages to leave out
        with torch.autocast(latent.device.type, enabled=False):
            batch, _, frames = latent.shape
            bounded = self._bounded(self.narrow(as_rows(latent.float())))
            digits = straight_through(bounded.detach().round(), bounded)
            result = as_sequence(self.widen(digits / self._half()), batch)
            nothing = latent.new_zeros(batch, dtype=torch.float32)
            return Quantized(
                latent=result,
                codes=self._index(digits.detach()).view(batch, 1, frames),
                stages=result[None],
                commitments=nothing[None],
                commitment=nothing,
                attraction=nothing,
                bits_per_frame=self.bits_per_frame,
            )

    @torch.no_grad()
    def encode(self, latent: Tensor) -> Tensor:
        """Codes (B, 1, F) of a latent sequence (B, D, F)."""
        with torch.autocast(latent.device.type, enabled=False):
            bounded = self._bounded(self.narrow(as_rows(latent.float())))
            return self._index(bounded.round()).view(len(latent), 1, -1)

    def decode(self, codes: Tensor) -> Tensor:
        """Latent sequence (B, D, F) of codes (B, 1, F)."""
        digits = codes.flatten()[:, None] // self.basis % self.levels - self._half()
        return as_sequence(self.widen(digits.float() / self._half()), len(codes))

    def initialize(self, latents: Tensor, generator: torch.Generator) -> None:
        """Nothing: the grid is fixed."""
        del latents, generator

    def update(self, generator: torch.Generator, *, ranks: Ranks = ALONE) -> None:
        """Nothing: the grid is fixed."""
        del generator, ranks

    def forget(self) -> None:
        """Nothing is noted."""

    def _half(self) -> Tensor:
        """Half the levels, rounded down: the digit that is stored as zero; (levels,)."""
        return self.levels // 2

    def _bounded(self, numbers: Tensor) -> Tensor:
        """Numbers (V, levels) squeezed so that rounding finds exactly the levels of each.

        An even count has no level at zero before its grid is shifted by half a step.
        """
        reach = (self.levels - 1) * (1 + _MARGIN) / 2
        offset = torch.where(self.levels % 2 == 0, 0.5, 0.0)
        shift = (offset / reach).atanh()
        return (numbers + shift).tanh() * reach - offset

    def _index(self, digits: Tensor) -> Tensor:
        """Whole numbers (V, levels) around zero to the place in the grid, (V,) int64."""
        return ((digits.long() + self._half()) * self.basis).sum(-1)


def _basis(levels: Sequence[int]) -> list[int]:
    """Value of each digit: the first counts single steps."""
    return [prod(levels[:place]) for place in range(len(levels))]
