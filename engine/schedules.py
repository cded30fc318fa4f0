"""Learning rates as functions of the step.

A schedule is a plain function from the step to a factor on the learning rate. It has no state, so
a resumed training needs only the step.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

Schedule: TypeAlias = Callable[[int], float]
"""Step, counted from 0, to a factor on the learning rate."""


@dataclass(frozen=True)
class ScheduleConfig:
    """What every schedule is told; each reads what it has a formula for."""

    updates_per_epoch: int
    max_epochs: float
    """Length of the whole training, or of the stages that the schedule is for."""
    by_epoch: bool = False
    """The rate changes at the first step of an epoch, and k counts epochs; else it changes with
    every step, and k counts steps."""
    rate: float = 1.0
    """That the factor is of; `InverseLR` has a lowest rate."""
    warmup_epochs: float = 0.0
    """Length of the warm-up of `WarmupCosine`; 0: none."""
    warmup_start: float = 1.0
    """Its factor at step 0."""
    final: float = 1.0
    """Lowest factor of its cosine."""
    inv_gamma: float = 1.0
    """After so many k the rate of `InverseLR` is at 2^-power."""
    power: float = 1.0
    warmup: float = 0.0
    """Of `InverseLR`: what lacks of the rate at k = 0; 0: none."""
    final_lr: float = 0.0
    """Lowest rate of `InverseLR`, not a factor."""
    warmup_steps: int = 0
    """Length of `LinearWarmup`, in steps also where the rate changes by epoch."""
    start: float = 1.0
    """Its factor at step 0."""
    gamma: float = 1.0
    """Factor of `Exponential` from one k to the next."""
    pct_start: float = 0.3
    """Share of the training in which the rate of `OneCycle` rises."""
    div_factor: float = 25.0
    """It begins at this part of the rate."""
    final_div_factor: float = 1e4
    """It ends at this part of where it began."""


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


def linear_warmup(config: ScheduleConfig) -> Schedule:
    """From `start` in a straight line to 1 within W steps, then 1: start + (1 - start) t / W."""

    def factor(step: int) -> float:
        if step >= config.warmup_steps:
            return 1.0
        return config.start + (1 - config.start) * step / config.warmup_steps

    return factor


def inverse(config: ScheduleConfig) -> Schedule:
    """Inverse decay: (1 - warmup^(k+1)) max(final_lr / rate, (1 + k / inv_gamma)^-power).

    With inv_gamma 1 and power 1 counted in steps the rate is a thousandth after 1000 of them; that
    is why k may count epochs.
    """

    def factor(step: int) -> float:
        k = _count(step, config)
        decayed = (1 + k / config.inv_gamma) ** -config.power
        warmed = 1 - config.warmup ** (k + 1)
        return float(warmed * max(config.final_lr / config.rate, decayed))

    return factor


def exponential(config: ScheduleConfig) -> Schedule:
    """gamma^k."""
    return lambda step: float(config.gamma ** _count(step, config))


def one_cycle(config: ScheduleConfig) -> Schedule:
    """Half a cosine up to the rate and one down, over the whole training of M steps.

    From 1 / div_factor at step 0 to 1 at step pct_start M - 1, then to
    1 / (div_factor final_div_factor) at step M - 1, where it stays (torch's OneCycleLR).
    """
    last = config.max_epochs * config.updates_per_epoch - 1
    peak = config.pct_start * (last + 1) - 1
    low, lowest = 1 / config.div_factor, 1 / (config.div_factor * config.final_div_factor)

    def factor(step: int) -> float:
        if step <= peak:
            return _cosine(low, 1.0, step / peak)
        return _cosine(1.0, lowest, min(1.0, (step - peak) / (last - peak)) if last > peak else 1.0)

    return factor


def _cosine(start: float, end: float, share: float) -> float:
    """From one value to another along half a cosine."""
    return end + (start - end) / 2 * (1 + math.cos(math.pi * share))


def _count(step: int, config: ScheduleConfig) -> int:
    """k: steps, or finished epochs."""
    return step // config.updates_per_epoch if config.by_epoch else step


def _each_epoch(schedule: Schedule, updates_per_epoch: int) -> Schedule:
    """The factor of the first step of an epoch, for all of its steps."""
    return lambda step: schedule(step - step % updates_per_epoch)


SCHEDULERS: dict[str, Callable[[ScheduleConfig], Schedule]] = {
    "Constant": constant,
    "Exponential": exponential,
    "InverseLR": inverse,
    "LinearWarmup": linear_warmup,
    "OneCycle": one_cycle,
    "WarmupCosine": warmup_cosine,
}
"""Schedules by the name that a profile gives."""


def schedule(kind: str, config: ScheduleConfig) -> Schedule:
    """The schedule of a name, changing with every step or every epoch as the config says."""
    found = SCHEDULERS[kind](config)
    return _each_epoch(found, config.updates_per_epoch) if config.by_epoch else found
