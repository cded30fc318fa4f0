"""What every quantizer gives and can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from codecctl.engine.quantizers.ranks import ALONE, Ranks


@dataclass(frozen=True)
class Quantized:
    """What a quantizer made of a latent sequence."""

    latent: Tensor
    """Quantized (B, D, F); its gradient passes to the input unchanged."""
    codes: Tensor
    """Indices of the chosen entries (B, K, F), int64; of all stages, also those left out."""
    stages: Tensor
    """Part of the latent that each codebook gives (K, B, D, F); the sum of those in use is
    `latent`. Each passes its gradient to the input unchanged."""
    commitments: Tensor
    """Mean squared distance between each codebook's input and its entry, by item (K, B); zero
    where the codebook is left out."""
    commitment: Tensor
    """Mean of `commitments` over the codebooks in use, by item (B,)."""
    attraction: Tensor
    """The same distance with a gradient to the entries instead of the input, by item (B,); zero
    for codebooks that no gradient moves."""
    bits_per_frame: float
    """Size of the codes of one frame, without entropy coding."""
    divergence: Tensor | None = None
    """Of the distribution that the latent was drawn from, by item (B,); None where it is not
    drawn."""


class Quantizer(Protocol):
    """Codes latent frames; a `torch.nn.Module`.

    Everything is computed in float32, also under autocast. Nothing waits for the device.
    """

    dim: int
    """Latent width D."""
    num_codebooks: int
    """K."""
    max_depth: int
    """Codebooks of a group: those that can be left out from the last on."""
    codebook_size: int
    """Entries N of each codebook."""
    frames_needed: int
    """Latent frames that `initialize` wants to see."""
    bits_per_frame: float
    """Of all codebooks, without entropy coding."""

    @property
    def revived(self) -> Tensor:
        """Dead entries that the last update moved (K,); a figure to log, no state."""

    @property
    def entry_norms(self) -> Tensor:
        """Mean L2 norm of the entries of each codebook (K,); (0,) where there are none."""

    def __call__(self, latent: Tensor, draws: Tensor | None = None, /) -> Quantized:
        """Quantize a latent sequence (B, D, F); in training mode, note what was coded.

        Args:
            latent: (B, D, F).
            draws: What was drawn for each item. Of codebooks, the depth: how many of each group
                code it, (B,) int64 from 1 on; all of them where None.
        """

    def encode(self, latent: Tensor) -> Tensor:
        """Codes (B, K, F) of a latent sequence (B, D, F)."""

    def decode(self, codes: Tensor) -> Tensor:
        """Latent sequence (B, D, F) of codes (B, k, F); the first k <= K codebooks suffice."""

    def initialize(self, latents: Tensor, generator: torch.Generator) -> None:
        """Fit the codebooks to latent frames (V, D) before the first step."""

    def update(self, generator: torch.Generator, *, ranks: Ranks = ALONE) -> None:
        """Move what no gradient moves by what was coded since the last update."""

    def forget(self) -> None:
        """Drop what was coded since the last update."""


FRAMES_PER_ENTRY = 4
"""Latent frames that initialization wants to see for each entry of a codebook."""


def mean_norms(codebooks: Tensor) -> Tensor:
    """Mean L2 norm of the entries of codebooks (K, N, D), detached: (K,)."""
    norms: Tensor = torch.linalg.vector_norm(codebooks.detach(), dim=-1)
    return norms.mean(1)


def as_rows(latent: Tensor) -> Tensor:
    """(B, D, F) to (B * F, D)."""
    return latent.transpose(1, 2).flatten(0, 1)


def as_sequence(vectors: Tensor, batch: int) -> Tensor:
    """(B * F, D) to (B, D, F)."""
    return vectors.view(batch, -1, vectors.shape[1]).transpose(1, 2)


def straight_through(value: Tensor, source: Tensor) -> Tensor:
    """Exactly `value`, with the gradient of `source` (Bengio et al. 2013, 1308.3432)."""
    return value + (source - source.detach())


def by_item(squares: Tensor, batch: int) -> Tensor:
    """Mean of (B * F, D) over the frames and width of each item, (B,)."""
    return squares.view(batch, -1).mean(1)


def in_use(depths: Tensor | None, *, num_codebooks: int, batch: int, like: Tensor) -> Tensor:
    """1 where a codebook codes an item, else 0: (K, B) in the type of `like`."""
    if depths is None:
        return like.new_ones(num_codebooks, batch)
    order = torch.arange(num_codebooks, device=depths.device)
    return (order[:, None] < depths).to(like.dtype)


def over_stages(parts: Tensor, used: Tensor) -> Tensor:
    """Mean over the codebooks in use: parts (K, B), used (K, B) to (B,)."""
    return (parts * used).sum(0) / used.sum(0)
