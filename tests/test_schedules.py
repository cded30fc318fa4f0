"""Learning rates at hand-computed steps."""

from __future__ import annotations

import math

import pytest
import torch

from codecctl.engine.schedules import (
    OPTIMIZERS,
    SCHEDULERS,
    OptimizerConfig,
    ScheduleConfig,
    warmup_cosine,
)

PAIRED = ScheduleConfig(
    updates_per_epoch=1725, max_epochs=300, warmup_epochs=5.0, warmup_start=1e-4, final=0.1
)
W = 5 * 1725
M = 300 * 1725


@pytest.mark.parametrize(
    ("step", "factor"),
    [
        (0, 1e-4),
        (W // 5, 1e-4 ** (1 - (W // 5) / W)),
        (W - 1, 1e-4 ** (1 / W)),
        (W, 0.1 + 0.45 * (1 + math.cos(math.pi * W / (M - W)))),
        (100_000, 0.1 + 0.45 * (1 + math.cos(math.pi * 100_000 / (M - W)))),
        (M - W, 0.1),
        (M, 0.1 + 0.45 * (1 + math.cos(math.pi * M / (M - W)))),
    ],
)
def test_the_paired_schedule_is_its_closed_form(step: int, factor: float) -> None:
    assert warmup_cosine(PAIRED)(step) == pytest.approx(factor, rel=1e-12)


def test_it_begins_lowest_and_is_lowest_again_one_warm_up_before_the_end() -> None:
    factor = warmup_cosine(PAIRED)
    assert factor(W) == pytest.approx(0.99936, abs=1e-5)
    assert factor(M) == pytest.approx(0.10064, abs=1e-5)
    assert min(range(W, M, 25), key=factor) == pytest.approx(M - W, abs=25)


def test_the_rate_stays_after_the_end() -> None:
    factor = warmup_cosine(PAIRED)
    assert factor(M + 12_345) == factor(M)


def test_without_a_warm_up_it_starts_at_one() -> None:
    config = ScheduleConfig(
        updates_per_epoch=10, max_epochs=2, warmup_epochs=0.0, warmup_start=1e-4, final=0.5
    )
    factor = warmup_cosine(config)
    assert [factor(step) for step in (0, 10, 20)] == pytest.approx([1.0, 0.75, 0.5])


def test_a_constant_rate_is_constant() -> None:
    assert {SCHEDULERS["Constant"](PAIRED)(step) for step in (0, 1, M)} == {1.0}


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_every_optimizer_takes_all_of_its_settings(name: str) -> None:
    config = OptimizerConfig(lr=1e-3, betas=(0.5, 0.9), eps=1e-7, weight_decay=0.25)
    optimizer = OPTIMIZERS[name]([torch.nn.Parameter(torch.ones(2))], config)
    group = optimizer.param_groups[0]
    assert (group["lr"], tuple(group["betas"]), group["eps"], group["weight_decay"]) == (
        1e-3,
        (0.5, 0.9),
        1e-7,
        0.25,
    )
