"""What the codec and the discriminator make of each other; sums over capsules, means over items.

A discriminator returns one (logits, feature maps) pair for each of its K scales. All functions
here take the items of a batch as rows of `num_groups` columns (item b of capsule m stands at
b * M + m) and return one value for each group: a group is a capsule, or a single item.
"""

from __future__ import annotations

from collections.abc import Sequence

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


def feature_levels(reference: Sequence[Sequence[Tensor]], *, num_groups: int) -> Tensor:
    """What the distances of `relative_feature_loss` are relative to: mean |f(x)| of each map.

    Args:
        reference: (N, ...) for each feature map of each scale.
        num_groups: Capsules in an item.

    Returns:
        (maps, num_groups).
    """
    with float32_island(*_maps(reference)) as theirs:
        levels = torch.stack([_per_item(real.detach().abs()) for real in theirs])  # (maps, N)
        return group_means(levels, num_groups)


def relative_feature_loss(
    estimate: Sequence[Sequence[Tensor]],
    reference: Sequence[Sequence[Tensor]],
    *,
    num_groups: int,
    levels: Tensor | None = None,
) -> Tensor:
    """Mean over all feature maps of mean |f(y) - f(x)| / mean |f(x)|.

    Relative, so that no layer counts more because its activations are larger (Defossez et al.
    2022, https://arxiv.org/abs/2210.13438, eq. 2). References are detached: the codec cannot
    move them. A map that is zero for every reference counts absolutely.

    Args:
        estimate: (N, ...) for each feature map of each scale.
        reference: The same maps of the reference.
        num_groups: Capsules in an item.
        levels: `feature_levels` of the global batch, of which these may be a part, so that the
            ratio does not depend on how it is split; those of these references if None.

    Returns:
        (num_groups,).
    """
    if levels is None:
        levels = feature_levels(reference, num_groups=num_groups)
    with float32_island(*_maps(estimate)) as ours, float32_island(*_maps(reference)) as theirs:
        pairs = zip(ours, theirs, strict=True)
        distances = torch.stack([_per_item((fake - real.detach()).abs()) for fake, real in pairs])
        distance = group_means(distances, num_groups)  # (maps, num_groups)
        return (distance / torch.where(levels > 0, levels, 1)).mean(0)


def summed_feature_loss(
    estimate: Sequence[Sequence[Tensor]],
    reference: Sequence[Sequence[Tensor]],
    *,
    num_groups: int,
) -> Tensor:
    """Mean over scales and feature maps of |f(y) - f(x)|, summed over width and bins.

    The mean over time is taken of sums, so that wide maps count more and the weight of the term is
    small; document 003 trains with it. References are detached.

    Args:
        estimate: (N, ..., width, F, bins) for each feature map of each scale.
        reference: The same maps of the reference.
        num_groups: Capsules in an item.

    Returns:
        (num_groups,).
    """
    with float32_island(*_maps(estimate)) as ours, float32_island(*_maps(reference)) as theirs:
        distances = [
            _per_item((fake - real.detach()).abs()) * (fake.shape[-3] * fake.shape[-1])
            for fake, real in zip(ours, theirs, strict=True)
        ]
    by_map = iter(distances)
    by_scale = [torch.stack([next(by_map) for _ in maps]).mean(0) for maps in estimate]
    return group_means(torch.stack(by_scale).mean(0), num_groups)


def _maps(scales: Sequence[Sequence[Tensor]]) -> list[Tensor]:
    return [value for maps in scales for value in maps]
