"""Distance of waveforms, sample by sample."""

from __future__ import annotations

from torch import Tensor

from codecctl.engine.losses.precision import float32_island


def time_distance(estimate: Tensor, reference: Tensor) -> Tensor:
    """Mean absolute difference of each item: (N, C, T) twice to (N,)."""
    with float32_island(estimate, reference) as (ours, theirs):
        return (ours - theirs).abs().flatten(1).mean(1)


def squared_time_distance(estimate: Tensor, reference: Tensor) -> Tensor:
    """Mean squared difference of each item: (N, C, T) twice to (N,)."""
    with float32_island(estimate, reference) as (ours, theirs):
        return (ours - theirs).square().flatten(1).mean(1)
