from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from codecctl.engine.diagnosis import Cause
from codecctl.engine.guard import MOST_IN_A_ROW, DivergedError, FiniteGuard

GOOD = {"loss/mel": torch.tensor(1.0), "loss/total": torch.tensor(2.0)}
BAD = {"loss/mel": torch.tensor(float("nan"))}


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
    guard.watch(1, {**GOOD, "balancer/mel": torch.tensor(float("inf"))})
    with pytest.raises(DivergedError, match="step 2: "):
        guard.watch(2, {"loss/mel": torch.tensor(float("inf"))})


def test_a_gradient_that_overflows_while_losses_are_finite_is_found() -> None:
    norm = {"grad_norm/discriminator": torch.tensor(float("nan"))}
    with pytest.raises(DivergedError, match="step 1: grad_norm/discriminator is not finite"):
        FiniteGuard(1).watch(1, {**GOOD, **norm})


@pytest.mark.parametrize(("scale", "stops"), [(2.0, False), (1.0, True)])
def test_an_overflow_is_none_while_the_loss_scale_can_be_lowered(scale: float, stops: bool) -> None:
    scalars = {
        **GOOD,
        "grad_norm/generator": torch.tensor(float("inf")),
        "scale/generator": torch.tensor(scale),
    }
    guard = FiniteGuard(16)
    guard.watch(1, scalars)
    if not stops:
        guard.check()
        return
    with pytest.raises(DivergedError, match="grad_norm/generator is not finite"):
        guard.check()


def test_the_cause_and_its_remedy_are_told() -> None:
    asked: list[tuple[int, list[str]]] = []

    def explain(step: int, names: Sequence[str]) -> Cause:
        asked.append((step, list(names)))
        return Cause("the moon is full", "wait")

    guard = FiniteGuard(4, explain=explain)
    guard.watch(7, GOOD)
    guard.watch(8, BAD)
    with pytest.raises(DivergedError, match=r"finite \(NaN or infinite\): the moon is full; wait$"):
        guard.check()
    assert asked == [(8, ["loss/mel"])]


def test_who_wants_to_go_on_is_told_once() -> None:
    told: list[str] = []
    guard = FiniteGuard(1, explain=lambda _step, _names: Cause("why", "how"), tolerate=told.append)
    for step in (1, 2):
        guard.watch(step, BAD)
    assert told == [
        "step 1: loss/mel is not finite (NaN or infinite): why; such updates are left out, as "
        "trainer.terminate_on_nan is false, and counted as skipped_updates; how"
    ]


def test_what_no_later_step_can_mend_stops_who_wants_to_go_on() -> None:
    told: list[str] = []
    lasting = Cause("a weight is lost", "resume", lasting=True)
    guard = FiniteGuard(1, explain=lambda _step, _names: lasting, tolerate=told.append)
    with pytest.raises(DivergedError, match=r"a weight is lost; resume$"):
        guard.watch(1, BAD)
    assert told == []


def test_going_on_ends_where_nothing_is_learned_any_more() -> None:
    told: list[str] = []
    guard = FiniteGuard(1, tolerate=told.append)
    for step in range(MOST_IN_A_ROW - 1):
        guard.watch(step, BAD)
    guard.watch(MOST_IN_A_ROW, GOOD)  # and the count begins anew
    for step in range(MOST_IN_A_ROW - 1):
        guard.watch(step, BAD)
    with pytest.raises(DivergedError, match=r"no update was made in 100 steps; lower trainer\.opt"):
        guard.watch(0, BAD)
    assert len(told) == 1
