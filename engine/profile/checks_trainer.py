"""What types and bounds cannot say of `trainer.`."""

from __future__ import annotations

from collections.abc import Iterator

from codecctl.engine.profile.checks_losses import check_losses
from codecctl.engine.profile.findings import Finding, disagreement
from codecctl.engine.profile.schema_conduct import Conduct, seconds_of
from codecctl.engine.profile.schema_optimizers import Optimizer, Sgd
from codecctl.engine.profile.schema_schedules import WarmupCosine
from codecctl.engine.profile.schema_trainer import Trainer


def check_trainer(trainer: Trainer) -> Iterator[Finding]:
    """Keys of `trainer.` that contradict each other."""
    for name, scheduler in (
        ("scheduler", trainer.scheduler),
        ("discriminator.scheduler", trainer.discriminator.scheduler),
    ):
        if not isinstance(scheduler, WarmupCosine) or not scheduler.enabled:
            continue
        warmup = scheduler.config.warmup_epochs
        if warmup >= trainer.max_epochs:
            yield disagreement(
                f"trainer.{name}.config.warmup_epochs",
                f"found {warmup}, allowed: below trainer.max_epochs = {trainer.max_epochs}",
                "trainer.max_epochs",
            )
    yield from check_momentum("optimizer", trainer.optimizer)
    yield from check_momentum("discriminator.optimizer", trainer.discriminator.optimizer)
    several = trainer.num_nodes > 1 or trainer.num_gpus not in ("auto", 0, 1)
    if several and trainer.on_out_of_memory == "halve":
        yield disagreement(
            "trainer.on_out_of_memory",
            "found 'halve', allowed with several processes: 'stop'; one of them cannot repeat a "
            "step without the others",
            "trainer.num_gpus",
            "trainer.num_nodes",
        )
    yield from _check_balancer(trainer)
    yield from check_losses(trainer)
    if trainer.array_measures.items == 1:
        yield disagreement(
            "trainer.array_measures.items",
            "found 1, allowed: 0 or at least 2: a probe is fitted on one and tested on another",
        )
    yield from check_conduct(trainer)


def check_momentum(name: str, optimizer: Optimizer | None) -> Iterator[Finding]:
    """What torch refuses of SGD; `name` is the key of the optimizer below `trainer.`."""
    if not isinstance(optimizer, Sgd) or not optimizer.config.nesterov:
        return
    momentum, dampening = optimizer.config.momentum or 0.0, optimizer.config.dampening or 0.0
    if momentum == 0 or dampening:
        yield disagreement(
            f"trainer.{name}.config.nesterov",
            f"found true with momentum {momentum:g} and dampening {dampening:g}, allowed: with "
            "momentum above 0 and dampening 0",
            f"trainer.{name}.config.momentum",
            f"trainer.{name}.config.dampening",
        )


def check_conduct(trainer: Conduct) -> Iterator[Finding]:
    """Keys that all trainers have."""
    try:
        seconds_of(trainer.max_time)
    except ValueError:
        yield disagreement(
            "trainer.max_time",
            f"found '{trainer.max_time}', allowed: DD:HH:MM:SS or HH:MM:SS, such as 00:08:00:00",
        )
    if ".." in trainer.profiler_dir.split("/") or trainer.profiler_dir.startswith("~"):
        yield disagreement(
            "trainer.profiler_dir",
            f"found '{trainer.profiler_dir}', allowed: a folder below the run directory, or an "
            "absolute path",
        )


def _check_balancer(trainer: Trainer) -> Iterator[Finding]:
    covers = trainer.balancer.covers
    if len(set(covers)) != len(covers):
        yield disagreement("trainer.balancer.covers", f"found {list(covers)}, allowed: each once")
    losses = trainer.loss_config
    groups = (losses.reconstruction, losses.spectral, losses.adversarial)
    weights = {
        name: weight for group in groups for name, weight in group.weights.model_dump().items()
    }
    if trainer.balancer.enabled and not sum(weights[term] for term in covers):
        yield disagreement(
            "trainer.balancer.covers",
            f"found {list(covers)} without any weight, needed: a term with a weight above 0, "
            "or trainer.balancer.enabled = false",
        )
