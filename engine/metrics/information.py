"""Mutual information of codes, in bits, with what the number of samples adds to it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

_SHUFFLES = 16


@dataclass(frozen=True)
class Information:
    """What one sequence of labels tells of another."""

    bits: float
    """Miller-Madow estimate; may be slightly negative."""
    plug_in: float
    """Of the relative frequencies as they are: too large by about `bias`."""
    bias: float
    """(cells in use - rows in use - columns in use + 1) / (2 samples ln 2), taken off `plug_in`
    (Miller 1955). First order only: where most cells hold one sample, more bias is left."""
    shuffled: float
    """`bits` where the second labels stand in random order, mean of 16: zero where the correction
    suffices, and what has to be taken off where it does not. What belongs together (the frames of
    a signal, the capsules of a moment) is moved together, so that its likeness is no information.
    """
    entropies: tuple[float, float]
    """Plug-in entropies of both; neither can tell more than its own."""
    samples: int


def mutual_information(
    first: Tensor,
    second: Tensor,
    *,
    sizes: tuple[int, int],
    seed: int = 0,
    reorder: Callable[[torch.Generator], Tensor] | None = None,
) -> Information:
    """Bits that one label of a pair tells of the other.

    Args:
        first: (V,) int64 in [0, sizes[0]).
        second: (V,) int64 in [0, sizes[1]).
        sizes: Labels of each.
        seed: Of the shuffles.
        reorder: Gives the second labels in a random order; without, each moves by itself.
    """
    first, second = first.flatten(), second.flatten()
    assert first.shape == second.shape, (first.shape, second.shape)
    counts = _joint(first, second, sizes)
    plug_in, bias = _estimate(counts)
    generator = torch.Generator().manual_seed(seed)
    shuffled = 0.0
    for _ in range(_SHUFFLES):
        moved = reorder(generator) if reorder else second[_order(len(second), generator, second)]
        value, its_bias = _estimate(_joint(first, moved.flatten(), sizes))
        shuffled += (value - its_bias) / _SHUFFLES
    return Information(
        bits=plug_in - bias,
        plug_in=plug_in,
        bias=bias,
        shuffled=shuffled,
        entropies=(_entropy(counts.sum(1)), _entropy(counts.sum(0))),
        samples=len(first),
    )


def first_code_information(codes: Tensor, *, codebook_size: int, seed: int = 0) -> Information:
    """Bits that the first code of a capsule tells of that of another at the same moment.

    All ordered pairs of capsules of an item count, so that the order of capsules has no say.
    High where content is shared, at most the entropy of the first codes; zero where the first
    codebook says nothing of what two capsules have in common, or where it has collapsed.

    Args:
        codes: (B, M, K, F), M >= 2.
        codebook_size: Entries of a codebook.
        seed: Of the shuffles.
    """
    of_stage = codes[:, :, 0].transpose(0, 1).flatten(1)  # (M, B * F)
    num_capsules = len(of_stage)
    assert num_capsules >= 2, f"needed 2 capsules, got {num_capsules}"
    first, second = (~torch.eye(num_capsules, dtype=torch.bool, device=codes.device)).nonzero().T

    def of_other_moments(generator: torch.Generator) -> Tensor:
        return of_stage[:, _order(of_stage.shape[1], generator, of_stage)][second]

    return mutual_information(
        of_stage[first],
        of_stage[second],
        sizes=(codebook_size, codebook_size),
        seed=seed,
        reorder=of_other_moments,
    )


def code_capsule_information(
    codes: Tensor,
    capsules: Tensor,
    *,
    codebook_size: int,
    num_capsules: int,
    stage: int = 1,
    seed: int = 0,
) -> Information:
    """Bits that a code tells of the capsule that it comes from.

    Args:
        codes: (B, M, K, F).
        capsules: Channel of each, (B, M) int64.
        codebook_size: Entries of a codebook.
        num_capsules: Capsules of the array.
        stage: Counted from 0.
        seed: Of the shuffles.
    """
    of_stage = codes[:, :, stage]  # (B, M, F)
    labels = capsules.to(codes.device)

    def of_other_capsules(generator: torch.Generator) -> Tensor:
        places = torch.rand(labels.shape, generator=generator).argsort(1).to(labels.device)
        return labels.gather(1, places)[:, :, None].expand_as(of_stage)

    return mutual_information(
        of_stage,
        labels[:, :, None].expand_as(of_stage),
        sizes=(codebook_size, num_capsules),
        seed=seed,
        reorder=of_other_capsules,
    )


def _order(count: int, generator: torch.Generator, like: Tensor) -> Tensor:
    return torch.randperm(count, generator=generator).to(like.device)


def _joint(first: Tensor, second: Tensor, sizes: tuple[int, int]) -> Tensor:
    places = first * sizes[1] + second
    return torch.bincount(places, minlength=sizes[0] * sizes[1]).view(sizes).double()


def _entropy(counts: Tensor) -> float:
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares * shares.log2()).sum())


def _estimate(counts: Tensor) -> tuple[float, float]:
    """Plug-in information of a table, and its bias of first order."""
    rows, columns = counts.sum(1), counts.sum(0)
    plug_in = _entropy(rows) + _entropy(columns) - _entropy(counts.flatten())
    in_use = [int((part > 0).sum()) for part in (counts, rows, columns)]
    return plug_in, (in_use[0] - in_use[1] - in_use[2] + 1) / (
        2 * float(counts.sum()) * math.log(2)
    )
