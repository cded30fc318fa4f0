"""Residual vector quantizer whose codebooks follow a moving average of what they code.

Zeghidour et al. 2021 (https://arxiv.org/abs/2107.03312), section 3.3; van den Oord et al. 2017
(https://arxiv.org/abs/1711.00937), appendix A.1 for the moving average.
"""

from __future__ import annotations

from math import log2
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from codecctl.engine.quantizers.base import FRAMES_PER_ENTRY, Quantized, as_rows, in_use, mean_norms
from codecctl.engine.quantizers.clustering import kmeans
from codecctl.engine.quantizers.ranks import ALONE, Ranks
from codecctl.engine.quantizers.residual import code_residuals, decode, encode, quantized

Ema = Literal["correct", "encodec"]

_DEAD_SHARE = 0.25
"""Of an average entry's count: no entry above it is dead, however small the batches are."""


class _Note(NamedTuple):
    """What was coded since the last update."""

    inputs: Tensor
    """(K, V, D)."""
    codes: Tensor
    """(K, V), int64."""
    weights: Tensor
    """0 where a codebook was left out, else 1; (K, V)."""


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
        self.num_codebooks = self.max_depth = num_codebooks
        self.codebook_size = codebook_size
        self.frames_needed = FRAMES_PER_ENTRY * codebook_size
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
        # Since the last update, so none when a state is saved.
        self._noted: list[_Note] = []

    @property
    def entry_norms(self) -> Tensor:
        """Mean L2 norm of the entries of each codebook (K,)."""
        return mean_norms(self.codebooks)

    def forward(self, latent: Tensor, depths: Tensor | None = None) -> Quantized:
        """Quantize a latent sequence (B, D, F); in training mode, note what was coded."""
        with torch.autocast(latent.device.type, enabled=False):
            vectors = as_rows(latent.to(self.codebooks.dtype))  # (V, D)
            coded = code_residuals(vectors, self.codebooks)
            batch, _, frames = latent.shape
            if self.training:
                used = in_use(depths, num_codebooks=self.num_codebooks, batch=batch, like=vectors)
                weights = used.repeat_interleave(frames, dim=1)
                self._noted.append(_Note(coded.inputs.detach(), coded.codes, weights))
            return quantized(
                coded, vectors, batch=batch, depths=depths, bits_per_frame=self.bits_per_frame
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

        A vector of the sample counts as one that an update coded: while the encoder moves fast,
        the first updates soon outweigh a sample that is no longer true. No entry starts with less
        than the average count: updates, not the sample, shall tell which are dead. One that
        nothing chooses is, when the average entry has coded three times its share of the sample.

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
                average = clusters.counts.mean()
                counts.copy_((1 - self.decay) * clusters.counts.clamp(min=average))
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
            self.revived.zero_()
            return
        noted = _Note(*(torch.cat(parts, 1) for parts in zip(*self._noted, strict=True)))
        self._noted.clear()
        coded, slots = self._coded(noted), self._drawn(noted.inputs, generator, ranks)
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

    def forget(self) -> None:
        """Drop what was coded since the last update."""
        self._noted.clear()

    def _coded(self, noted: _Note) -> Tensor:
        """Sum and, last, number of the vectors of each entry: (K, N, D + 1)."""
        coded = noted.inputs.new_zeros(self.num_codebooks, self.codebook_size, self.dim + 1)
        weights = noted.weights[..., None]
        counted = torch.cat([noted.inputs * weights, weights], 2)
        for table, rows, index in zip(coded, counted, noted.codes, strict=True):
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
