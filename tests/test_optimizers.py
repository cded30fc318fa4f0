"""Optimizers by type and config: torch's names, torch's arguments, torch's moves."""

from __future__ import annotations

import inspect
from typing import get_args

import pytest
import torch

from codecctl.engine.optimizers import OPTIMIZERS, build_optimizer
from codecctl.engine.profile import load_profile
from codecctl.engine.profile.library import PACKAGED
from codecctl.engine.profile.refused import ARGUMENTS
from codecctl.engine.profile.refused import OPTIMIZERS as REFUSED
from codecctl.engine.profile.schema_optimizers import Optimizer
from codecctl.errors import ProfileError

from .tiny_training import batch, changed, everything, recipe

SCHEMAS = {
    schema.model_fields["type"].annotation.__args__[0]: schema.model_fields["config"].annotation
    for schema in get_args(get_args(Optimizer)[0])
}
LEFT_OUT = {("Adafactor", "eps"), ("Adam", "decoupled_weight_decay")}
"""A pair with nothing in it, which TOML cannot write; what AdamW is."""


@pytest.mark.oracle
def test_every_optimizer_of_torch_is_there_or_refused() -> None:
    found = {
        name
        for name, kind in vars(torch.optim).items()
        if isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer)
    }
    assert found - {"Optimizer"} <= set(OPTIMIZERS) | set(REFUSED)
    assert set(SCHEMAS) == set(OPTIMIZERS)


@pytest.mark.oracle
@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_its_arguments_are_torchs(name: str) -> None:
    theirs = set(inspect.signature(getattr(torch.optim, name)).parameters) - {"params"}
    ours = set(SCHEMAS[name].model_fields)
    assert theirs - ours == set(ARGUMENTS) & theirs | {a for n, a in LEFT_OUT if n == name}
    assert ours <= theirs


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_the_type_can_be_changed_alone_and_moves_as_torch_does(name: str) -> None:
    lr = "trainer.optimizer.config.lr=1e-2"
    chosen = load_profile("mono", [f"trainer.optimizer.type={name}", lr], search=(PACKAGED,))
    given = chosen.profile.trainer.optimizer.config.model_dump()
    assert None not in given.values()
    ours, theirs = (torch.nn.Parameter(torch.linspace(-1, 1, 12).view(3, 4)) for _ in range(2))
    build = getattr(torch.optim, name)
    optimizers = build_optimizer(name, [ours], given), build([theirs], **given)
    for step in range(3):
        for weight, optimizer in zip((ours, theirs), optimizers, strict=True):
            weight.grad = (weight.detach() + step) ** 2
            optimizer.step()
    assert torch.equal(ours, theirs)
    assert not torch.equal(ours, torch.linspace(-1, 1, 12).view(3, 4))


@pytest.mark.long
@pytest.mark.parametrize("name", ["SGD", "RMSprop", "NAdam", "Adafactor", "ASGD"])
def test_a_training_with_it_goes_on_from_a_state_to_the_last_bit(name: str) -> None:
    options = [f"trainer.{side}optimizer.type={name}" for side in ("", "discriminator.")]
    straight, first, second = (recipe(*options) for _ in range(3))
    for step in range(2):
        straight.train_step(batch(step), step)
        first.train_step(batch(step), step)
    second.load_state_dict(first.state_dict())
    before = everything(second)
    for trained in (straight, second):
        trained.train_step(batch(2), 2)
    assert changed(before, everything(second))
    assert not changed(everything(straight), everything(second))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["type=LBFGS"], r"optimizer\.type: found \"LBFGS\", .*evaluates the loss many times"),
        (["type=SparseAdam"], r"found \"SparseAdam\", .*sparse gradients"),
        (["type=Muon"], r"found \"Muon\", .*matrices only"),
        (["type=AdamWW"], r"found \"AdamWW\", .*did you mean 'AdamW'"),
        (["config.fused=true"], r"config\.fused: there is no such key: chosen by the machine"),
        (["config.maximize=true"], r"config\.maximize: there is no such key: losses are made"),
        (["config.momentum=0.9"], r"config\.momentum: unknown key"),
        (["config.beta=[0.5,0.9]"], r"config\.beta: unknown key; did you mean 'betas'"),
        (["config.betas=[0.5,1.0]"], r"config\.betas"),
        (["config.lr=0"], r"config\.lr: found 0, allowed: a number above 0"),
        (["type=SGD", "config.nesterov=true"], r"found true with momentum 0 and dampening 0"),
        (["type=Rprop", "config.etas=[0.5,0.9]"], r"config\.etas"),
    ],
)
def test_what_does_not_fit_is_one_line(overrides: list[str], message: str) -> None:
    words = [f"trainer.optimizer.{word}" for word in overrides]
    with pytest.raises(ProfileError, match=message) as raised:
        load_profile("mono", words, search=(PACKAGED,))
    assert len(raised.value.problems) == 1
