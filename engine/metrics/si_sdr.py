"""Scale-invariant ratio of signal to distortion."""

from __future__ import annotations

import torch
from torch import Tensor

from codecctl.engine.losses.precision import float32_island


def si_sdr(estimate: Tensor, reference: Tensor) -> Tensor:
    """Energy of the estimate along the reference over what is left, in dB; mean over channels.

    Le Roux et al. 2019 (https://arxiv.org/abs/1811.02508, eq. 5), on signals without their means.
    Not on a mix of the channels: that would hide errors that cancel in it. Every energy has the
    smallest step of its type added, so that silence is finite.

    Args:
        estimate: (N, C, T).
        reference: (N, C, T).

    Returns:
        (N,) in dB; higher is closer.
    """
    with float32_island(estimate, reference) as (ours, theirs):
        ours = ours - ours.mean(-1, keepdim=True)
        theirs = theirs - theirs.mean(-1, keepdim=True)
        tiny = torch.finfo(theirs.dtype).eps
        energy = theirs.square().sum(-1, keepdim=True) + tiny
        target = ((ours * theirs).sum(-1, keepdim=True) + tiny) / energy * theirs
        signal = target.square().sum(-1) + tiny
        distortion = (target - ours).square().sum(-1) + tiny
        return 10 * (signal / distortion).log10().mean(1)
