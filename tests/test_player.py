"""Moves that are made, and moves that are left out; by an optimizer of either kind."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from codecctl.engine.optimizers import FUSED, OPTIMIZERS, build_optimizer
from codecctl.engine.recipes.player import Player
from codecctl.engine.runtime import FabricRuntime
from codecctl.engine.schedules import ScheduleConfig, constant

FINE = torch.tensor(False)
KINDS = [
    (name, fused) for name in OPTIMIZERS for fused in (False, True) if not fused or name in FUSED
]


def player(
    kind: str = "Adam", *, fused: bool = False, precision: str = "32-true", max_norm: float = 0.0
) -> Player:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))
    return Player(
        network,
        build_optimizer(kind, network.parameters(), {"lr": 0.1}, fused=fused),
        schedule=constant(ScheduleConfig(updates_per_epoch=1, max_epochs=1)),
        max_norm=max_norm,
        runtime=FabricRuntime(0, precision=precision),
    )


def move(moved: Player, step: int, *, times: float = 1.0, spoiled: Tensor = FINE) -> float:
    """One update on a batch of the step; returns the norm of the gradient."""
    generator = torch.Generator().manual_seed(step)
    loss = moved.network(torch.randn(8, 4, generator=generator)).square().mean()
    moved.backward(times * loss)
    return moved.move(step, role="x", spoiled=spoiled)["grad_norm/x"].item()


def state(of: Player) -> dict[str, object]:
    return copy.deepcopy(of.state_dict())


def weights(of: Player) -> Tensor:
    return torch.cat([p.detach().flatten().clone() for p in of.network.parameters()])


def moments(of: Player) -> Tensor:
    kept = [value for each in of._plain_optimizer.state.values() for value in each.values()]
    moments = [value.detach().flatten().clone() for value in kept if value is not None]
    return torch.cat([torch.zeros(0), *moments])  # plain SGD has none


@pytest.mark.parametrize(("kind", "fused"), KINDS)
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite_changes_nothing_but_the_count(
    kind: str, fused: bool, value: float
) -> None:
    moved = player(kind, fused=fused)
    move(moved, 0)
    before = weights(moved), moments(moved)
    move(moved, 1, times=value)
    assert bool(moved.blocked)
    assert torch.equal(weights(moved), before[0])
    assert torch.equal(moments(moved), before[1])
    move(moved, 2)
    assert not bool(moved.blocked)
    assert moved.skipped == 1
    assert not torch.equal(weights(moved), before[0])


@pytest.mark.parametrize(("kind", "fused"), KINDS)
def test_after_a_move_that_was_left_out_the_next_is_as_if_it_had_not_been(
    kind: str, fused: bool
) -> None:
    ours, theirs = player(kind, fused=fused), player(kind, fused=fused)
    move(ours, 0, times=float("nan"))  # the first of all, before there are moments
    for step in (1, 2):
        move(ours, step)
        move(theirs, step)
    assert torch.equal(weights(ours), weights(theirs))


@pytest.mark.parametrize("fused", [False, True])
def test_a_loss_that_is_not_finite_blocks_a_gradient_that_is(fused: bool) -> None:
    moved = player(fused=fused)
    before = weights(moved)
    assert move(moved, 0, spoiled=torch.tensor(True)) > 0
    assert torch.equal(weights(moved), before)


@pytest.mark.parametrize("kind", FUSED)
def test_both_kinds_of_optimizer_move_alike(kind: str) -> None:
    plain, fused = player(kind), player(kind, fused=True)
    for step in range(5):
        move(plain, step)
        move(fused, step)
    torch.testing.assert_close(weights(plain), weights(fused), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("saved", [False, True])
def test_a_state_goes_on_with_the_kind_of_optimizer_of_the_machine_that_loads_it(
    saved: bool,
) -> None:
    first, second, straight = (player(fused=kind) for kind in (saved, not saved, saved))
    for step in range(2):
        move(first, step)
        move(straight, step)
    second.load_state_dict(state(first))
    move(second, 2, times=float("nan"))
    assert second.skipped == 1
    for step in (2, 3):
        move(second, step)
        move(straight, step)
    torch.testing.assert_close(weights(second), weights(straight), rtol=1e-6, atol=1e-7)
    assert second._plain_optimizer.param_groups[0]["fused"] == (not saved or None)


@pytest.mark.parametrize("max_norm", [0.0, 0.05])
def test_where_nothing_is_in_float16_a_scale_changes_no_bit(max_norm: float) -> None:
    plain = player(max_norm=max_norm)
    scaled = player(precision="16-mixed", max_norm=max_norm)
    for step in range(4):
        assert move(plain, step) == move(scaled, step)
    assert torch.equal(weights(plain), weights(scaled))
    assert plain.scale is None
    assert scaled.scale == 2**16


def test_an_overflow_halves_the_scale_and_the_scale_used_is_told() -> None:
    moved = player(precision="16-mixed")
    before = weights(moved)
    moved.backward(moved.network(torch.full((1, 4), 1e36)).sum() * 1e36)
    told = moved.move(0, role="x", spoiled=FINE)
    assert told["scale/x"] == 2**16
    assert moved.scale == 2**15
    assert torch.equal(weights(moved), before)


def test_what_was_dropped_moves_nothing() -> None:
    ours, theirs = player(), player()
    ours.backward(ours.network(torch.ones(1, 4)).sum())
    ours.forget()
    for each in (ours, theirs):
        move(each, 0)
    assert torch.equal(weights(ours), weights(theirs))


@pytest.mark.parametrize("precision", ["32-true", "16-mixed"])
def test_a_restored_player_continues_bit_for_bit(precision: str) -> None:
    straight, first, second = (player(precision=precision) for _ in range(3))
    for step in range(6):
        move(straight, step, times=float("nan") if step == 1 else 1.0)
    for step in range(3):
        move(first, step, times=float("nan") if step == 1 else 1.0)
    second.load_state_dict(state(first))
    for step in range(3, 6):
        move(second, step)
    assert torch.equal(weights(second), weights(straight))
    assert second.skipped == straight.skipped == 1
    assert second.scale == straight.scale


def test_a_state_without_a_scale_starts_one() -> None:
    plain, scaled = player(), player(precision="16-mixed")
    move(plain, 0)
    scaled.load_state_dict(state(plain))
    assert scaled.scale == 2**16
    assert torch.equal(weights(plain), weights(scaled))
