"""Scale-invariant ratio of signal to distortion, as a measure and as a term."""

from __future__ import annotations

import torch
from torch import Tensor

from codecctl.engine.losses.precision import float32_island


def si_sdr_by_channel(estimate: Tensor, reference: Tensor, *, zero_mean: bool = True) -> Tensor:
    """Energy of the estimate along the reference over what is left, in dB.

    Le Roux et al. 2019 (https://arxiv.org/abs/1811.02508, eq. 5). Every energy has the smallest
    step of its type added, so that silence is finite.

    Args:
        estimate: (N, C, T).
        reference: (N, C, T).
        zero_mean: Take the mean of each channel away first.

    Returns:
        (N, C) in dB; higher is closer.
    """
    with float32_island(estimate, reference) as (ours, theirs):
        if zero_mean:
            ours = ours - ours.mean(-1, keepdim=True)
            theirs = theirs - theirs.mean(-1, keepdim=True)
        tiny = torch.finfo(theirs.dtype).eps
        energy = theirs.square().sum(-1, keepdim=True) + tiny
        target = ((ours * theirs).sum(-1, keepdim=True) + tiny) / energy * theirs
        signal = target.square().sum(-1) + tiny
        distortion = (target - ours).square().sum(-1) + tiny
        return 10 * (signal / distortion).log10()


class SiSdrLoss:
    """Minus the ratio in dB, mean over channels: lower is closer, below 0 where signal prevails.

    Args:
        zero_mean: Take the mean of each channel away first.
    """

    def __init__(self, *, zero_mean: bool) -> None:
        self._zero_mean = zero_mean

    def __call__(self, estimate: Tensor, reference: Tensor) -> Tensor:
        """Loss of each item: (N, C, T) twice to (N,)."""
        return -si_sdr_by_channel(estimate, reference, zero_mean=self._zero_mean).mean(1)
