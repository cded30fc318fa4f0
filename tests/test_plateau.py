"""A rate that follows the validation, against torch's own, and through kills."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codecctl.engine.assemble import observe
from codecctl.engine.build import build_recipe
from codecctl.engine.plateau import Plateau
from codecctl.engine.profile import load_profile
from codecctl.engine.recipes.base import Recipe
from codecctl.engine.runtime import FabricRuntime
from codecctl.errors import ProfileError

from .tiny_training import TINY, batch, changed, everything

SCHEDULE = (
    'trainer.scheduler={type="Plateau",enabled=true,interval="validation",config={factor=0.5,'
    "patience=1,threshold=0.0,cooldown=0,least=0.1}}"
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-3, 3), min_size=1, max_size=40),
    st.integers(0, 3),
    st.integers(0, 2),
    st.sampled_from([0.0, 1e-4, 0.2]),
)
def test_it_falls_where_that_of_torch_falls(
    values: list[float], patience: int, cooldown: int, threshold: float
) -> None:
    values = [abs(value) + 0.1 for value in values]  # torch's relative threshold is for those
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer,
        factor=0.5,
        patience=patience,
        threshold=threshold,
        cooldown=cooldown,
        min_lr=0.1,
        eps=0.0,
    )
    ours = Plateau(decay=0.5, patience=patience, threshold=threshold, cooldown=cooldown, least=0.1)
    for value in values:
        theirs.step(value)
        ours.observe(value)
        assert ours(0) == pytest.approx(optimizer.param_groups[0]["lr"])


def test_no_number_is_no_improvement_and_a_larger_negative_is_none() -> None:
    plateau = Plateau(decay=0.5, patience=0, threshold=0.1, cooldown=0, least=0.0)
    for value, factor in ((-10.0, 1.0), (-10.5, 0.5), (-12.0, 0.5), (math.nan, 0.25)):
        plateau.observe(value)
        assert plateau(0) == factor


def recipe() -> Recipe:
    profile = load_profile("paired", [*TINY, SCHEDULE]).profile
    trained = build_recipe(profile, runtime=FabricRuntime(0), updates_per_epoch=10)
    trained.initialize(iter(batch(seed) for seed in range(100, 120)))
    return trained


@pytest.mark.long
def test_the_rate_of_a_training_falls_and_is_resumed_where_it_was() -> None:
    trained = recipe()
    full = trained.train_step(batch(0), 0)["lr/generator"].item()
    for value in (1.0, 1.1, 1.2):  # the third is the second in a row that is no better
        trained.observe(value)
    assert trained.train_step(batch(1), 1)["lr/generator"].item() == pytest.approx(full / 2)
    assert trained.train_step(batch(2), 2)["lr/discriminator"].item() == pytest.approx(full)
    trained.observe(1.3)
    again = recipe()
    again.load_state_dict(copy.deepcopy(trained.state_dict()))
    for each in (trained, again):
        each.observe(1.4)
        assert each.train_step(batch(3), 3)["lr/generator"].item() == pytest.approx(full / 4)
    assert changed(everything(trained), everything(again)) == []


def test_it_observes_the_metric_that_decides_with_its_sign() -> None:
    class Listening:
        def observe(self, value: float) -> None:
            seen.append(value)

    class Prepared:
        recipe = Listening()
        profile = load_profile("paired", ["trainer.best_metric=val/si_sdr"]).profile

    seen: list[float] = []
    observe(Prepared(), {"val/si_sdr": 3.0, "val/mel": 1.0})  # type: ignore[arg-type]
    observe(Prepared(), {"val/mel": 1.0})  # type: ignore[arg-type]
    assert seen[0] == -3.0
    assert math.isnan(seen[1])


def test_it_changes_at_validations_only() -> None:
    with pytest.raises(ProfileError, match="allowed: 'validation'"):
        load_profile("paired", [SCHEDULE, "trainer.scheduler.interval=step"])
