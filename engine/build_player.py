"""What moves the weights of one side, from its part of a profile."""

from __future__ import annotations

import torch
from torch import nn

from codecctl.engine.optimizers import build_optimizer
from codecctl.engine.plateau import Plateau
from codecctl.engine.profile.schema_lossless import LosslessTrainer
from codecctl.engine.profile.schema_optimizers import Optimizer
from codecctl.engine.profile.schema_schedules import ReduceOnPlateau, Scheduler
from codecctl.engine.profile.schema_trainer import Trainer
from codecctl.engine.recipes.base import Runtime
from codecctl.engine.schedules import Schedule, ScheduleConfig, schedule
from codecctl.engine.task import WHOLE, Span


def optimizer_of(
    settings: Optimizer, network: nn.Module, runtime: Runtime
) -> torch.optim.Optimizer:
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


def schedule_of(
    trainer: Trainer | LosslessTrainer,
    settings: Scheduler,
    updates_per_epoch: int,
    *,
    rate: float,
    span: Span = WHOLE.generator,
) -> Schedule:
    """Factor on a learning rate, by step.

    Args:
        trainer: Says how long a schedule over everything is.
        settings: The schedule.
        updates_per_epoch: Steps.
        rate: That the factor is of.
        span: Steps that it is over.
    """
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
