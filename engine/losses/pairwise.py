"""Terms between the capsules of one item, on the vectors of one quantizer stage.

The vectors are straight-through: stage 0 is e + sg(Q0(e) - e), stage 1 the same of the residual
e - sg(Q0(e)). So the values are those of the codebook vectors, and the gradients reach the
encoder alone: d/de_1 of similarity is (2/N) (Q0(e_1) - Q0(e_2)), that of diversity is
-(2/N) (Q1(r_1) - Q1(r_2)), with N the number of values that a mean runs over.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from codecctl.engine.losses.precision import float32_island


def _squared_distances(vectors: Tensor) -> Tensor:
    """(B, M, D, F) to (B, pairs, F): mean over D of the squared difference of each pair."""
    num_capsules = vectors.shape[1]
    assert num_capsules >= 2, f"pairwise terms need 2 capsules, got {num_capsules}"
    first, second = torch.triu_indices(num_capsules, num_capsules, 1, device=vectors.device)
    return (vectors[:, first] - vectors[:, second]).square().mean(2)


def _mean(distances: Tensor, frames: Tensor | None) -> Tensor:
    """(B, pairs, F) to (B,), each frame as often as its weight says."""
    weighted = distances if frames is None else distances * frames.to(distances)
    return weighted.flatten(1).mean(1)


def similarity(vectors: Tensor, *, frames: Tensor | None = None) -> Tensor:
    """Mean squared difference between the vectors of two capsules; never negative.

    Zero where all capsules of an item hold the same vectors. With more than two capsules, the
    mean over all pairs.

    Args:
        vectors: Straight-through vectors of one stage, (B, M, D, F), M >= 2.
        frames: Weights (B, pairs, F) of mean one, from `losses.frames`; without, all count alike.

    Returns:
        (B,).
    """
    with float32_island(vectors) as (values,):
        return _mean(_squared_distances(values), frames)


def neg_mse_diversity(vectors: Tensor, *, margin: float, frames: Tensor | None = None) -> Tensor:
    """Minus the mean squared difference: never positive, and without a lower bound.

    Minimizing it drives the vectors apart, so it gets more negative as they differ more.

    Args:
        vectors: Straight-through vectors of one stage, (B, M, D, F), M >= 2.
        margin: Unused; the bounded form takes it.
        frames: As of `similarity`.

    Returns:
        (B,).
    """
    del margin
    return -similarity(vectors, frames=frames)


def hinge_diversity(vectors: Tensor, *, margin: float, frames: Tensor | None = None) -> Tensor:
    """Minus the squared difference, frame by frame no lower than -margin.

    Frames that are already `margin` apart have no gradient, so that the term cannot outgrow the
    others. Never positive, like the unbounded form.

    Args:
        vectors: Straight-through vectors of one stage, (B, M, D, F), M >= 2.
        margin: Mean squared difference that is enough.
        frames: As of `similarity`.

    Returns:
        (B,).
    """
    with float32_island(vectors) as (values,):
        return -_mean(_squared_distances(values).clamp(max=margin), frames)


class Diversity(Protocol):
    """A term that gets lower as vectors differ more."""

    def __call__(self, vectors: Tensor, *, margin: float, frames: Tensor | None = None) -> Tensor:
        """(B, M, D, F) to (B,)."""
        ...


DIVERSITIES: dict[str, Diversity] = {
    "neg_mse": neg_mse_diversity,
    "hinge": hinge_diversity,
}
"""Diversity terms by the name that a profile gives."""
