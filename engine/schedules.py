"""Optimizers, and learning rates as functions of the step.

A schedule is a plain function from the step to a factor on the learning rate. It has no state, so
a resumed training needs only the step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch.nn import Parameter
from torch.optim import Optimizer

Schedule: TypeAlias = Callable[[int], float]
"""Step, counted from 0, to a factor on the learning rate."""


@dataclass(frozen=True)
class OptimizerConfig:
    """What every optimizer is told, by torch's names."""

    lr: float
    """Learning rate that a schedule multiplies."""
    betas: tuple[float, float]
    eps: float
    weight_decay: float


def _adam(parameters: Iterable[Parameter], config: OptimizerConfig) -> Optimizer:
    return torch.optim.Adam(
        parameters,
        lr=config.lr,
        betas=config.betas,
        eps=config.eps,
        weight_decay=config.weight_decay,
    )


def _adamw(parameters: Iterable[Parameter], config: OptimizerConfig) -> Optimizer:
    return torch.optim.AdamW(
        parameters,
        lr=config.lr,
        betas=config.betas,
        eps=config.eps,
        weight_decay=config.weight_decay,
    )


OPTIMIZERS: dict[str, Callable[[Iterable[Parameter], OptimizerConfig], Optimizer]] = {
    "Adam": _adam,
    "AdamW": _adamw,
}
"""Optimizers by the name that a profile gives."""


@dataclass(frozen=True)
class ScheduleConfig:
    """What a schedule is told."""

    updates_per_epoch: int
    max_epochs: int
    """Length of the whole training."""
    warmup_epochs: float
    """Length of the warm-up; 0: none."""
    warmup_start: float
    """Factor at step 0."""
    final: float
    """Lowest factor of the cosine."""


def constant(config: ScheduleConfig) -> Schedule:
    """The same rate at every step."""
    del config
    return lambda _step: 1.0


def warmup_cosine(config: ScheduleConfig) -> Schedule:
    """Exponential warm-up, then half a cosine down to `final`.

    With W warm-up steps of M in all: start^(1 - t/W) below W, then
    final + (1 - final) / 2 * (1 + cos(pi t / (M - W))). The cosine runs on t, as in the trainings
    that this repeats, not on t - W: it is lowest at M - W and rises a hair until M. With 5 of 300
    epochs it begins at 0.9994 and ends at 0.1006, so the difference is small there; where the
    warm-up is a large part of a short training, it is not. After M the rate stays.
    """
    warmup = config.warmup_epochs * config.updates_per_epoch
    total = config.max_epochs * config.updates_per_epoch

    def factor(step: int) -> float:
        if step < warmup:
            return float(config.warmup_start ** (1 - step / warmup))
        if total <= warmup:
            return 1.0
        phase = math.pi * min(step, total) / (total - warmup)
        return config.final + (1 - config.final) / 2 * (1 + math.cos(phase))

    return factor


SCHEDULERS: dict[str, Callable[[ScheduleConfig], Schedule]] = {
    "Constant": constant,
    "WarmupCosine": warmup_cosine,
}
"""Schedules by the name that a profile gives."""
