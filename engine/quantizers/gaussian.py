"""The bottleneck of a variational autoencoder: latents are drawn from a normal distribution.

Kingma and Welling 2014 (https://arxiv.org/abs/1312.6114), with the scale and the sum of the project
that document 004 describes:

    variance = (softplus(s) + 1e-4)^2
    z        = mean + sqrt(variance) * noise
    KL       = mean over time of the sum over the width of mean^2 + variance - ln variance - 1

which is twice the divergence from the standard normal distribution.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

LEAST_DEVIATION = 1e-4
"""Added to the standard deviation, so that its logarithm is finite."""


def mean_and_deviation(latent: Tensor) -> tuple[Tensor, Tensor]:
    """What an encoder's output (B, 2D, F) says: the first D numbers are means, the others scales.

    Returns:
        Means and standard deviations, (B, D, F) each.
    """
    mean, scale = latent.to(torch.promote_types(latent.dtype, torch.float32)).chunk(2, 1)
    return mean, functional.softplus(scale) + LEAST_DEVIATION


def divergence_by_number(mean: Tensor, deviation: Tensor) -> Tensor:
    """mean^2 + variance - ln variance - 1 of each number, (B, D, F)."""
    return mean.square() + deviation.square() - 2 * deviation.log() - 1


def moments(latent: Tensor) -> Tensor:
    """Means over items and frames of what an encoder gave, (B, 2D, F) to (4, D), detached.

    Of the mean, of its square, of the variance and of the divergence: means over parts of a batch
    of equal size are those of the batch.
    """
    mean, deviation = mean_and_deviation(latent.detach())
    values = (mean, mean.square(), deviation.square(), divergence_by_number(mean, deviation))
    return torch.stack([value.mean((0, 2)) for value in values])
