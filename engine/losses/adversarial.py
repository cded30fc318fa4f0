"""What the codec and the discriminator make of each other; sums over capsules, means over items.

A discriminator returns one (logits, feature maps) pair for each of its K scales. All functions
here take the items of a batch as rows of `num_groups` columns (item b of capsule m stands at
b * M + m) and return one value for each group: a group is a capsule, or a single item.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from codecctl.engine.losses.precision import float32_island


def _per_item(value: Tensor) -> Tensor:
    return value.flatten(1).mean(1)


def group_means(values: Tensor, num_groups: int) -> Tensor:
    """(..., B * M) to (..., M): mean over the items of each capsule."""
    return values.reshape(*values.shape[:-1], -1, num_groups).mean(-2)


def hinge_generator_loss(logits: Sequence[Tensor], *, num_groups: int) -> Tensor:
    """Mean over scales of max(0, 1 - D(estimate)).

    The clipped form of Lim and Ye 2017 (https://arxiv.org/abs/1705.02894) for both players: an
    estimate that the discriminator takes for real pulls no further.

    Args:
        logits: (N, ...) for each scale.
        num_groups: Capsules in an item.

    Returns:
        (num_groups,).
    """
    with float32_island(*logits) as maps:
        values = torch.stack([_per_item((1 - value).relu()) for value in maps]).mean(0)
        return group_means(values, num_groups)


def hinge_discriminator_loss(
    estimate: Sequence[Tensor], reference: Sequence[Tensor], *, num_groups: int
) -> Tensor:
    """Mean over scales of max(0, 1 - D(reference)) + max(0, 1 + D(estimate)); (num_groups,)."""
    with float32_island(*estimate) as fakes, float32_island(*reference) as reals:
        terms = [
            _per_item((1 - real).relu()) + _per_item((1 + fake).relu())
            for fake, real in zip(fakes, reals, strict=True)
        ]
        return group_means(torch.stack(terms).mean(0), num_groups)


def _same_everywhere(values: Tensor) -> Tensor:
    return values


def relative_feature_loss(
    estimate: Sequence[Sequence[Tensor]],
    reference: Sequence[Sequence[Tensor]],
    *,
    num_groups: int,
    over_ranks: Callable[[Tensor], Tensor] = _same_everywhere,
) -> Tensor:
    """Mean over all feature maps of mean |f(y) - f(x)| / mean |f(x)|.

    Relative, so that no layer counts more because its activations are larger (Defossez et al.
    2022, https://arxiv.org/abs/2210.13438, eq. 2). References are detached: the codec cannot
    move them. A map that is zero for every reference counts absolutely.

    Args:
        estimate: (N, ...) for each feature map of each scale.
        reference: The same maps of the reference.
        num_groups: Capsules in an item.
        over_ranks: Mean of the levels over the ranks, so that the ratio is that of the global
            batch however it is split.

    Returns:
        (num_groups,).
    """
    fakes = [value for maps in estimate for value in maps]
    reals = [value.detach() for maps in reference for value in maps]
    with float32_island(*fakes) as ours, float32_island(*reals) as theirs:
        pairs = list(zip(ours, theirs, strict=True))
        levels = torch.stack([_per_item(real.abs()) for _, real in pairs])  # (maps, N)
        distances = torch.stack([_per_item((fake - real).abs()) for fake, real in pairs])
        level = over_ranks(group_means(levels, num_groups))  # (maps, num_groups)
        distance = group_means(distances, num_groups)
        return (distance / torch.where(level > 0, level, 1)).mean(0)
