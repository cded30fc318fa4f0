"""Profile to objects; nothing below this module sees a profile."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import cast

import torch
from pydantic import BaseModel
from torch import nn

from codecctl.datasets.batch import Item
from codecctl.datasets.sampler import TrainSampler
from codecctl.datasets.split import Split
from codecctl.datasets.store import AudioSource
from codecctl.datasets.validation import fixed_items
from codecctl.datasets.windows import Window, usable_recordings
from codecctl.engine.array_items import array_items
from codecctl.engine.build_classifier import build_classifier
from codecctl.engine.build_generator import (
    build_autoencoder,
    build_bottleneck,
    draws_latents,
)
from codecctl.engine.build_objective import build_metrics, build_objective
from codecctl.engine.build_pairwise import PAIRWISE, build_pairwise
from codecctl.engine.build_player import build_player
from codecctl.engine.losses.weights import match_weights
from codecctl.engine.networks import CHANNEL_VIEWS, DISCRIMINATORS
from codecctl.engine.profile import MODES, Profile
from codecctl.engine.profile.schema_losses import Losses
from codecctl.engine.profile.schema_model import LearnedQuantizer, Staged
from codecctl.engine.profile.schema_trainer import Trainer
from codecctl.engine.recipes import RECIPES
from codecctl.engine.recipes.adversary import Adversary, Jury
from codecctl.engine.recipes.average import WeightAverage
from codecctl.engine.recipes.base import Recipe, Runtime
from codecctl.engine.recipes.capsule_classifier import TERM
from codecctl.engine.recipes.codec import CodecRecipe
from codecctl.engine.recipes.levels import LEVELS
from codecctl.engine.recipes.measuring import Measuring
from codecctl.engine.recipes.network import CodecNetwork
from codecctl.engine.recipes.stacking import Stacking
from codecctl.engine.recipes.timing import Timing
from codecctl.engine.sides import sides_of
from codecctl.engine.task import WHOLE, Task

ADVERSARIAL = ("generator", "feature")
"""Terms that discriminators give."""
BOTTLENECK = ("commitment", "codebook", "kl")
"""Terms that what stands between encoder and decoder gives."""


_SETTINGS = {"weights", "share_decay", "apply_pre_transform_to_wave_losses"}
"""Keys of groups of terms that are no terms."""


@dataclass(frozen=True)
class Data:
    """What a training reads."""

    train: TrainSampler
    validation: tuple[Item, ...]
    """Fixed items, the same in every run on this store."""
    arrays: tuple[Item, ...]
    """Fixed windows of whole arrays, where they are measured."""
    window: Window
    split: Split
    """Recordings of each side, and a note where they are not quite what was asked for."""
    left_out: tuple[str, ...]
    """A sentence for each recording of either side that a window does not fit into."""


def build_data(profile: Profile, store: AudioSource) -> Data:
    """Sampler and fixed validation items of a store.

    Raises:
        DataError: No recording fits, or what validates would be heard in training.
        NotFoundError: The store has no split of the profile's name.
    """
    data = profile.data
    window = Window(
        frames=round(data.segment_seconds * data.rate),
        capsules=data.capsules.count,
        policy=data.capsules.policy,
        geometry=data.capsules.geometry,
        silence_db=data.silence_db,
        min_source_seconds=data.min_source_seconds,
    )
    sides = sides_of(data, store)
    train = TrainSampler(
        store, sides.train, window=window, batch_size=data.batch_size, seed=profile.trainer.seed
    )
    validation = fixed_items(
        store, sides.validation, window=window, count=data.val_items, seed=data.val_seed
    )
    arrays = array_items(
        store,
        sides.validation,
        window=window,
        count=profile.trainer.array_measures.items,
        seed=data.val_seed,
    )
    left_out = train.left_out + usable_recordings(store, sides.validation, window=window).left_out
    return Data(
        train=train,
        validation=validation,
        arrays=arrays,
        window=window,
        split=sides,
        left_out=left_out,
    )


def build_recipe(
    profile: Profile, *, runtime: Runtime, updates_per_epoch: int, task: Task = WHOLE
) -> Recipe:
    """Networks, losses and optimizers of a profile, on the runtime's device.

    Args:
        profile: What to train; in a stage, the profile of that.
        runtime: Runs it.
        updates_per_epoch: Steps.
        task: The training in one, or a stage.

    Raises:
        ProfileError: A weight and a term do not match.
    """
    network, jury = _networks(profile, task)
    weights = term_weights(profile.trainer.loss_config)
    pairwise = build_pairwise(profile.trainer.loss_config, weights)
    weights = _without(weights, (*PAIRWISE, TERM))
    if not isinstance(profile.model.quantizer, LearnedQuantizer):
        weights = _without(weights, ("codebook",))
    if not draws_latents(profile.model):
        weights = _without(weights, ("kl",))
    if jury is None or not any(name in weights for name in ADVERSARIAL):
        jury, weights = None, _without(weights, ADVERSARIAL)
    trainer = profile.trainer
    generator = build_player(
        network,
        trainer,
        trainer=trainer,
        runtime=runtime,
        updates_per_epoch=updates_per_epoch,
        span=task.generator,
    )
    adversary = None
    if jury is not None:
        adversary = _adversary(trainer, jury, runtime, updates_per_epoch, task)
    wave_weights = _without(weights, BOTTLENECK)
    objective = build_objective(profile, wave_weights, network.autoencoder, runtime)
    codec = CodecRecipe(
        generator,
        adversary,
        objective=objective,
        weights=weights,
        stacking=Stacking(apart=not MODES[profile.mode].together),
        measuring=Measuring(
            build_metrics(profile, runtime),
            weights,
            objective=objective,
            adversary=adversary,
        ),
        seed=trainer.seed,
        runtime=runtime,
        dropout=isinstance(profile.model.quantizer, Staged) and profile.model.quantizer.dropout,
        noise=draws_latents(profile.model),
        items_at_once=_items_at_once(profile, runtime),
        average=_average(trainer, network, task),
    )
    classifier = build_classifier(profile, runtime, updates_per_epoch, task)
    return RECIPES[profile.mode](codec, pairwise, classifier, runtime)


def _networks(profile: Profile, task: Task) -> tuple[CodecNetwork, Jury | None]:
    """Those that go on from an earlier stage, and new ones for what begins; frozen as asked."""
    network = cast("CodecNetwork | None", task.networks.get("generator"))
    jury = cast("Jury | None", task.networks.get("discriminator"))
    if network is None or jury is None:
        drawn, fresh = build_networks(profile)
        network, jury = network or drawn, jury or fresh
    network.freeze(task.frozen)
    if jury is not None:
        types = [entry.type for entry in profile.model.discriminators]
        wanted = types if task.discriminators is None else task.discriminators
        jury.act([at for at, kind in enumerate(types) if kind in wanted])
    return network, jury


def _average(
    trainer: Trainer, network: CodecNetwork, task: Task
) -> WeightAverage[CodecNetwork] | None:
    if not trainer.ema.enabled:
        return None
    followed = cast("CodecNetwork | None", task.networks.get("average"))
    return WeightAverage(network, decay=trainer.ema.decay, average=followed)


def build_networks(profile: Profile) -> tuple[CodecNetwork, Jury | None]:
    """Codec and discriminators with weights drawn from the profile's seed, on the CPU."""
    model = profile.model
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(profile.trainer.seed)
        autoencoder = build_autoencoder(model)
        quantizer = build_bottleneck(model, dim=autoencoder.latent_dim)
        discriminators: list[nn.Module] = [
            DISCRIMINATORS[entry.type](
                channels=CHANNEL_VIEWS[entry.channels].channels(model.generator.channels),
                **entry.model_dump(exclude={"type", "channels"}),
            )
            for entry in model.discriminators
        ]
    network = CodecNetwork(
        autoencoder,
        quantizer,
        sample_rate=profile.data.rate,
        channels=model.generator.channels,
        level=LEVELS[model.normalize](profile.data.rate, model.gain_db),
    )
    if profile.trainer.compile:
        autoencoder.encoder.compile()
        autoencoder.decoder.compile()
    views = [CHANNEL_VIEWS[entry.channels] for entry in model.discriminators]
    return network, Jury(discriminators, views) if discriminators else None


def term_weights(losses: Losses) -> dict[str, float]:
    """Weights of all terms; a term that is left out by a weight of zero is not among them.

    Raises:
        ProfileError: A weight names no term, or a term has no weight.
    """
    groups: list[tuple[str, BaseModel, BaseModel, Collection[str]]] = [
        ("reconstruction", losses.reconstruction, losses.reconstruction.weights, ()),
        ("adversarial", losses.adversarial, losses.adversarial.weights, ADVERSARIAL),
        ("bottleneck", losses.bottleneck, losses.bottleneck.weights, BOTTLENECK),
        ("spectral", losses.spectral, losses.spectral.weights, ()),
        ("pairwise", losses.pairwise, losses.pairwise.weights, ()),
    ]
    weights: dict[str, float] = {}
    for name, group, given, implied in groups:
        terms = {*implied, *type(group).model_fields} - _SETTINGS
        weights |= match_weights(name, terms, given.model_dump())
    return {"commitment": 0.0, **weights}


def _without(weights: Mapping[str, float], names: Collection[str]) -> dict[str, float]:
    return {name: weight for name, weight in weights.items() if name not in names}


def _items_at_once(profile: Profile, runtime: Runtime) -> int:
    """Items of a batch that go through the networks of one rank together."""
    return profile.data.batch_size // runtime.world_size // profile.trainer.accumulate_grad_batches


def _adversary(
    trainer: Trainer, jury: Jury, runtime: Runtime, updates_per_epoch: int, task: Task
) -> Adversary:
    settings = trainer.discriminator
    player = build_player(
        jury,
        settings,
        trainer=trainer,
        runtime=runtime,
        updates_per_epoch=updates_per_epoch,
        span=task.discriminator,
    )
    timing = Timing(
        start_step=task.adversary_since + settings.start.first_step(updates_per_epoch),
        update_probability=settings.update_probability,
        update_every=settings.update_every,
        generator_first=trainer.order == "generator_first",
        adversarial_before_start=settings.adversarial_before_start,
        frozen="discriminator" in task.frozen,
    )
    return Adversary(
        player,
        timing=timing,
        seed=trainer.seed,
        runtime=runtime,
        feature=trainer.loss_config.adversarial.feature.config.kind,
    )
