"""Profile and store become what a job works with; touches no run folder."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from codecctl.datasets.store import AudioSource
from codecctl.datasets.token_stream import TokenStream
from codecctl.engine.build import Data, build_data, build_recipe
from codecctl.engine.build_classifier import refuse_more_capsules
from codecctl.engine.build_lossless import build_lossless_data, build_lossless_recipe
from codecctl.engine.build_stages import staged_recipe
from codecctl.engine.cadence import Cadence
from codecctl.engine.compiler import require_compiler
from codecctl.engine.crew import ALONE, Crew
from codecctl.engine.device import seed_everything
from codecctl.engine.limits import period
from codecctl.engine.process_group import ProcessGroup
from codecctl.engine.profile import Profile
from codecctl.engine.profile.run_name import tracker_name
from codecctl.engine.profile.schema import LosslessProfile
from codecctl.engine.profile.schema_conduct import seconds_of
from codecctl.engine.profile.staged import end_of, lengths_of, updates_of
from codecctl.engine.recipes.base import Recipe
from codecctl.engine.runtime import FabricRuntime
from codecctl.engine.stages import plan, stage_named
from codecctl.engine.task import WHOLE, Task
from codecctl.engine.topology import refuse_uneven
from codecctl.engine.tracking import DISABLED, TENSORBOARD, WANDB, TrackerSettings


@dataclass(frozen=True)
class Prepared:
    """Everything that a job needs but its run folder."""

    profile: Profile
    store: AudioSource
    data: Data
    recipe: Recipe
    runtime: FabricRuntime
    cadence: Cadence
    crew: Crew


def prepare(
    profile: Profile,
    store: AudioSource,
    *,
    group: ProcessGroup | None = None,
    stage: str = "",
) -> Prepared:
    """Choose the device and build data and networks.

    Args:
        profile: What to train.
        store: On what.
        group: The processes that train together; None: this one trains alone.
        stage: Name of the stage that the training starts in; empty: the first one.

    Raises:
        CodecctlError: The device, the data or the profile do not allow it.
    """
    trainer = profile.trainer
    if group is not None:
        refuse_uneven(
            profile.data.batch_size,
            parts=trainer.accumulate_grad_batches,
            world_size=group.world_size,
        )
    runtime = FabricRuntime(
        trainer.num_gpus,
        precision=trainer.precision,
        deterministic=trainer.deterministic,
        strict=trainer.strict_deterministic,
        group=group,
        strategy=trainer.strategy,
    )
    if trainer.compile:
        require_compiler(runtime.device)
    torch.autograd.set_detect_anomaly(trainer.detect_anomaly)
    torch.backends.cudnn.benchmark = trainer.benchmark
    seed_everything(trainer.seed)
    cadence = cadence_of(profile, stage=stage)
    data, recipe = _build(profile, store, runtime, cadence)
    return Prepared(
        profile=profile,
        store=store,
        data=data,
        recipe=recipe,
        runtime=runtime,
        cadence=cadence,
        crew=ALONE if group is None else group,
    )


def _build(
    profile: Profile, store: AudioSource, runtime: FabricRuntime, cadence: Cadence
) -> tuple[Data, Recipe]:
    if isinstance(profile, LosslessProfile):
        assert isinstance(store, TokenStream), store
        data = build_lossless_data(profile, store)
    else:
        refuse_more_capsules(profile, store)
        data = build_data(profile, store)
    updates = cadence.updates_per_epoch

    def build(of_stage: Profile, task: Task) -> Recipe:
        if isinstance(of_stage, LosslessProfile):
            return build_lossless_recipe(
                of_stage, runtime=runtime, updates_per_epoch=updates, task=task
            )
        return build_recipe(of_stage, runtime=runtime, updates_per_epoch=updates, task=task)

    if not cadence.stages:
        return data, build(profile, WHOLE)
    first = cadence.stage(cadence.first_step)
    assert first is not None
    return data, staged_recipe(profile, cadence.stages, build, first=first.number)


def cadence_of(profile: Profile, *, stage: str = "") -> Cadence:
    """Steps at which things happen.

    Args:
        profile: What to train.
        stage: Name of the stage that the training starts in; empty: the first one.
    """
    trainer = profile.trainer
    updates = updates_of(profile)
    stages = plan(lengths_of(profile))
    start = stage_named(stages, stage)
    assert start is not None or not stage, stage
    quick = trainer.fast_dev_run
    begins = start.first_step if start else 0
    return Cadence(
        max_steps=min(end_of(profile), begins + 1) if quick else end_of(profile),
        updates_per_epoch=updates,
        log_every_steps=trainer.log_every_n_steps,
        validate_every_steps=(
            trainer.check_val_every_n_epoch * updates,
            period(updates, trainer.val_every_n_steps),
        ),
        save_every_steps=(
            trainer.save_every_n_epochs * updates,
            trainer.save_every_n_steps,
            trainer.keep_every_n_steps,
        ),
        save_every_seconds=60.0 * trainer.save_every_minutes,
        preview_every_steps=trainer.previews.every,
        preview_at_steps=trainer.previews.at_steps,
        stages=stages,
        first_step=begins,
        max_seconds=seconds_of(trainer.max_time) or math.inf,
        sanity_batches=trainer.num_sanity_val_steps,
    )


def tracker_settings(profile: Profile, *, default: str) -> TrackerSettings:
    """Which mirrors to start; `default` names the run where the profile does not."""
    wandb, logger = profile.trainer.wandb, profile.trainer.logger
    if profile.trainer.fast_dev_run:
        logger = "jsonl"
    return TrackerSettings(
        mode=wandb.mode if logger in WANDB and wandb.use_wandb else DISABLED,
        project=wandb.project,
        name=tracker_name(profile) or default,
        tensorboard=logger in TENSORBOARD,
    )
