"""A step that is not finite changes nothing on the side that it concerns, and says so."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from codecctl.engine.optimizers import OPTIMIZERS
from codecctl.engine.recipes.base import Recipe

from .tiny_training import batch, changed, codec_of, everything, players, recipe

pytestmark = pytest.mark.long

NAN = float("nan")
COUNTS = ("generator/skipped", "discriminator/skipped")
ORDERS = ("generator_first", "discriminator_first")


@pytest.fixture(params=[False, True], ids=["as on a CPU", "as on a GPU"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Optimizers that are asked before a move, and such that skip on the device."""
    if request.param:
        fuse(monkeypatch)


def fuse(monkeypatch: pytest.MonkeyPatch) -> None:
    build = OPTIMIZERS["Adam"]
    monkeypatch.setitem(OPTIMIZERS, "Adam", partial(build, fused=True))


def bad_batch(seed: int) -> Tensor:
    audio = batch(seed)
    audio[2, 1, 700] = NAN
    return audio


def spoil_loss(trained: Recipe, name: str) -> None:
    losses = codec_of(trained)._objective._losses
    measure = losses[name]
    losses[name] = lambda estimate, reference: NAN * measure(estimate, reference)


@pytest.mark.usefixtures("kind")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("parts", [1, 2])
def test_a_batch_that_is_not_finite_changes_nothing_at_all(order: str, parts: int) -> None:
    split = (f"trainer.order={order}", f"trainer.accumulate_grad_batches={parts}")
    trained, other = recipe(*split), recipe(*split)
    for step in range(2):
        trained.train_step(batch(step), step)
        other.train_step(batch(step), step)
    before = everything(trained)
    row = trained.train_step(bad_batch(2), 2)
    after = everything(trained)
    assert sorted(changed(before, after)) == sorted(COUNTS)
    assert row["skipped_updates"] == 2
    assert not bool(row["loss/total"].isfinite())
    # And the training goes on as if the step had not been.
    trained.train_step(batch(3), 3)
    other.train_step(batch(3), 3)
    assert sorted(changed(everything(trained), everything(other))) == sorted(COUNTS)


@pytest.mark.usefixtures("kind")
@pytest.mark.parametrize("name", ["time", "mel"])
def test_a_term_that_is_not_finite_leaves_out_the_codec_alone(name: str) -> None:
    trained = recipe()
    trained.train_step(batch(0), 0)
    before = everything(trained)
    spoil_loss(trained, name)
    row = trained.train_step(batch(1), 1)
    moved = changed(before, everything(trained))
    assert row["skipped_updates"] == 1
    assert "generator/skipped" in moved
    assert all(each == "generator/skipped" or each.startswith("discriminator/") for each in moved)
    assert any(each.startswith("discriminator/network/") for each in moved)
    assert not bool(row[f"loss/{name}"].isfinite())


@pytest.mark.usefixtures("kind")
@pytest.mark.parametrize("name", ["similarity", "diversity", "commitment"])
def test_a_term_of_the_latent_that_is_not_finite_leaves_out_the_codec_alone(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = recipe()
    trained.train_step(batch(0), 0)
    before = everything(trained)
    if name == "commitment":
        codec = codec_of(trained)

        def spoil(_module: object, _given: object, coded: object) -> object:
            assert isinstance(coded, tuple)
            return coded._replace(commitment=NAN * coded.commitment)  # type: ignore[attr-defined]

        codec.network.register_forward_hook(spoil)
    else:
        pairwise = type(trained._pairwise)  # type: ignore[attr-defined]  # of the paired recipe
        measures = pairwise.measures

        def spoiled(self: object, *args: object) -> dict[str, Tensor]:
            terms: dict[str, Tensor] = measures(self, *args)
            return {**terms, name: NAN * terms[name]}

        monkeypatch.setattr(pairwise, "measures", spoiled)
    row = trained.train_step(batch(1), 1)
    moved = changed(before, everything(trained))
    assert row["skipped_updates"] == 1
    assert all(each == "generator/skipped" or each.startswith("discriminator/") for each in moved)


@pytest.mark.usefixtures("kind")
@pytest.mark.parametrize("order", ORDERS)
def test_discriminators_that_are_not_finite_stop_both_sides(order: str) -> None:
    trained = recipe(f"trainer.order={order}")
    trained.train_step(batch(0), 0)
    with torch.no_grad():
        next(trained.modules()["discriminator"].parameters()).view(-1)[0] = NAN
    before = everything(trained)
    row = trained.train_step(batch(1), 1)
    assert row["skipped_updates"] == 2
    after = everything(trained)
    moved = [name for name in changed(before, after) if not bool(before[name].isnan().any())]
    assert sorted(moved) == sorted(COUNTS)


@pytest.mark.parametrize("role", ["generator", "discriminator"])
def test_an_overflow_in_float16_lowers_the_scale_of_its_side_alone(role: str) -> None:
    trained = recipe("trainer.precision=16-mixed")
    for step in range(6):
        trained.train_step(batch(step), step)  # until both scales fit
    sides = players(trained)
    other = "discriminator" if role == "generator" else "generator"
    scale, kept = sides[role]._scale, sides[other].scale
    assert scale is not None
    scale.value = torch.tensor(2.0**40)
    before = everything(trained)
    row = trained.train_step(batch(6), 6)
    moved = changed(before, everything(trained))
    assert bool(sides[role].blocked) and not bool(sides[other].blocked)
    assert row[f"scale/{role}"] == 2.0**40
    assert sides[other].scale == kept
    assert not any(name.startswith(f"{role}/network/") for name in moved)
    assert not any(name.startswith(f"{role}/optimizer/") for name in moved)
    assert any(name.startswith(f"{other}/network/") for name in moved)
    belongs = ("average", "balancer", "shares")
    assert any(name.startswith(belongs) for name in moved) == (role == "discriminator")


def test_a_float16_training_that_was_resumed_is_the_one_that_was_not() -> None:
    straight, first, second = (recipe("trainer.precision=16-mixed") for _ in range(3))
    for step in range(6):
        straight.train_step(batch(step), step)
    for step in range(3):
        first.train_step(batch(step), step)
    assert players(first)["generator"].skipped > 0  # scales have moved
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    for step in range(3, 6):
        second.train_step(batch(step), step)
    assert changed(everything(straight), everything(second)) == []
    assert {"generator/scale/value", "discriminator/scale/clean"} <= set(everything(second))


def _refuse(_self: Tensor, *_: object) -> None:
    raise AssertionError("a copy to the host")


class Waits(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's
    """Notes whatever brings a value of a tensor to the host."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's
        self.found: list[str] = []

    def __torch_dispatch__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        name = str(func)
        if name.startswith(("aten._local_scalar_dense", "aten.equal", "aten.nonzero")):
            self.found.append(name)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("precision", ["32-true", "16-mixed"])
@pytest.mark.parametrize("parts", [1, 2])
def test_no_step_waits_for_the_device(
    order: str, precision: str, parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the optimizers of a GPU, as there; the next test does it on one."""
    fuse(monkeypatch)
    trained = recipe(
        f"trainer.order={order}",
        f"trainer.precision={precision}",
        f"trainer.accumulate_grad_batches={parts}",
        "trainer.gradient_clip_val=1.0",
        "trainer.loss_config.pairwise.diversity.config.frames=incoherence",
    )
    trained.train_step(batch(0), 0)
    for name in ("tolist", "cpu", "numpy"):  # which copy without an operation on a CPU
        monkeypatch.setattr(Tensor, name, _refuse)
    with Waits() as waits:
        trained.train_step(batch(1), 1)
        trained.train_step(bad_batch(2), 2)
    assert waits.found == []


def test_the_watch_over_waits_sees_them() -> None:
    with Waits() as waits:
        assert bool(torch.ones(2).sum() > 0)
        torch.ones(2)[0].item()
    assert len(waits.found) == 2


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed", "16-mixed"])
@pytest.mark.parametrize("order", ORDERS)
def test_no_step_waits_for_a_gpu(order: str, precision: str) -> None:
    from codecctl.engine.build import build_recipe
    from codecctl.engine.profile import load_profile
    from codecctl.engine.runtime import FabricRuntime

    from .tiny_training import TINY

    changes = [*TINY, f"trainer.order={order}", f"trainer.precision={precision}"]
    profile = load_profile("paired", changes).profile
    runtime = FabricRuntime(1, precision=precision)
    trained = build_recipe(profile, runtime=runtime, updates_per_epoch=10)
    trained.initialize(iter(batch(seed).cuda() for seed in range(100, 120)))
    audio = [each.cuda() for each in (batch(0), batch(1), batch(2), bad_batch(3))]
    for step in range(2):
        trained.train_step(audio[step], step)
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for step in (2, 3):
            row = trained.train_step(audio[step], step)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert row["skipped_updates"] >= 2
