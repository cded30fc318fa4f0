"""How evenly codes are used.

All figures come from one table of counts, which adds up over batches: count the codes of every
batch, sum the tables, then ask.
"""

from __future__ import annotations

from math import log, log2

import torch
from torch import Tensor


def count_codes(codes: Tensor, *, codebook_size: int) -> Tensor:
    """How often each entry occurs: codes (B, K, F) to counts (K, codebook_size), int64."""
    num_codebooks = codes.shape[1]
    by_stage = codes.transpose(0, 1).flatten(1)
    counts = torch.zeros(num_codebooks, codebook_size, dtype=torch.int64, device=codes.device)
    return counts.scatter_add_(1, by_stage, torch.ones_like(by_stage))


def codebook_usage(counts: Tensor) -> Tensor:
    """Share of the entries that occur at all: counts (K, N) to (K,) in [0, 1]."""
    return (counts > 0).float().mean(1)


def codebook_entropy(counts: Tensor) -> Tensor:
    """Entropy of the codes in bits: counts (K, N) to (K,); at most log2(N), 0 without codes."""
    frequencies = counts.double() / counts.sum(1, keepdim=True).clamp(min=1)
    nats: Tensor = torch.special.entr(frequencies).sum(1)
    return (nats / log(2)).float()


def codebook_diversity(counts: Tensor) -> Tensor:
    """Entropy as a share of the most there can be: counts (K, N) to (K,) in [0, 1].

    H(n / sum n) / log2(N), as SoundStream's training logs it: 1 where all entries occur equally
    often, 0 where one alone does, and where nothing was counted.
    """
    return (codebook_entropy(counts) / log2(max(counts.shape[1], 2))).clamp(0, 1)


def codebook_perplexity(counts: Tensor) -> Tensor:
    """Number of equally frequent entries of the same entropy: counts (K, N) to (K,)."""
    return codebook_entropy(counts).exp2()
