"""From a profile to a recipe and its data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from codecctl.datasets.store import Store
from codecctl.engine.build import build_data, build_networks, build_recipe, term_weights
from codecctl.engine.profile import Profile, load_profile
from codecctl.engine.recipes.codec import CodecRecipe
from codecctl.engine.recipes.network import CodecNetwork
from codecctl.engine.recipes.paired import PairedRecipe
from codecctl.engine.runtime import FabricRuntime


def profile(*overrides: str) -> Profile:
    return load_profile("paired", ["model=tiny", *overrides]).profile


def test_the_full_paired_codec_has_the_published_number_of_parameters() -> None:
    network, jury = build_networks(load_profile("paired").profile)
    assert jury is not None
    assert sum(p.numel() for p in network.parameters()) == 14_851_810
    assert sum(p.numel() for p in jury.parameters()) == 283_398
    assert network.bitrate_kbps == pytest.approx(1.5 + 0.032)  # codes, and 32 bits of level


def test_the_seed_decides_the_first_weights_and_leaves_other_draws_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    first, _ = build_networks(profile())
    assert torch.equal(torch.rand(3), expected)
    again, _ = build_networks(profile())
    other, _ = build_networks(profile("trainer.seed=1"))
    assert _same(first, again)
    assert not _same(first, other)


def _same(first: CodecNetwork, second: CodecNetwork) -> bool:
    theirs = second.state_dict()
    return all(torch.equal(value, theirs[name]) for name, value in first.state_dict().items())


def test_weights_are_those_of_the_document() -> None:
    assert term_weights(profile().trainer.loss_config) == {
        "time": 0.1,
        "mel": 1.0,
        "generator": 3.0,
        "feature": 3.0,
        "commitment": 1.0,
        "codebook": 1.0,
        "similarity": 0.5,
        "diversity": 0.5,
    }


def test_the_mode_names_the_recipe() -> None:
    runtime = FabricRuntime(0)
    paired = build_recipe(profile(), runtime=runtime, updates_per_epoch=10)
    assert isinstance(paired, PairedRecipe)
    assert set(paired.modules()) == {"generator", "discriminator"}
    alone = profile().model_copy(update={"mode": "mono"})
    assert isinstance(build_recipe(alone, runtime=runtime, updates_per_epoch=10), CodecRecipe)


def test_without_adversarial_weights_there_is_no_discriminator() -> None:
    weights = "trainer.loss_config.adversarial.weights"
    quiet = profile(f"{weights}.generator=0", f"{weights}.feature=0")
    recipe = build_recipe(quiet, runtime=FabricRuntime(0), updates_per_epoch=10)
    assert set(recipe.modules()) == {"generator"}


def test_data_follow_the_scenes_and_the_window_of_the_profile(
    make_store: Callable[..., Path],
) -> None:
    generator = np.random.default_rng(0)
    scenes = ("Beach.1", "Park.1", "Woodland.1", "TrainStation.1")
    audio = {name: 0.1 * generator.standard_normal((4, 24_000), np.float32) for name in scenes}
    with_scenes = profile("data.segment_seconds=0.5", "data.min_source_seconds=0.5")
    data = build_data(with_scenes, Store.open(make_store(audio, sample_rate=24_000)))
    assert set(data.split.train) == {"Beach.1", "Park.1"}
    assert len(data.validation) == 100
    assert {item.recording for item in data.validation} == {"Woodland.1", "TrainStation.1"}
    assert all(len(set(item.channels)) == 2 for item in data.validation)
    assert data.train.batch(0).audio.shape == (8, 2, 12_000)


def test_recordings_of_either_side_that_are_too_short_are_named(
    make_store: Callable[..., Path],
) -> None:
    generator = np.random.default_rng(0)
    audio = {
        f"{scene}.{take}": 0.1 * generator.standard_normal((2, frames), np.float32)
        for scene in ("Beach", "Woodland")
        for take, frames in ((1, 24_000), (2, 23_999))
    }
    data = build_data(profile(), Store.open(make_store(audio, sample_rate=24_000)))
    assert data.left_out == (
        "Beach.2: found 0.999958 s, needed 1 s",
        "Woodland.2: found 0.999958 s, needed 1 s",
    )
