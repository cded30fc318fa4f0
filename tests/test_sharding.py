"""Networks in parts: the training of a plain one, its states, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from codecctl.datasets.store import Store
from codecctl.engine.prepare import prepare
from codecctl.engine.process_group import ProcessGroup
from codecctl.engine.profile import load_profile
from codecctl.engine.recipes.staged import StagedRecipe
from codecctl.engine.sharding import clip_parts, gathered, own_gradients, shard, whole
from codecctl.errors import ProfileError

from .e2e.training import write_store
from .in_parts import CASES, assert_equal, assert_trains_as_the_whole, batch, everything, recipe

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def group() -> Iterator[ProcessGroup]:
    """This process alone: the parts are the whole, and the way is that of several."""
    with ProcessGroup.of_one() as group:
        yield group


@pytest.mark.parametrize("case", CASES)
def test_parts_train_validate_and_go_on_as_the_whole_does(case: str, group: ProcessGroup) -> None:
    parts, _ = recipe(case, group, "fsdp")
    assert all(isinstance(p, DTensor) for p in parts.modules()["generator"].parameters())
    assert_trains_as_the_whole(case, group, "fsdp")


@pytest.mark.parametrize(("limit", "by_value"), [(0.0, False), (0.5, False), (0.1, True)])
def test_parts_are_clipped_as_torch_clips_the_whole(
    limit: float, by_value: bool, group: ProcessGroup
) -> None:
    torch.manual_seed(0)
    plain, parts = nn.Linear(3, 2), nn.Linear(3, 2)
    parts.load_state_dict(plain.state_dict())
    shard(parts, [], device=torch.device("cpu"))
    for network in (plain, parts):
        network(torch.ones(4, 3)).square().sum().backward()
    found = clip_parts(own_gradients(parts), limit, by_value=by_value, sum_=group.sum_)
    if by_value:
        torch.nn.utils.clip_grad_value_(plain.parameters(), limit)
    else:
        expected = torch.nn.utils.clip_grad_norm_(plain.parameters(), limit or 1e9)
        torch.testing.assert_close(found, expected)
    for ours, theirs in zip(parts.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(gathered(ours.grad), theirs.grad)


def test_a_block_of_whole_weights_ends_in_parts_again(group: ProcessGroup) -> None:
    assert group.world_size == 1
    network = nn.Linear(3, 2)
    weight = network.weight.detach().clone()
    shard(network, [], device=torch.device("cpu"))
    with pytest.raises(ZeroDivisionError), whole([network, nn.Linear(1, 1)]):
        assert not isinstance(network.weight, DTensor)
        assert torch.equal(network.weight, weight)
        raise ZeroDivisionError
    assert isinstance(network.weight, DTensor)


@pytest.mark.parametrize(
    ("profile", "override", "reason"),
    [
        ("mono", "model=tiny", "model.discriminators, which have an optimizer of their own"),
        ("spectral-vae", "trainer.ema.enabled=true", "trainer.ema.enabled = true"),
        ("lossless-8bit", "trainer.precision=16-mixed", "'16-mixed', which scales losses"),
        ("lossless-8bit", "trainer.compile=true", "trainer.compile = true"),
        ("spectral-vae", "trainer.on_out_of_memory=halve", "on_out_of_memory = 'halve'"),
        ("lossless-8bit", "trainer.optimizer.type=Adagrad", "optimizer.type = 'Adagrad'"),
        ("lossless-8bit", "trainer.optimizer.type=Rprop", "optimizer.type = 'Rprop'"),
        ("lossless-8bit", "trainer.optimizer.type=Adafactor", "optimizer.type = 'Adafactor'"),
        ("mono", "model.quantizer.type=vq", "'vq', whose codebooks are weights"),
        ("paired-classifier", "model=tiny", "the classifier of capsules"),
        (
            "paired",
            "trainer.loss_config.pairwise.similarity.config.weighting=gradient_share",
            "pairwise.similarity weighted by gradient_share",
        ),
    ],
)
@pytest.mark.parametrize("strategy", ["fsdp", "deepspeed"])
def test_what_does_not_go_with_parts_is_refused_with_the_reason(
    profile: str, override: str, reason: str, strategy: str
) -> None:
    load_profile(profile, [override])
    with pytest.raises(ProfileError) as caught:
        load_profile(profile, [override, f"trainer.strategy={strategy}"])
    lines = [line for line in str(caught.value).splitlines() if reason in line]
    assert len(lines) == 1
    assert f"trainer.strategy: found '{strategy}', allowed with" in lines[0]


def test_stages_freeze_and_hand_over_in_parts_as_in_one(
    group: ProcessGroup, tmp_path: Path
) -> None:
    write_store(tmp_path / "noise")
    overrides = (
        *CASES["codebooks"][2],
        'trainer.stages=[{name="a",length={steps=1},freeze=["decoder"]},'
        '{name="b",length={steps=1},freeze=["encoder"]}]',
    )
    ends: list[dict[str, Tensor]] = []
    for strategy, shared in (("auto", None), ("fsdp", group)):
        profile = load_profile("mono", [*overrides, f"trainer.strategy={strategy}"]).profile
        prepared = prepare(profile, Store.open(tmp_path / "noise"), group=shared)
        staged = prepared.recipe
        assert isinstance(staged, StagedRecipe)
        with prepared.runtime.whole(staged.modules().values()):
            staged.initialize(batch("codebooks", 100 + index) for index in range(50))
        states = [everything(staged)]
        for number in range(2):
            staged.enter(number)
            staged.train_step(batch("codebooks", number), number)
            states.append(everything(staged))
        for before, after, frozen in ((0, 1, "decoder"), (1, 2, "encoder")):
            moved = {
                name.split(".")[1]
                for name, value in states[before].items()
                if name.startswith("generator/network/autoencoder.")
                and not torch.equal(value, states[after][name])
            }
            assert moved == {"encoder", "decoder"} - {frozen}
        ends.append(states[-1])
    assert_equal(ends[1], ends[0])
