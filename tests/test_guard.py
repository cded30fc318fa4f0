from __future__ import annotations

import pytest
import torch

from codecctl.engine.guard import DivergedError, FiniteGuard

GOOD = {"loss/mel": torch.tensor(1.0), "loss/total": torch.tensor(2.0)}


def test_finite_losses_pass() -> None:
    guard = FiniteGuard(1)
    guard.watch(1, GOOD)
    guard.check()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_the_term_is_named_before_the_sum_that_it_spoils(value: float) -> None:
    bad = {"loss/total": torch.tensor(value), "loss/mel": torch.tensor(value)}
    with pytest.raises(
        DivergedError, match=r"step 4: loss/mel is not finite .*, and so are loss/t"
    ):
        FiniteGuard(1).watch(4, bad)


def test_flags_wait_until_they_are_read_and_keep_their_step() -> None:
    guard = FiniteGuard(16)
    guard.watch(1, GOOD)
    guard.watch(2, {**GOOD, "loss/mel": torch.tensor(float("nan"))})
    guard.watch(3, GOOD)
    with pytest.raises(DivergedError, match="step 2: loss/mel is not finite"):
        guard.check()


def test_flags_are_read_when_enough_have_gathered() -> None:
    guard = FiniteGuard(3)
    bad = {"loss/mel": torch.tensor(float("nan"))}
    guard.watch(1, bad)
    guard.watch(2, bad)
    with pytest.raises(DivergedError, match="step 1: "):
        guard.watch(3, bad)


def test_other_scalars_may_be_infinite() -> None:
    guard = FiniteGuard(1)
    guard.watch(1, {**GOOD, "grad_norm/generator": torch.tensor(float("inf"))})
    with pytest.raises(DivergedError, match="step 2: "):
        guard.watch(2, {"loss/mel": torch.tensor(float("inf"))})


def test_who_wants_to_go_on_is_told_once() -> None:
    told: list[str] = []
    guard = FiniteGuard(1, tolerate=told.append)
    for step in (1, 2):
        guard.watch(step, {"loss/mel": torch.tensor(float("nan"))})
    assert told == [
        "step 1: loss/mel is not finite (NaN or infinite); going on, as trainer.terminate_on_nan "
        "is false"
    ]
