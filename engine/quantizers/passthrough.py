"""No quantizer: a continuous latent passes as it is, or is drawn."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from codecctl.engine.quantizers.base import Quantized
from codecctl.engine.quantizers.gaussian import divergence_by_number, mean_and_deviation
from codecctl.engine.quantizers.ranks import ALONE, Ranks


class Passthrough(nn.Module):
    """Hands a continuous latent on; K = 0, so that every figure of codebooks is of none.

    Args:
        dim: Latent width D.
        drawn: The encoder gives means and scales (B, 2D, F); the latent is drawn from them where
            noise is given, as in training, else it is their mean.
    """

    revived: Tensor

    def __init__(self, *, dim: int, drawn: bool = False) -> None:
        super().__init__()
        self.dim = dim
        self.drawn = drawn
        self.num_codebooks = self.max_depth = self.codebook_size = self.frames_needed = 0
        self.bits_per_frame = 0.0
        self.register_buffer("revived", torch.zeros(0, dtype=torch.int64), persistent=False)

    @property
    def entry_norms(self) -> Tensor:
        """None: there are no entries; (0,)."""
        return self.revived.new_zeros(0, dtype=torch.float32)

    def forward(self, latent: Tensor, noise: Tensor | None = None) -> Quantized:
        """The latent without codes.

        Args:
            latent: (B, D, F), or (B, 2D, F) where it is drawn.
            noise: Standard normal numbers (B, D, F), where it is drawn.
        """
        batch, _, frames = latent.shape
        latent = latent.to(torch.promote_types(latent.dtype, torch.float32))
        divergence: Tensor | None = None
        if self.drawn:
            with torch.autocast(latent.device.type, enabled=False):
                mean, deviation = mean_and_deviation(latent)
                divergence = divergence_by_number(mean, deviation).sum(1).mean(1)
                latent = mean if noise is None else mean + deviation * noise.to(mean.dtype)
        nothing = latent.new_zeros(batch)
        return Quantized(
            latent=latent,
            codes=torch.zeros(batch, 0, frames, dtype=torch.int64, device=latent.device),
            stages=latent.new_zeros(0, *latent.shape),
            commitments=latent.new_zeros(0, batch),
            commitment=nothing,
            attraction=nothing,
            bits_per_frame=0.0,
            divergence=divergence,
        )

    def encode(self, latent: Tensor) -> Tensor:
        """Raises: there are no codes."""
        del latent
        raise TypeError("a continuous latent has no codes")

    def decode(self, codes: Tensor) -> Tensor:
        """Raises: there are no codes."""
        del codes
        raise TypeError("a continuous latent has no codes")

    def initialize(self, latents: Tensor, generator: torch.Generator) -> None:
        """Nothing to fit."""
        del latents, generator

    def update(self, generator: torch.Generator, *, ranks: Ranks = ALONE) -> None:
        """Nothing to move."""
        del generator, ranks

    def forget(self) -> None:
        """Nothing is noted."""
