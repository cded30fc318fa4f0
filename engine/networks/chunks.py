"""Long sequences in pieces, so that a network holds the activations of one piece at a time."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

Process = Callable[[Tensor], Tensor]
"""(B, ..., F) to (B, ..., F * up / down)."""


def in_chunks(
    process: Process, frames: Tensor, *, size: int, context: int, down: int = 1, up: int = 1
) -> Tensor:
    """What a network makes of a sequence (B, ..., F), piece by piece.

    Each piece is processed with its neighbourhood, of which the result is cut off again. Where the
    network sees no further than `context`, this is what it makes of the whole, but for the rounding
    of sums of other lengths. With gradients, pieces are computed once more on the way back instead
    of being kept (Chen et al. 2016, https://arxiv.org/abs/1604.06174).

    Args:
        process: The network.
        frames: (B, ..., F).
        size: Frames of a piece, a multiple of `down`.
        context: Frames on either side, a multiple of `down`.
        down: Frames that become one.
        up: Frames that one becomes.
    """
    total = frames.shape[-1]
    if total <= size:
        return process(frames)
    done: list[Tensor] = []
    for first in range(0, total, size):
        last = min(first + size, total)
        start, end = max(0, first - context), min(last + context, total)
        piece = frames[..., start:end]
        if torch.is_grad_enabled():
            made: Tensor = checkpoint(process, piece, use_reentrant=False)
        else:
            made = process(piece)
        skipped = (first - start) * up // down
        wanted = -(-(last - first) * up // down)
        done.append(made[..., skipped : skipped + wanted])
    return torch.cat(done, -1)
