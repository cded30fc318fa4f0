"""Mirrored ends of a signal."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def reflect(audio: Tensor, left: int, right: int) -> Tensor:
    """Signals (..., T), T > left, right, with so many samples mirrored at either end.

    On a GPU the backward of torch's own form adds in any order, and `trainer.deterministic` would
    stop at it; there the ends are turned around instead.
    """
    if audio.is_cuda and torch.are_deterministic_algorithms_enabled():
        return turned(audio, left, right)
    return functional.pad(audio, (left, right), mode="reflect")


def turned(audio: Tensor, left: int, right: int) -> Tensor:
    """The same with a deterministic backward everywhere."""
    length = audio.shape[-1]
    before = audio[..., 1 : left + 1].flip(-1)
    after = audio[..., length - 1 - right : length - 1].flip(-1)
    return torch.cat([before, audio, after], -1)
