"""Several quantizers, each for its part of the latent width (Yang et al. 2023, 2305.02765)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from codecctl.engine.quantizers.base import Quantized, Quantizer
from codecctl.engine.quantizers.ranks import ALONE, Ranks


class GroupedQuantizer(nn.Module):
    """Splits the latent width into equal groups with codebooks of their own.

    The first codebook of every group comes first, then the second of every group: the first codes
    of a frame decode to a coarser latent of the whole width.

    Args:
        groups: Quantizers of equal width and size, G of them.
    """

    def __init__(self, groups: Sequence[Quantizer]) -> None:
        super().__init__()
        first = groups[0]
        alike = {(group.dim, group.num_codebooks, group.codebook_size) for group in groups}
        assert len(alike) == 1, alike
        self.dim = len(groups) * first.dim
        self.num_codebooks = len(groups) * first.num_codebooks
        self.max_depth = first.max_depth
        self.codebook_size = first.codebook_size
        self.frames_needed = first.frames_needed
        self.bits_per_frame = sum(group.bits_per_frame for group in groups)
        self.groups = nn.ModuleList(cast("Sequence[nn.Module]", groups))

    @property
    def revived(self) -> Tensor:
        """Dead entries that the last update moved (K,)."""
        return torch.stack([group.revived for group in self._members()], 1).flatten()

    @property
    def entry_norms(self) -> Tensor:
        """Mean L2 norm of the entries of each codebook (K,)."""
        return torch.stack([group.entry_norms for group in self._members()], 1).flatten()

    def forward(self, latent: Tensor, depths: Tensor | None = None) -> Quantized:
        """Quantize a latent sequence (B, D, F); depths count the codebooks of a group."""
        parts = [
            group(part, depths)
            for group, part in zip(self._members(), self._split(latent), strict=True)
        ]
        return Quantized(
            latent=torch.cat([part.latent for part in parts], 1),
            codes=_interleave([part.codes.transpose(0, 1) for part in parts]).transpose(0, 1),
            stages=_interleave([self._widened(part.stages, at) for at, part in enumerate(parts)]),
            commitments=_interleave([part.commitments for part in parts]),
            commitment=torch.stack([part.commitment for part in parts]).mean(0),
            attraction=torch.stack([part.attraction for part in parts]).mean(0),
            bits_per_frame=self.bits_per_frame,
        )

    @torch.no_grad()
    def encode(self, latent: Tensor) -> Tensor:
        """Codes (B, K, F) of a latent sequence (B, D, F)."""
        pairs = zip(self._members(), self._split(latent), strict=True)
        codes = [group.encode(part).transpose(0, 1) for group, part in pairs]
        return _interleave(codes).transpose(0, 1)

    def decode(self, codes: Tensor) -> Tensor:
        """Latent sequence (B, D, F) of codes (B, k, F); k is a multiple of the groups."""
        members = self._members()
        assert codes.shape[1] % len(members) == 0, (codes.shape, len(members))
        return torch.cat(
            [group.decode(codes[:, at :: len(members)]) for at, group in enumerate(members)], 1
        )

    @torch.no_grad()
    def initialize(self, latents: Tensor, generator: torch.Generator) -> None:
        """Fit the codebooks of each group to its part of latent frames (V, D)."""
        for group, part in zip(self._members(), latents.chunk(len(self.groups), 1), strict=True):
            group.initialize(part, generator)

    def update(self, generator: torch.Generator, *, ranks: Ranks = ALONE) -> None:
        """Move the codebooks of all groups."""
        for group in self._members():
            group.update(generator, ranks=ranks)

    def forget(self) -> None:
        """Drop what all groups have coded since the last update."""
        for group in self._members():
            group.forget()

    def _members(self) -> list[Quantizer]:
        return cast("list[Quantizer]", list(self.groups))

    def _split(self, latent: Tensor) -> tuple[Tensor, ...]:
        return latent.chunk(len(self.groups), 1)

    def _widened(self, stages: Tensor, at: int) -> Tensor:
        """Vectors of a group (k, B, D / G, F) in their place of the whole width."""
        width = stages.shape[2]
        after = self.dim - (at + 1) * width
        return functional.pad(stages, (0, 0, at * width, after))


def _interleave(parts: Sequence[Tensor]) -> Tensor:
    """G tensors (k, ...) to (k * G, ...): the first of each, then the second of each."""
    return torch.stack(list(parts), 1).flatten(0, 1)
