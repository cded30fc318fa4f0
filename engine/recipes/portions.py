"""A batch in equal parts, each of which goes through the networks at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from codecctl.engine.recipes.adversary import Exhibit
from codecctl.engine.recipes.base import Scalars
from codecctl.engine.recipes.network import Coded
from codecctl.engine.recipes.objective import Pull


@dataclass(frozen=True)
class Portion:
    """Items that go through the networks together."""

    audio: Tensor
    """(b, M, T)."""
    draws: Tensor | None
    """What was drawn for the bottleneck of each signal (n, ...)."""
    emitted: Tensor
    """What the decoder gave for each signal (n, ...): a leaf, where every term's gradient stops."""
    target: Tensor
    """What it should have given."""
    exhibit: Exhibit
    """Signals (n, C, T); the estimate is `emitted`, or rendered from it."""
    coded: Coded | None
    """With its graph; None where that was not kept."""


@dataclass(frozen=True)
class Judged:
    """What all portions together say of the decoder's output."""

    terms: dict[str, Tensor]
    """Of each capsule (M,), detached."""
    pull: Pull
    heard: list[Tensor]
    """Losses of the discriminators, of each portion; their gradients are kept where they learn."""
    scalars: Scalars
    """Of discriminators that have learned already."""


@dataclass(frozen=True)
class PassedBack:
    """What the codec showed on the way back, of each portion."""

    held: list[dict[str, Tensor]]
    """What the quantizer holds the encoder to, of each capsule (M,)."""
    between: list[dict[str, Tensor]]
    """Terms between capsules, 0-d."""
    codes: list[Tensor]
    """(n, K, F)."""
    norms: list[Tensor]
    """Mean norm of what the encoder gave, 0-d."""
    moments: list[Tensor]
    """Of distributions that latents are drawn from, (4, D)."""


def split(drawn: Tensor | None, parts: int) -> Sequence[Tensor | None]:
    """What was drawn for all signals, for those of each part."""
    return [None] * parts if drawn is None else drawn.chunk(parts)


def mean(parts: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Mean over portions of each value."""
    return {name: torch.stack([part[name].detach() for part in parts]).mean(0) for name in parts[0]}


def joined(parts: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Gradients of portions, one after the other."""
    if len(parts) == 1:
        return dict(parts[0])
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def smaller(items: int) -> int:
    """The largest divisor of a number of items that is at most half of it; 0 for one item."""
    return next((size for size in range(items // 2, 0, -1) if items % size == 0), 0)
