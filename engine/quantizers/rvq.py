"""Residual vector quantizer whose codebooks follow a moving average of what they code.

Zeghidour et al. 2021 (https://arxiv.org/abs/2107.03312), section 3.3; van den Oord et al. 2017
(https://arxiv.org/abs/1711.00937), appendix A.1 for the moving average.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log2
from typing import Literal

import torch
from torch import Tensor, nn

from codecctl.engine.quantizers.clustering import kmeans, nearest
from codecctl.engine.quantizers.ranks import ALONE, Ranks

Ema = Literal["correct", "encodec"]

_DEAD_SHARE = 0.25
"""Of an average entry's count: no entry above it is dead, however small the batches are."""


@dataclass(frozen=True)
class Quantized:
    """What the quantizer made of a latent sequence."""

    latent: Tensor
    """Sum of the chosen entries (B, D, F); its gradient passes to the input unchanged."""
    codes: Tensor
    """Indices of the chosen entries (B, K, F), int64."""
    stages: Tensor
    """Chosen entry of each stage (K, B, D, F); each passes its gradient to the input unchanged."""
    commitments: Tensor
    """Mean squared distance between each stage's input and its entry (K,)."""
    commitment: Tensor
    """Mean of `commitments` over the stages, 0-d."""
    bits_per_frame: float
    """Size of the codes of one frame, without entropy coding."""


class ResidualVectorQuantizer(nn.Module):
    """Codes each latent frame by K entries, each of what the entries before it left.

    Everything is computed in float32, also under autocast. `forward` in training mode only notes
    what was coded; `update`, once per optimizer step, moves the codebooks. Nothing in either
    waits for the device.

    An entry is dead when the average number of vectors that choose it in one update falls below
    `dead_threshold`. Published thresholds belong to batches of some thousand vectors; in smaller
    ones the average entry would be dead, so that the threshold is never more than a quarter of
    the average count. Dead entries move to distinct vectors of the batch and count as average.

    Args:
        dim: Latent width D.
        num_codebooks: Stages K.
        codebook_size: Entries N of each codebook.
        decay: Of the moving averages, per update.
        epsilon: Laplace smoothing of the counts.
        kmeans_iterations: Of `initialize`.
        dead_threshold: Vectors per update; 0 revives nothing.
        ema: "encodec" repeats the published implementation for comparison: after k-means, its
            averages hold the centroids where the sums belong, which the first update divides by
            the counts; nothing dead is revived; and k-means starts from any vectors.
    """

    codebooks: Tensor
    sums: Tensor
    counts: Tensor
    revived: Tensor

    def __init__(
        self,
        *,
        dim: int,
        num_codebooks: int,
        codebook_size: int,
        decay: float,
        epsilon: float,
        kmeans_iterations: int,
        dead_threshold: float,
        ema: Ema,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.num_codebooks = num_codebooks
        self.codebook_size = codebook_size
        self.decay = decay
        self.epsilon = epsilon
        self.kmeans_iterations = kmeans_iterations
        self.ema = ema
        self.dead_threshold = dead_threshold if ema == "correct" else 0.0
        self.bits_per_frame = num_codebooks * log2(codebook_size)
        shape = (num_codebooks, codebook_size, dim)
        codebooks = torch.empty(shape).uniform_(-1, 1) * (6 / dim) ** 0.5
        sums = torch.zeros(shape) if ema == "correct" else codebooks.clone()
        self.register_buffer("codebooks", codebooks)
        self.register_buffer("sums", sums)
        self.register_buffer("counts", torch.zeros(shape[:2]))
        # Of the last update; a figure to log, no state.
        self.register_buffer(
            "revived", torch.zeros(num_codebooks, dtype=torch.int64), persistent=False
        )
        # Inputs (K, V, D) and codes (K, V) since the last update, so none when a state is saved.
        self._noted: list[tuple[Tensor, Tensor]] = []

    def forward(self, latent: Tensor) -> Quantized:
        """Quantize a latent sequence (B, D, F); in training mode, note what was coded.

        The residual is taken with a detached entry, so that every stage's commitment reaches the
        input; one outer straight-through keeps the gradient of the sum at the identity.
        """
        with torch.autocast(latent.device.type, enabled=False):
            batch, _, frames = latent.shape
            vectors = _as_rows(latent.to(self.codebooks.dtype))  # (V, D)
            inputs, codes, stages, commitments = [], [], [], []
            residual, total = vectors, torch.zeros_like(vectors)
            for codebook in self.codebooks:
                index = nearest(residual.detach(), codebook)
                entry = codebook.index_select(0, index)
                inputs.append(residual.detach())
                codes.append(index)
                stages.append(_straight_through(entry, residual))
                commitments.append((residual - entry).square().mean())
                residual, total = residual - entry, total + entry
            if self.training:
                self._noted.append((torch.stack(inputs), torch.stack(codes)))
            commitment = torch.stack(commitments)
            return Quantized(
                latent=_as_sequence(_straight_through(total, vectors), batch),
                codes=torch.stack(codes).view(-1, batch, frames).transpose(0, 1),
                stages=torch.stack([_as_sequence(stage, batch) for stage in stages]),
                commitments=commitment,
                commitment=commitment.mean(),
                bits_per_frame=self.bits_per_frame,
            )

    @torch.no_grad()
    def encode(self, latent: Tensor) -> Tensor:
        """Codes (B, K, F) of a latent sequence (B, D, F)."""
        with torch.autocast(latent.device.type, enabled=False):
            batch, _, frames = latent.shape
            residual = _as_rows(latent.to(self.codebooks.dtype))
            codes = []
            for codebook in self.codebooks:
                codes.append(nearest(residual, codebook))
                residual = residual - codebook.index_select(0, codes[-1])
            return torch.stack(codes).view(-1, batch, frames).transpose(0, 1)

    def decode(self, codes: Tensor) -> Tensor:
        """Latent sequence (B, D, F) of codes (B, k, F); the first k <= K stages suffice."""
        batch, stages, frames = codes.shape
        total = self.codebooks.new_zeros(batch * frames, self.dim)
        for codebook, index in zip(self.codebooks[:stages], codes.unbind(1), strict=True):
            total = total + codebook.index_select(0, index.flatten())
        return _as_sequence(total, batch)

    @torch.no_grad()
    def initialize(self, latents: Tensor, generator: torch.Generator) -> None:
        """Set every codebook to the k-means centroids of what the stages before it left.

        The average entry starts with a count of one, whatever the sample's size, and no entry with
        less: the first hundred updates, not the sample, shall tell which are dead.

        Args:
            latents: (V, D), V >= N, better 4 N or more: a reservoir from many recordings.
            generator: Chooses the first centroids.
        """
        residual = latents.to(self.codebooks.dtype)
        for codebook, sums, counts in zip(self.codebooks, self.sums, self.counts, strict=True):
            clusters = kmeans(
                residual,
                self.codebook_size,
                iterations=self.kmeans_iterations,
                generator=generator,
                start="random" if self.ema == "encodec" else "spread",
            )
            codebook.copy_(clusters.centroids)
            if self.ema == "encodec":
                counts.copy_(clusters.counts)
                sums.copy_(clusters.centroids)
            else:
                counts.copy_((clusters.counts / clusters.counts.mean()).clamp(min=1))
                sums.copy_(clusters.centroids * counts[:, None])
            residual = residual - clusters.centroids[clusters.members]

    @torch.no_grad()
    def update(self, generator: torch.Generator, *, ranks: Ranks = ALONE) -> None:
        """Move the codebooks by what was coded since the last update; none if nothing was.

        Args:
            generator: Chooses the vectors that dead entries move to; in the same state on all
                ranks.
            ranks: Whose vectors count. All of them call, and all end with the same codebooks.
        """
        if not self._noted:
            return
        vectors = torch.cat([inputs for inputs, _ in self._noted], 1)
        codes = torch.cat([codes for _, codes in self._noted], 1)
        self._noted.clear()
        coded, slots = self._coded(vectors, codes), self._drawn(vectors, generator, ranks)
        # One message for all ranks.
        shared = torch.cat([coded.flatten(), slots.flatten()])
        ranks.all_reduce_(shared)
        parts = torch.split(shared, [coded.numel(), slots.numel()])
        coded, slots = parts[0].view_as(coded), parts[1].view_as(slots)
        self.sums.mul_(self.decay).add_(coded[..., :-1], alpha=1 - self.decay)
        self.counts.mul_(self.decay).add_(coded[..., -1], alpha=1 - self.decay)
        total = self.counts.sum(1, keepdim=True)
        smoothing = self.codebook_size * self.epsilon
        smoothed = (self.counts + self.epsilon) / (total + smoothing) * total
        self.codebooks.copy_(self.sums / smoothed[..., None])
        self._revive(slots)

    def _coded(self, vectors: Tensor, codes: Tensor) -> Tensor:
        """Sum and, last, number of the vectors (K, V, D) of each entry: (K, N, D + 1)."""
        coded = vectors.new_zeros(self.num_codebooks, self.codebook_size, self.dim + 1)
        counted = torch.cat([vectors, torch.ones_like(vectors[..., :1])], 2)
        for table, rows, index in zip(coded, counted, codes, strict=True):
            table.index_add_(0, index, rows)
        return coded

    def _drawn(self, vectors: Tensor, generator: torch.Generator, ranks: Ranks) -> Tensor:
        """Distinct random inputs of each stage (K, S, D) from all ranks, 0 where not of this one.

        Drawn by their place in the global batch, so that it does not matter who holds them.
        """
        if not self.dead_threshold:
            return vectors[:, :0]
        local = vectors.shape[1]
        places = torch.stack(
            [
                torch.randperm(
                    local * ranks.world_size, generator=generator, device=generator.device
                )
                for _ in range(self.num_codebooks)
            ]
        )[:, : self.codebook_size].to(vectors.device, non_blocking=True)  # (K, S)
        places = places - ranks.rank * local
        mine = (places >= 0) & (places < local)
        rows = places.clamp(0, local - 1)[..., None].expand(-1, -1, self.dim)
        return vectors.gather(1, rows).masked_fill(~mine[..., None], 0.0)

    def _revive(self, slots: Tensor) -> None:
        """Move dead entries to the drawn vectors (K, S, D), one each while they suffice."""
        if not self.dead_threshold:
            return
        average = self.counts.mean(1, keepdim=True)  # (K, 1)
        dead = self.counts < (_DEAD_SHARE * average).clamp(max=self.dead_threshold)
        turn = (dead.cumsum(1) - 1).clamp(min=0) % slots.shape[1]
        moved = slots.gather(1, turn[..., None].expand(-1, -1, self.dim))
        # All three, or the next update would compute the old entry again.
        self.codebooks.copy_(torch.where(dead[..., None], moved, self.codebooks))
        self.sums.copy_(torch.where(dead[..., None], moved * average[..., None], self.sums))
        self.counts.copy_(torch.where(dead, average, self.counts))
        self.revived.copy_(dead.sum(1))


def _as_rows(latent: Tensor) -> Tensor:
    """(B, D, F) to (B * F, D)."""
    return latent.transpose(1, 2).flatten(0, 1)


def _as_sequence(vectors: Tensor, batch: int) -> Tensor:
    """(B * F, D) to (B, D, F)."""
    return vectors.view(batch, -1, vectors.shape[1]).transpose(1, 2)


def _straight_through(value: Tensor, source: Tensor) -> Tensor:
    """Exactly `value`, with the gradient of `source` (Bengio et al. 2013, 1308.3432)."""
    return value + (source - source.detach())
