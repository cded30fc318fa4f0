"""The processes that train one set of codebooks together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Ranks:
    """The processes that share a global batch."""

    rank: int
    """Of this process, from 0."""
    world_size: int
    """How many there are; all quantize equally many vectors between two updates."""
    all_reduce_: Callable[[Tensor], None]
    """Sums a tensor over the processes, in place."""


def _nothing_to_add(_: Tensor) -> None:
    """The sum over one process."""


ALONE = Ranks(rank=0, world_size=1, all_reduce_=_nothing_to_add)
