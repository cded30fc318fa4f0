"""What a recipe is built for: a whole training, or one stage of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import nn


@dataclass(frozen=True)
class Span:
    """Updates that a schedule is over."""

    since: int = 0
    """The step, of the whole training, that it counts from."""
    steps: int | None = None
    """Its length; None: `trainer.max_epochs`."""


@dataclass(frozen=True)
class Task:
    """A training in one, or a stage."""

    generator: Span = Span()
    """Of the generator's schedule."""
    discriminator: Span = Span()
    """Of the discriminators' schedule; their start counts from `adversary_since`."""
    adversary_since: int = 0
    """The step that `trainer.discriminator.start` counts from."""
    discriminators: tuple[str, ...] | None = None
    """Types of those that act; None: all."""
    frozen: frozenset[str] = frozenset()
    """Of `encoder`, `quantizer`, `decoder` and `discriminator`: what does not change."""
    networks: Mapping[str, nn.Module] = field(default_factory=dict)
    """By role, as in `Recipe.modules`: those of the stage before, which go on. A role that is not
    there begins with weights from the seed."""


WHOLE = Task()
"""A training in one."""
