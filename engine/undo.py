"""Taking a change back on the device, where a flag says so; nobody waits for the flag."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor


@contextmanager
def kept_where(blocked: Tensor, tensors: Iterable[Tensor]) -> Iterator[None]:
    """Let a block change tensors in place, and put them back where it was not to happen.

    Args:
        blocked: 0-d bool.
        tensors: Finite before the block, whatever they are after it.
    """
    changed = list(tensors)
    before = [tensor.detach().clone() for tensor in changed]
    yield
    with torch.no_grad():
        for tensor, old in zip(changed, before, strict=True):
            tensor.copy_(torch.where(blocked, old, tensor))


def chosen(
    blocked: Tensor, before: Mapping[str, Tensor], after: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """The tensors from before where blocked, else those from after."""
    return {name: torch.where(blocked, before[name], value) for name, value in after.items()}
