"""The distance by which all codec profiles are compared."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from codecctl.engine.losses.mel import LogMelDifference, LogMelDifferences
from codecctl.engine.losses.precision import float32_island

SCALES = (5, 6, 7, 8, 9, 10, 11)
"""Windows of 32 to 2048 samples."""
NUM_MELS = 64


class MelDistance(nn.Module):
    """Mean absolute difference of log10 mel power over all resolutions, bands and frames.

    Its resolutions are fixed, whatever a profile trains with, so that profiles compare.

    Args:
        sample_rate: Hz.
    """

    def __init__(self, *, sample_rate: int) -> None:
        super().__init__()
        self.differences = LogMelDifferences(
            scales=SCALES, num_mels=NUM_MELS, sample_rate=sample_rate
        )

    def forward(self, estimate: Tensor, reference: Tensor) -> Tensor:
        """Distance of each item in decades of power: (N, C, T) twice to (N,)."""
        with float32_island(estimate, reference) as (ours, theirs):
            differences: list[LogMelDifference] = self.differences(ours, theirs)
            return torch.stack([each.mean_absolute() for each in differences]).mean(0)
