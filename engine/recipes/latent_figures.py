"""What a drawn latent carries, and whether it has collapsed to noise.

Of a number of the latent that has collapsed, what is drawn tells nothing of what was encoded: its
mean is always the same. Burda et al. 2016 (https://arxiv.org/abs/1509.00519), section 5, call it
active where the mean has a variance above 0.01; as the scale of latents is free where the
divergence weighs little, here that is a share of the variance of what is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from codecctl.engine.recipes.base import Runtime, Scalars, mean_over_ranks

ACTIVE = 0.01
"""Share of the means in the variance of what is drawn from which a number is active."""


def mean_norm(latent: Tensor) -> Tensor:
    """Mean L2 norm of the frames of what an encoder gave (N, D, F), 0-d, detached."""
    norms: Tensor = torch.linalg.vector_norm(latent.detach().float(), dim=1)
    return norms.mean()


def latent_scalars(norms: Sequence[Tensor], moments: Sequence[Tensor], runtime: Runtime) -> Scalars:
    """Figures of a global batch.

    Args:
        norms: Of each portion of this rank, from `mean_norm`.
        moments: Of each portion of this rank, (4, D) as `quantizers.gaussian.moments` gives them;
            none where nothing is drawn.
        runtime: Knows the other ranks.

    Returns:
        `latent/norm`; where latents are drawn, `latent/active`, the share of active numbers;
        `latent/std`, of what is drawn; and the divergence of one number: mean, least and most.
    """
    scalars = {"latent/norm": mean_over_ranks(torch.stack(list(norms)).mean(), runtime)}
    if not moments:
        return scalars
    whole = mean_over_ranks(torch.stack(list(moments)).mean(0), runtime)
    mean, square, variance, divergence = whole
    of_means = square - mean.square()
    overall = (square + variance).mean() - mean.mean().square()
    return scalars | {
        "latent/active": (of_means > ACTIVE * (of_means + variance)).float().mean(),
        "latent/std": overall.clamp(min=0).sqrt(),
        "latent/kl/mean": divergence.mean(),
        "latent/kl/least": divergence.min(),
        "latent/kl/most": divergence.max(),
    }
