"""The smallest codec trainings, which several tests take apart."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from codecctl.engine.build import build_recipe
from codecctl.engine.profile import load_profile
from codecctl.engine.recipes.base import Recipe
from codecctl.engine.recipes.codec import CodecRecipe
from codecctl.engine.recipes.paired import PairedRecipe
from codecctl.engine.recipes.player import Player
from codecctl.engine.runtime import FabricRuntime

NARROW = (
    "model=tiny",
    "data.segment_seconds=0.05",
    "data.min_source_seconds=0.05",
    "model.generator.num_filters=4",
    "model.generator.latent_dim=8",
    "model.discriminators.0.num_filters=2",
    "model.discriminators.0.n_ffts=[256]",
    "model.discriminators.0.hop_lengths=[64]",
    "model.discriminators.0.win_lengths=[256]",
    "trainer.loss_config.reconstruction.mel.config.scales=[6,8]",
    "trainer.scheduler.enabled=false",
    "trainer.discriminator.scheduler.enabled=false",
)
"""Networks of a few numbers on 50 ms of audio, at a constant rate."""
BOOKS = ("model.quantizer.codebook_size=8", "model.quantizer.bandwidths=[1.0]")
"""The quantizer that goes with them, where there is one."""
TINY = (
    *NARROW,
    *BOOKS,
    "data.batch_size=4",
    "trainer.discriminator.start={step=0}",
    "trainer.discriminator.update_probability=1.0",
    "trainer.ema.enabled=true",
    "trainer.loss_config.pairwise.similarity.config.weighting=gradient_share",
)
"""Everything that a step moves: both sides, codebooks, balancer, shares, weight average."""


def batch(seed: int, *, items: int = 4, capsules: int = 2) -> Tensor:
    """(4, 2, 1200), a function of the seed."""
    generator = torch.Generator().manual_seed(seed)
    return 0.1 * torch.randn(items, capsules, 1200, generator=generator)


def recipe(*overrides: str, profile: str = "paired", capsules: int = 2) -> Recipe:
    """A recipe with fitted codebooks on the CPU."""
    chosen = load_profile(profile, [*TINY, *overrides]).profile
    runtime = FabricRuntime(0, precision=chosen.trainer.precision)
    trained = build_recipe(chosen, runtime=runtime, updates_per_epoch=10)
    trained.initialize(iter(batch(seed, capsules=capsules) for seed in range(100, 120)))
    return trained


def codec_of(trained: Recipe) -> CodecRecipe:
    """The codec's part of a recipe."""
    codec = trained._codec if isinstance(trained, PairedRecipe) else trained
    assert isinstance(codec, CodecRecipe)
    return codec


def players(trained: Recipe) -> dict[str, Player]:
    """Both sides by role."""
    codec = codec_of(trained)
    assert codec._adversary is not None
    return {"generator": codec._generator, "discriminator": codec._adversary.player}


def flat(state: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Tensor]]:
    """Tensors of a state by their path."""
    if isinstance(state, Tensor):
        yield "/".join(path), state
    elif isinstance(state, Mapping):
        for key, value in state.items():
            yield from flat(value, (*path, str(key)))
    elif isinstance(state, (list, tuple)):
        for index, value in enumerate(state):
            yield from flat(value, (*path, str(index)))


def everything(trained: Recipe) -> dict[str, Tensor]:
    """A copy of all that a checkpoint would hold."""
    return {name: value.clone() for name, value in flat(copy.deepcopy(trained.state_dict()))}


def changed(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> list[str]:
    """Names of what is not the same to the last bit."""
    assert set(before) <= set(after), sorted(set(before) - set(after))
    return [name for name, value in before.items() if not torch.equal(value, after[name])]
