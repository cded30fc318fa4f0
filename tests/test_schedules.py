"""Learning rates at hand-computed steps."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from codecctl.engine.build import build_recipe
from codecctl.engine.profile import load_profile
from codecctl.engine.recipes.codec import CodecRecipe
from codecctl.engine.runtime import FabricRuntime
from codecctl.engine.schedules import (
    SCHEDULERS,
    ScheduleConfig,
    schedule,
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


@pytest.mark.parametrize(
    ("step", "factor"),
    [(0, 0.1), (250, 0.325), (500, 0.55), (999, 0.9991), (1000, 1.0), (10**6, 1.0)],
)
def test_a_linear_warm_up_is_a_straight_line_and_then_stays(step: int, factor: float) -> None:
    config = ScheduleConfig(updates_per_epoch=7, max_epochs=9, warmup_steps=1000, start=0.1)
    assert schedule("LinearWarmup", config)(step) == pytest.approx(factor, rel=1e-12)


def test_a_linear_warm_up_of_no_steps_is_none() -> None:
    config = ScheduleConfig(updates_per_epoch=7, max_epochs=9, warmup_steps=0, start=0.1)
    assert schedule("LinearWarmup", config)(0) == 1.0


@pytest.mark.parametrize("step", [0, 1, 999, 30_000, 10**6])
def test_the_inverse_rate_is_its_closed_form(step: int) -> None:
    config = ScheduleConfig(
        updates_per_epoch=100,
        max_epochs=9,
        rate=1.5e-4,
        inv_gamma=30_000.0,
        power=0.5,
        warmup=0.997,
        final_lr=4e-5,
    )
    rate = (1 - 0.997 ** (step + 1)) * max(4e-5, 1.5e-4 * (1 + step / 30_000) ** -0.5)
    assert 1.5e-4 * schedule("InverseLR", config)(step) == pytest.approx(rate, rel=1e-12)


def test_the_documented_inverse_rate_vanishes_by_steps_and_not_by_epochs() -> None:
    by_step = ScheduleConfig(updates_per_epoch=1000, max_epochs=9)
    by_epoch = ScheduleConfig(updates_per_epoch=1000, max_epochs=9, by_epoch=True)
    assert schedule("InverseLR", by_step)(999) == pytest.approx(1 / 1000)
    assert [schedule("InverseLR", by_epoch)(step) for step in (0, 999, 1000, 2999, 3000)] == [
        1.0,
        1.0,
        0.5,
        1 / 3,
        0.25,
    ]


def test_an_exponential_rate_counts_steps_or_epochs() -> None:
    by_step = ScheduleConfig(updates_per_epoch=10, max_epochs=9, gamma=0.5)
    by_epoch = ScheduleConfig(updates_per_epoch=10, max_epochs=9, gamma=0.5, by_epoch=True)
    assert [schedule("Exponential", by_step)(step) for step in range(4)] == [1, 0.5, 0.25, 0.125]
    assert [schedule("Exponential", by_epoch)(step) for step in (0, 9, 10, 29)] == [1, 1, 0.5, 0.25]


@pytest.mark.parametrize("kind", sorted(SCHEDULERS))
def test_by_epoch_every_rate_stays_within_an_epoch(kind: str) -> None:
    config = ScheduleConfig(
        updates_per_epoch=10,
        max_epochs=6,
        by_epoch=True,
        warmup_epochs=2.0,
        warmup_start=0.01,
        final=0.1,
        warmup_steps=25,
        start=0.1,
        gamma=0.9,
        pct_start=0.4,
    )
    factor = schedule(kind, config)
    for first in range(0, 60, 10):
        assert {factor(step) for step in range(first, first + 10)} == {factor(first)}
    assert (len({factor(step) for step in range(60)}) > 1) == (kind != "Constant")


@pytest.mark.parametrize(
    ("changes", "step", "rate"),
    [
        (("type=Constant", "config={}"), 7, 3e-4),
        (("type=LinearWarmup", "config={warmup_steps=10,start=0.0}"), 5, 1.5e-4),
        (("type=Exponential", "config={gamma=0.5}", "interval=epoch"), 25, 7.5e-5),
        (
            (
                "type=InverseLR",
                "config={inv_gamma=1.0,power=1.0,warmup=0.0,final_lr=2e-4}",
                "interval=epoch",
            ),
            25,
            2e-4,
        ),
        (("config.warmup_epochs=0", "config.final=0.5", "interval=epoch"), 2999, 1.5e-4),
    ],
)
def test_a_profile_chooses_the_schedule_of_each_side(
    changes: tuple[str, ...], step: int, rate: float
) -> None:
    overrides = [
        "model=tiny",
        *(f"trainer.scheduler.{change}" for change in changes),
        *(f"trainer.discriminator.scheduler.{change}" for change in changes),
    ]
    profile = load_profile("mono", overrides).profile
    recipe = build_recipe(profile, runtime=FabricRuntime(0), updates_per_epoch=10)
    assert isinstance(recipe, CodecRecipe) and recipe._adversary is not None
    for player in (recipe._generator, recipe._adversary.player):
        assert player.rate_at(step) == pytest.approx(rate, rel=1e-3)


def test_a_rate_that_vanishes_by_steps_is_told() -> None:
    config = "trainer.scheduler.config={inv_gamma=1.0,power=1.0,warmup=0.0,final_lr=0.0}"
    changes = ["trainer.scheduler.type=InverseLR", config]
    told = load_profile("mono", changes).notices
    assert any(
        note.startswith("trainer.scheduler: 0.001 of the learning rate is left after 1000 steps")
        for note in told
    ), told
    by_epoch = load_profile("mono", [*changes, "trainer.scheduler.interval=epoch"]).notices
    assert not any("is left after" in note for note in by_epoch)


def test_a_constant_rate_is_constant() -> None:
    assert {SCHEDULERS["Constant"](PAIRED)(step) for step in (0, 1, M)} == {1.0}


def _torchs(
    build: Callable[[torch.optim.Optimizer], torch.optim.lr_scheduler.LRScheduler], steps: int
) -> list[float]:
    """Rates of a scheduler of torch, in float64, for a base rate of 1."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = build(optimizer)
    rates = []
    for _ in range(steps):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.oracle
@pytest.mark.parametrize("epochs", [1, 3, 10])
@pytest.mark.parametrize(("rise", "div", "final"), [(0.3, 25.0, 1e4), (0.55, 4.0, 10.0)])
def test_one_cycle_is_torchs(epochs: int, rise: float, div: float, final: float) -> None:
    config = ScheduleConfig(
        updates_per_epoch=10,
        max_epochs=epochs,
        pct_start=rise,
        div_factor=div,
        final_div_factor=final,
    )
    theirs = _torchs(
        lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=1.0,
            total_steps=10 * epochs,
            pct_start=rise,
            div_factor=div,
            final_div_factor=final,
            cycle_momentum=False,
        ),
        10 * epochs,
    )
    ours = [schedule("OneCycle", config)(step) for step in range(10 * epochs)]
    assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-12)
    assert schedule("OneCycle", config)(10 * epochs + 5) == pytest.approx(1 / (div * final))


@pytest.mark.oracle
def test_an_exponential_rate_is_torchs() -> None:
    config = ScheduleConfig(updates_per_epoch=10, max_epochs=9, gamma=0.9)
    theirs = _torchs(lambda each: torch.optim.lr_scheduler.ExponentialLR(each, 0.9), 30)
    assert [schedule("Exponential", config)(step) for step in range(30)] == pytest.approx(theirs)


@pytest.mark.oracle
def test_a_linear_warm_up_is_torchs() -> None:
    config = ScheduleConfig(updates_per_epoch=10, max_epochs=9, warmup_steps=20, start=0.1)
    theirs = _torchs(
        lambda each: torch.optim.lr_scheduler.LinearLR(each, start_factor=0.1, total_iters=20), 30
    )
    assert [schedule("LinearWarmup", config)(step) for step in range(30)] == pytest.approx(theirs)
