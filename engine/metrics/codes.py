"""What codes say about each other."""

from __future__ import annotations

import torch
from torch import Tensor


def code_agreement(codes: Tensor) -> Tensor:
    """Share of frames in which two capsules of an item hold the same first code.

    With more than two capsules, the mean over all pairs.

    Args:
        codes: (B, M, K, F), M >= 2.

    Returns:
        (B,) in [0, 1].
    """
    num_capsules = codes.shape[1]
    assert num_capsules >= 2, f"agreement needs 2 capsules, got {num_capsules}"
    first, second = torch.triu_indices(num_capsules, num_capsules, 1, device=codes.device)
    equal = codes[:, first, 0] == codes[:, second, 0]  # (B, pairs, F)
    return equal.float().flatten(1).mean(1)
