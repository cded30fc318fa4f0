"""What moves the weights of one side, from its part of a profile."""

from __future__ import annotations

import torch
from torch import nn

from codecctl.engine.optimizers import build_optimizer
from codecctl.engine.plateau import Plateau
from codecctl.engine.profile.schema_lossless import LosslessTrainer
from codecctl.engine.profile.schema_optimizers import Optimizer
from codecctl.engine.profile.schema_schedules import ReduceOnPlateau, Scheduler
from codecctl.engine.profile.schema_trainer import Adversary, Trainer
from codecctl.engine.recipes.base import Runtime
from codecctl.engine.recipes.player import Player
from codecctl.engine.schedules import Schedule, ScheduleConfig, schedule
from codecctl.engine.task import Span


def build_player(
    network: nn.Module,
    side: Trainer | LosslessTrainer | Adversary,
    *,
    trainer: Trainer | LosslessTrainer,
    runtime: Runtime,
    updates_per_epoch: int,
    span: Span,
) -> Player:
    """A network with the optimizer, schedule and clipping that a profile gives one side.

    Args:
        network: As built, on the CPU; it is moved to the runtime's device.
        side: The part of the profile: the trainer itself, or its discriminator.
        trainer: What both sides share.
        runtime: Runs it.
        updates_per_epoch: Steps.
        span: Steps that the schedule is over.
    """
    return Player(
        network,
        _optimizer(side.optimizer, network, runtime),
        schedule=_schedule(
            trainer,
            side.scheduler,
            updates_per_epoch,
            rate=side.optimizer.config.lr,
            span=span,
        ),
        max_norm=side.gradient_clip_val,
        by_value=trainer.gradient_clip_algorithm == "value",
        runtime=runtime,
    )


def _optimizer(settings: Optimizer, network: nn.Module, runtime: Runtime) -> torch.optim.Optimizer:
    """The optimizer of a network's weights; on a GPU in its fused form, which can skip an update.

    That form needs no answer from the device to leave an update out (`recipes.player`). It takes
    no weights in parts.
    """
    return build_optimizer(
        settings.type,
        network.parameters(),
        settings.config.model_dump(),
        fused=runtime.device.type == "cuda" and not runtime.sharded,
    )


def _schedule(
    trainer: Trainer | LosslessTrainer,
    settings: Scheduler,
    updates_per_epoch: int,
    *,
    rate: float,
    span: Span,
) -> Schedule:
    """Factor on a learning rate, by step of the span; the trainer says how long everything is."""
    if isinstance(settings, ReduceOnPlateau) and settings.enabled:
        values = settings.config
        return Plateau(
            decay=values.factor,
            patience=values.patience,
            threshold=values.threshold,
            cooldown=values.cooldown,
            least=values.least,
        )
    epochs = trainer.max_epochs if span.steps is None else span.steps / updates_per_epoch
    found = schedule(
        settings.type if settings.enabled else "Constant",
        ScheduleConfig(
            updates_per_epoch=updates_per_epoch,
            max_epochs=epochs,
            by_epoch=settings.interval == "epoch",
            rate=rate,
            **({} if isinstance(settings, ReduceOnPlateau) else settings.config.model_dump()),
        ),
    )
    return found if not span.since else lambda step: found(step - span.since)
