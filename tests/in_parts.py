"""Trainings with one optimizer, which strategies in parts have to do as one process does."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from codecctl.engine.build import build_recipe
from codecctl.engine.build_lossless import build_lossless_recipe
from codecctl.engine.process_group import ProcessGroup
from codecctl.engine.profile import load_profile
from codecctl.engine.profile.schema import LosslessProfile
from codecctl.engine.recipes.base import Recipe, Scalars
from codecctl.engine.runtime import FabricRuntime

from .tiny_training import flat

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


def batch(case: str, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    if case == "lossless":
        return torch.randint(-99, 99, (2, 1, 64), generator=generator) / 128
    return 0.1 * torch.randn(2, CASES[case][1], 2400, generator=generator)


def recipe(
    case: str, group: ProcessGroup | None, strategy: str = "auto"
) -> tuple[Recipe, FabricRuntime]:
    name, _, overrides = CASES[case]
    profile = load_profile(name, overrides).profile
    runtime = FabricRuntime(0, group=group, strategy=strategy)
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


def assert_trains_as_the_whole(case: str, group: ProcessGroup, strategy: str) -> None:
    """Trains, validates, and goes on, also from what the other has left."""
    (plain, _), (parts, runtime) = recipe(case, None), recipe(case, group, strategy)
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

    resumed, _ = recipe(case, group, strategy)
    resumed.load_state_dict(copy.deepcopy(plain.state_dict()))
    back, _ = recipe(case, None)
    back.load_state_dict(copy.deepcopy(parts.state_dict()))
    for trained in (plain, parts, resumed, back):
        trained.train_step(batch(case, 2), 2)
    for trained in (parts, resumed, back):
        assert_equal(everything(trained), everything(plain))
