"""Residual vector quantizer whose codebooks are weights, moved by a gradient.

van den Oord et al. 2017 (https://arxiv.org/abs/1711.00937), equation 3: the second term of the
loss, here `Quantized.attraction`, moves the entries to the vectors that chose them.
"""

from __future__ import annotations

from math import log2

import torch
from torch import Tensor, nn

from codecctl.engine.quantizers.base import FRAMES_PER_ENTRY, Quantized, as_rows, mean_norms
from codecctl.engine.quantizers.clustering import kmeans
from codecctl.engine.quantizers.ranks import ALONE, Ranks
from codecctl.engine.quantizers.residual import code_residuals, decode, encode, quantized


class LearnedResidualQuantizer(nn.Module):
    """Codes each latent frame by K entries; the optimizer of the codec moves them.

    Args:
        dim: Latent width D.
        num_codebooks: Stages K.
        codebook_size: Entries N of each codebook.
        kmeans_iterations: Of `initialize`.
    """

    codebooks: nn.Parameter
    revived: Tensor

    def __init__(
        self, *, dim: int, num_codebooks: int, codebook_size: int, kmeans_iterations: int
    ) -> None:
        super().__init__()
        self.dim = dim
        self.num_codebooks = self.max_depth = num_codebooks
        self.codebook_size = codebook_size
        self.frames_needed = FRAMES_PER_ENTRY * codebook_size
        self.kmeans_iterations = kmeans_iterations
        self.bits_per_frame = num_codebooks * log2(codebook_size)
        shape = (num_codebooks, codebook_size, dim)
        self.codebooks = nn.Parameter(torch.empty(shape).uniform_(-1, 1) / codebook_size)
        nothing = torch.zeros(num_codebooks, dtype=torch.int64)
        self.register_buffer("revived", nothing, persistent=False)

    @property
    def entry_norms(self) -> Tensor:
        """Mean L2 norm of the entries of each codebook (K,)."""
        return mean_norms(self.codebooks)

    def forward(self, latent: Tensor, depths: Tensor | None = None) -> Quantized:
        """Quantize a latent sequence (B, D, F)."""
        with torch.autocast(latent.device.type, enabled=False):
            vectors = as_rows(latent.to(self.codebooks.dtype))
            return quantized(
                code_residuals(vectors, self.codebooks),
                vectors,
                batch=latent.shape[0],
                depths=depths,
                bits_per_frame=self.bits_per_frame,
            )

    @torch.no_grad()
    def encode(self, latent: Tensor) -> Tensor:
        """Codes (B, K, F) of a latent sequence (B, D, F)."""
        return encode(latent, self.codebooks)

    def decode(self, codes: Tensor) -> Tensor:
        """Latent sequence (B, D, F) of codes (B, k, F); the first k <= K stages suffice."""
        return decode(codes, self.codebooks)

    @torch.no_grad()
    def initialize(self, latents: Tensor, generator: torch.Generator) -> None:
        """Set every codebook to the k-means centroids of what the stages before it left.

        Args:
            latents: (V, D), V >= N.
            generator: Chooses the first centroids.
        """
        residual = latents.to(self.codebooks.dtype)
        for codebook in self.codebooks:
            clusters = kmeans(
                residual,
                self.codebook_size,
                iterations=self.kmeans_iterations,
                generator=generator,
            )
            codebook.copy_(clusters.centroids)
            residual = residual - clusters.centroids[clusters.members]

    def update(self, generator: torch.Generator, *, ranks: Ranks = ALONE) -> None:
        """Nothing: the optimizer moves the entries."""
        del generator, ranks

    def forget(self) -> None:
        """Nothing is noted."""
