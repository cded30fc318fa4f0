from __future__ import annotations

from dataclasses import replace

import pytest

from codecctl.engine.cadence import Cadence

CADENCE = Cadence(
    max_steps=95,
    updates_per_epoch=10,
    log_every_steps=25,
    validate_every_steps=(50,),
    save_every_steps=(20,),
    save_every_seconds=1800.0,
    preview_every_steps=0,
    preview_at_steps=(0, 30),
)
STEPS = range(96)


@pytest.mark.parametrize(("step", "epoch"), [(0, 0), (1, 1), (10, 1), (11, 2), (95, 10)])
def test_an_update_belongs_to_the_epoch_it_finishes_in(step: int, epoch: int) -> None:
    assert CADENCE.epoch(step) == epoch


def test_the_first_ten_steps_are_logged_then_every_nth_and_the_last() -> None:
    logged = [step for step in STEPS if step and CADENCE.logs(step, 0.0)]
    assert logged == [*range(1, 11), 25, 50, 75, 95]


def test_a_row_comes_at_least_every_thirty_seconds() -> None:
    assert not CADENCE.logs(33, 29.9)
    assert CADENCE.logs(33, 30.0)


def test_validation_and_checkpoints_follow_their_own_steps_and_the_end() -> None:
    assert [step for step in STEPS if CADENCE.validates(step)] == [0, 50, 95]
    assert [step for step in STEPS if CADENCE.saves(step, 0.0)] == [20, 40, 60, 80, 95]
    assert CADENCE.saves(33, 1800.0)
    assert not CADENCE.saves(0, 1800.0)


def test_previews_come_with_validation_unless_they_have_steps_of_their_own() -> None:
    assert [step for step in STEPS if CADENCE.previews(step)] == [0, 30, 50, 95]
    own = replace(CADENCE, preview_every_steps=40)
    assert [step for step in STEPS if own.previews(step)] == [0, 30, 40, 80, 95]


def test_zero_means_never_by_step() -> None:
    never = replace(CADENCE, validate_every_steps=(0, 0), save_every_steps=(), preview_at_steps=())
    assert [step for step in STEPS if never.validates(step)] == [0, 95]
    assert [step for step in STEPS if never.saves(step, 0.0)] == [95]


def test_steps_and_epochs_may_both_decide() -> None:
    both = replace(CADENCE, save_every_steps=(30, 40))
    assert [step for step in STEPS if both.saves(step, 0.0)] == [30, 40, 60, 80, 90, 95]
