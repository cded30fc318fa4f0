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


def latent_scalars(moments: Sequence[Tensor], runtime: Runtime) -> Scalars:
    """Figures of a global batch.

    Args:
        moments: Of each portion of this rank, (4, D) as `quantizers.gaussian.moments` gives them;
            none where nothing is drawn.
        runtime: Knows the other ranks.

    Returns:
        `latent/active`, the share of active numbers; `latent/std`, of what is drawn; and the
        divergence of one number: mean, least and most.
    """
    if not moments:
        return {}
    whole = mean_over_ranks(torch.stack(list(moments)).mean(0), runtime)
    mean, square, variance, divergence = whole
    of_means = square - mean.square()
    overall = (square + variance).mean() - mean.mean().square()
    return {
        "latent/active": (of_means > ACTIVE * (of_means + variance)).float().mean(),
        "latent/std": overall.clamp(min=0).sqrt(),
        "latent/kl/mean": divergence.mean(),
        "latent/kl/least": divergence.min(),
        "latent/kl/most": divergence.max(),
    }
