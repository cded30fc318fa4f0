"""Moments in parts by DeepSpeed: the training of a plain optimizer, its states, what is refused."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from codecctl.engine.process_group import ProcessGroup
from codecctl.engine.profile import load_profile
from codecctl.engine.strategy import require_strategy
from codecctl.engine.zero import ZeroOptimizer, divide
from codecctl.errors import ProfileError

from .in_parts import CASES, assert_trains_as_the_whole

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def group() -> Iterator[ProcessGroup]:
    """This process alone: its part is the whole row, and the way is that of several."""
    pytest.importorskip("deepspeed", reason="needs DeepSpeed, of the extra deepspeed")
    with ProcessGroup.of_one() as group:
        yield group


def small() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))


def divided(
    network: nn.Module, group: ProcessGroup, kind: type = torch.optim.Adam
) -> ZeroOptimizer:
    plain = kind(network.parameters(), lr=0.01)
    return divide(network, plain, device=torch.device("cpu"), group=group)


def gather(network: nn.Module, seed: int) -> None:
    """Two backwards, as of two portions of a batch."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(2):
        network(torch.randn(4, 3, generator=generator)).square().sum().backward()


@pytest.mark.parametrize("case", CASES)
def test_it_trains_validates_and_goes_on_as_a_plain_optimizer(
    case: str, group: ProcessGroup
) -> None:
    assert_trains_as_the_whole(case, group, "deepspeed")


@pytest.mark.parametrize(
    "kind",
    [
        *(torch.optim.AdamW, torch.optim.SGD, torch.optim.RMSprop, torch.optim.NAdam),
        *(torch.optim.RAdam, torch.optim.Adamax, torch.optim.Adadelta, torch.optim.ASGD),
    ],
)
def test_every_optimizer_moves_and_remembers_as_by_itself(
    kind: type[torch.optim.Optimizer], group: ProcessGroup
) -> None:
    plain, parts = small(), small()
    alone = kind(plain.parameters(), lr=0.01)  # type: ignore[call-arg]  # every kind has one
    row = divided(parts, group, kind)
    for step in range(3):
        gather(plain, step)
        gather(parts, step)
        row.average()
        for optimizer in (alone, row):
            optimizer.step()
            optimizer.zero_grad()
    torch.testing.assert_close(
        dict(parts.state_dict()), dict(plain.state_dict()), rtol=0, atol=1e-7
    )
    ours, theirs = row.state_dict(), alone.state_dict()
    assert ours["param_groups"] == theirs["param_groups"]
    torch.testing.assert_close(ours["state"], theirs["state"], rtol=1e-5, atol=1e-7)


def test_what_is_loaded_between_updates_counts(group: ProcessGroup) -> None:
    parts, other = small(), small()
    row = divided(parts, group, torch.optim.SGD)
    taken = {name: value + 1 for name, value in other.state_dict().items()}
    parts.load_state_dict(taken)
    gather(parts, 0)
    row.average()
    row.step()
    moved = parts.state_dict()
    assert all((moved[name] - value).abs().max() < 0.9 for name, value in taken.items())
    assert any(not torch.equal(moved[name], value) for name, value in taken.items())


def test_an_update_left_out_leaves_nothing_behind(group: ProcessGroup) -> None:
    network = small()
    row = divided(network, group)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    gather(network, 0)
    row.average()
    row.gradients()[0].fill_(torch.nan)
    row.zero_grad()
    assert row.state_dict()["state"] == {}
    gather(network, 1)
    row.average()
    assert all(bool(gradient.isfinite().all()) for gradient in row.gradients())
    assert all(torch.equal(network.state_dict()[name], value) for name, value in before.items())


def test_a_weight_without_a_gradient_is_one_line(group: ProcessGroup) -> None:
    network = small()
    row = divided(network, group)
    network[0](torch.ones(1, 3)).sum().backward()  # type: ignore[index]
    with pytest.raises(ProfileError, match=r"'deepspeed'.*, and 2\.weight has no gradient"):
        row.average()


def test_moments_of_other_updates_are_one_line(group: ProcessGroup) -> None:
    plain = small()
    alone = torch.optim.Adam(plain.parameters(), lr=0.01)
    plain[0](torch.ones(1, 3)).sum().backward()  # type: ignore[index]
    alone.step()
    row = divided(small(), group)
    with pytest.raises(ProfileError, match=r"'deepspeed'.* moved some of them in other updates"):
        row.load_state_dict(alone.state_dict())


@pytest.mark.parametrize(
    ("release", "words"),
    [("", "whose package is not installed"), ("0.15.1", "whose package is version 0.15.1")],
)
def test_another_package_is_one_line_that_names_what_works(
    release: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codecctl.engine.strategy.find_spec", lambda _: release or None)
    monkeypatch.setattr("codecctl.engine.strategy.version", lambda _: release)
    with pytest.raises(
        ProfileError,
        match=rf"'deepspeed', {words}; needed: version 0\.19 "
        r"\(pip install 'codecctl\[deepspeed\]'\), or 'fsdp'",
    ):
        require_strategy("deepspeed")
    for other in ("auto", "ddp", "fsdp"):
        require_strategy(other)


HIDDEN = "import sys; sys.modules['deepspeed'] = None; from codecctl.cli import main; main()"


def test_without_the_package_a_command_ends_before_it_loads_anything(tmp_path: Path) -> None:
    keys = ("train", "--profile", "lossless-8bit", "trainer.strategy=deepspeed")
    done = subprocess.run(
        [sys.executable, "-c", HIDDEN, *keys, "trainer.num_gpus=0"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    [line] = done.stderr.splitlines()
    assert line.startswith("codecctl: trainer.strategy: found 'deepspeed', whose package is not")
    assert done.stdout == ""


def test_stages_are_refused_as_they_may_leave_weights_out() -> None:
    stages = 'trainer.stages=[{name="a",length={steps=1}}]'
    load_profile("lossless-8bit", [stages, "trainer.strategy=fsdp"])
    with pytest.raises(
        ProfileError, match=r"found 'deepspeed', allowed with trainer\.stages, which"
    ):
        load_profile("lossless-8bit", [stages, "trainer.strategy=deepspeed"])
