"""What codes of the capsules of an item say about each other."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class AgreementMatrix:
    """How often each two capsules hold the same code, and how often they would by chance."""

    observed: Tensor
    """Share of frames (C, C), float64, 1 on the diagonal."""
    chance: Tensor
    """Share that codes as frequent, but drawn apart from each other, would reach (C, C)."""


def code_agreement(codes: Tensor, *, stage: int = 0) -> Tensor:
    """Share of frames in which two capsules of an item hold the same code of one stage.

    With more than two capsules, the mean over all pairs.

    Args:
        codes: (B, M, K, F), M >= 2.
        stage: Counted from 0.

    Returns:
        (B,) in [0, 1].
    """
    num_capsules = codes.shape[1]
    assert num_capsules >= 2, f"agreement needs 2 capsules, got {num_capsules}"
    first, second = torch.triu_indices(num_capsules, num_capsules, 1, device=codes.device)
    equal = codes[:, first, stage] == codes[:, second, stage]  # (B, pairs, F)
    return equal.float().flatten(1).mean(1)


def agreement_matrix(codes: Tensor, *, codebook_size: int, stage: int = 0) -> AgreementMatrix:
    """How often each two capsules of whole-array items hold the same code.

    A codebook of which one entry is used agrees always, and by chance as well: only what is above
    chance speaks of shared content.

    Args:
        codes: (B, C, K, F); capsule c of every item is the same capsule.
        codebook_size: Entries of a codebook.
        stage: Counted from 0.
    """
    of_stage = codes[:, :, stage].transpose(0, 1).flatten(1)  # (C, B * F)
    num_capsules, frames = of_stage.shape
    equal = torch.stack([(of_stage == row).double().mean(1) for row in of_stage])
    places = torch.arange(num_capsules, device=codes.device)[:, None] * codebook_size + of_stage
    counts = torch.bincount(places.flatten(), minlength=num_capsules * codebook_size)
    shares = counts.view(num_capsules, codebook_size).double() / frames
    return AgreementMatrix(observed=equal, chance=shares @ shares.T)


def agreement_by_chance(codes: Tensor, *, codebook_size: int, stage: int = 0) -> Tensor:
    """Share of frames in which codes as frequent, but drawn apart from each other, would agree.

    The sum of the squared frequencies: 1 where one entry codes everything, so that an agreement
    says something only above it.

    Args:
        codes: (B, M, K, F) of all items; which capsules they are of has no say.
        codebook_size: Entries of a codebook.
        stage: Counted from 0.

    Returns:
        0-d float64.
    """
    counts = torch.bincount(codes[:, :, stage].flatten(), minlength=codebook_size).double()
    shares = counts / counts.sum()
    return shares.square().sum()
