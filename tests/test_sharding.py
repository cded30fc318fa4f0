"""Networks in parts: the training of a plain one, its states, and what is refused."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from codecctl.datasets.store import Store
from codecctl.engine.build import build_recipe
from codecctl.engine.build_lossless import build_lossless_recipe
from codecctl.engine.prepare import prepare
from codecctl.engine.process_group import ProcessGroup
from codecctl.engine.profile import load_profile
from codecctl.engine.profile.schema import LosslessProfile
from codecctl.engine.recipes.base import Recipe, Scalars
from codecctl.engine.recipes.staged import StagedRecipe
from codecctl.engine.runtime import FabricRuntime
from codecctl.engine.sharding import clip_parts, gathered, shard, whole
from codecctl.engine.strategy import require_strategy
from codecctl.errors import ProfileError

from .e2e.training import write_store
from .tiny_training import flat

pytestmark = pytest.mark.long


SHORT = (
    "model=tiny",
    "data.segment_seconds=0.1",
    "data.min_source_seconds=0.1",
    "data.batch_size=2",
    "trainer.scheduler.enabled=false",
    "trainer.gradient_clip_val=0.05",
)
ONE_SIDE = (
    "model.discriminators=[]",
    "trainer.loss_config.adversarial.weights.generator=0",
    "trainer.loss_config.adversarial.weights.feature=0",
    'trainer.balancer.covers=["mel"]',
)
NARROW = ("model.generator.num_filters=4", "model.generator.latent_dim=8")
CASES: dict[str, tuple[str, int, tuple[str, ...]]] = {
    "continuous": ("baseline-1ch", 1, (*SHORT, *ONE_SIDE, *NARROW)),
    "codebooks": (
        "mono",
        1,
        (
            *(*SHORT, *ONE_SIDE, *NARROW, "model.quantizer.codebook_size=8"),
            *("model.quantizer.bandwidths=[1.0]", "model.quantizer.dropout=true"),
            "trainer.accumulate_grad_batches=2",
        ),
    ),
    "spectral": ("spectral-vae", 2, SHORT),
    "lossless": (
        "lossless-8bit",
        1,
        (
            *("data.chunk_size=64", "data.batch_size=2", "model.embedding_dim=16"),
            *("model.num_layers=1", "model.num_heads=2", "trainer.gradient_clip_val=0.05"),
        ),
    ),
}
"""Profile, capsules, overrides: every family with one optimizer."""


@pytest.fixture(scope="module")
def group() -> Iterator[ProcessGroup]:
    """This process alone: the parts are the whole, and the way is that of several."""
    with ProcessGroup.of_one() as group:
        yield group


def batch(case: str, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    if case == "lossless":
        return torch.randint(-99, 99, (2, 1, 64), generator=generator) / 128
    return 0.1 * torch.randn(2, CASES[case][1], 2400, generator=generator)


def recipe(case: str, group: ProcessGroup | None) -> tuple[Recipe, FabricRuntime]:
    name, _, overrides = CASES[case]
    profile = load_profile(name, overrides).profile
    runtime = FabricRuntime(0, group=group, sharded=group is not None)
    build = build_lossless_recipe if isinstance(profile, LosslessProfile) else build_recipe
    trained = build(profile, runtime=runtime, updates_per_epoch=10)  # type: ignore[arg-type]
    with runtime.whole(trained.modules().values()):
        trained.initialize(batch(case, 100 + index) for index in range(50))
    return trained, runtime


def everything(trained: Recipe) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in flat(trained.state_dict())}


def assert_equal(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> None:
    assert list(ours) == list(theirs)
    for name, value in theirs.items():
        assert type(ours[name]) is type(value), name
        assert torch.equal(ours[name], value), name


@pytest.mark.parametrize("case", CASES)
def test_parts_train_validate_and_go_on_as_the_whole_does(case: str, group: ProcessGroup) -> None:
    (plain, _), (parts, runtime) = recipe(case, None), recipe(case, group)
    assert all(isinstance(p, DTensor) for p in parts.modules()["generator"].parameters())
    before = everything(plain)
    rows: list[list[Scalars]] = [
        [trained.train_step(batch(case, step), step) for step in range(2)]
        for trained in (plain, parts)
    ]
    assert_equal(*(dict(flat(each)) for each in rows))
    middle = everything(plain)
    assert any(not torch.equal(middle[name], value) for name, value in before.items())
    assert_equal(everything(parts), middle)

    heard = plain.reconstruct(batch(case, 9))
    with runtime.whole(parts.modules().values()):
        assert torch.equal(parts.reconstruct(batch(case, 9)), heard)
        assert_equal(*(dict(each.evaluate(batch(case, 9)).metrics) for each in (parts, plain)))

    # Either takes up what the other has left, and goes on alike.
    resumed, _ = recipe(case, group)
    resumed.load_state_dict(copy.deepcopy(plain.state_dict()))
    back, _ = recipe(case, None)
    back.load_state_dict(copy.deepcopy(parts.state_dict()))
    for trained in (plain, parts, resumed, back):
        trained.train_step(batch(case, 2), 2)
    for trained in (parts, resumed, back):
        assert_equal(everything(trained), everything(plain))


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
    found = clip_parts(parts, limit, by_value=by_value, sum_=group.sum_)
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


@pytest.mark.parametrize("installed", [True, False])
def test_deepspeed_is_one_line_that_names_what_works(
    installed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codecctl.engine.strategy.find_spec", lambda _: installed or None)
    words = "does not drive" if installed else "is not installed"
    with pytest.raises(
        ProfileError, match=rf"'deepspeed', whose package .*{words}; needed: 'fsdp'"
    ):
        require_strategy("deepspeed")
    for other in ("auto", "ddp", "fsdp"):
        require_strategy(other)


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
