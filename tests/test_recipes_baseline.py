"""The continuous autoencoder and the other shapes of the codec recipe, on tiny networks."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from codecctl.engine.build import build_networks, build_recipe
from codecctl.engine.profile import load_profile
from codecctl.engine.recipes.base import Recipe
from codecctl.engine.runtime import FabricRuntime
from codecctl.errors import ProfileError

TINY = (
    "model=tiny",
    "data.segment_seconds=0.1",
    "data.batch_size=2",
    "model.generator.num_filters=4",
    "model.generator.latent_dim=8",
    "model.discriminators.0.n_ffts=[256]",
    "model.discriminators.0.hop_lengths=[64]",
    "model.discriminators.0.win_lengths=[256]",
    "trainer.loss_config.reconstruction.mel.config.scales=[6,8]",
    "trainer.scheduler.enabled=false",
    "trainer.discriminator.scheduler.enabled=false",
    "trainer.discriminator.start={step=0}",
    "trainer.discriminator.update_probability=1.0",
)
SMALL_BOOKS = ("model.quantizer.codebook_size=8", "model.quantizer.bandwidths=[1.0]")


def batch(capsules: int, seed: int = 0) -> Tensor:
    return 0.1 * torch.randn(2, capsules, 2400, generator=torch.Generator().manual_seed(seed))


def recipe(name: str, capsules: int, *overrides: str) -> Recipe:
    profile = load_profile(name, [*TINY, *overrides]).profile
    trained = build_recipe(profile, runtime=FabricRuntime(0), updates_per_epoch=10)
    trained.initialize(iter(batch(capsules, seed) for seed in range(100)))
    return trained


def test_all_channels_are_one_signal_without_codes() -> None:
    counts = ("data.capsules.count=3", "model.generator.channels=3")
    trained = recipe("baseline-32ch", 3, *counts)
    scalars = trained.train_step(batch(3), 0)
    assert {"loss/mel", "loss/generator", "loss/discriminator"} <= set(scalars)
    assert not any("codebook" in name or "capsule" in name for name in scalars)
    evaluation = trained.evaluate(batch(3))
    assert evaluation.codes.shape == (2, 1, 0, 8)
    measured = trained.aggregate([evaluation, evaluation])
    assert "val/bitrate_kbps" not in measured and measured["val/mel"] > 0
    for cue in ("level", "phase", "coherence"):
        assert measured[f"val/{cue}_error"] > 0
    assert trained.reconstruct(batch(3)).shape == (2, 3, 2400)
    assert "becomes 600 numbers a second, 9.6 kb/s" in " ".join(trained.notes())


@pytest.mark.long
def test_the_baseline_learns_one_batch() -> None:
    trained = recipe("baseline-1ch", 1, "trainer.optimizer.config.lr=3e-3")
    before = trained.aggregate([trained.evaluate(batch(1))])["val/mel"]
    for step in range(30):
        trained.train_step(batch(1), step)
    assert trained.aggregate([trained.evaluate(batch(1))])["val/mel"] < 0.7 * before


def test_the_documents_network_has_the_size_that_was_counted() -> None:
    # The code that was counted has its strides in the order of the decoder.
    strides = "model.generator.strides=[8,5,4,2]"
    network, jury = build_networks(load_profile("baseline-1ch", [strides]).profile)
    assert sum(p.numel() for p in network.parameters()) / 1e6 == pytest.approx(10.79, abs=0.01)
    assert jury is not None
    assert len(jury.discriminators[0].scales) == 5  # type: ignore[arg-type]  # a list of networks


@pytest.mark.parametrize(
    "quantizer",
    [
        ("model.quantizer.groups=2", *SMALL_BOOKS),
        ("model.quantizer.dropout=true", *SMALL_BOOKS),
        ("model.quantizer.type=vq", *SMALL_BOOKS),
        ("model.quantizer.type=fsq", "model.quantizer.levels=[5,3]"),
    ],
    ids=["groups", "dropout", "vq", "fsq"],
)
def test_every_quantizer_trains_through_its_profile(quantizer: tuple[str, ...]) -> None:
    trained = recipe("mono", 1, *quantizer)
    scalars = [trained.train_step(batch(1, seed), seed) for seed in range(2)]
    assert all(bool(value.isfinite()) for row in scalars for value in row.values())
    assert ("loss/codebook" in scalars[0]) == ("model.quantizer.type=vq" in quantizer)
    assert "codebook/1/entropy" in scalars[0]


def test_a_quantizer_that_does_not_divide_the_latent_is_refused() -> None:
    with pytest.raises(ProfileError, match=r"quantizer.groups: found 3, allowed: a divisor of"):
        load_profile("mono", ["model.quantizer.groups=3"])
