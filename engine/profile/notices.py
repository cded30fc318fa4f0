"""What a user should know of a valid profile."""

from __future__ import annotations

from collections.abc import Iterator

from codecctl.engine.profile.checks import kbps_per_stage
from codecctl.engine.profile.checks_spectral import spectral_notices
from codecctl.engine.profile.schema import Profile
from codecctl.engine.profile.schema_model import Staged
from codecctl.engine.profile.schema_schedules import Exponential, Inverse, Scheduler
from codecctl.engine.profile.staged import end_of, lengths_of

_EARLY = 1000
"""Steps within which a rate should not vanish."""
_VANISHED = 0.01
"""Factor on the learning rate below which next to nothing is learned."""


def notices(profile: Profile) -> Iterator[str]:
    """What a user should know of a valid profile."""
    if isinstance(profile.model.quantizer, Staged):
        yield from _unreachable_bandwidths(profile, profile.model.quantizer)
    yield from unreached_stages(profile)
    trainer = profile.trainer
    yield from spectral_notices(profile.model, trainer)
    yield from _measured_at_another_rate(profile)
    for name, scheduler in (
        ("scheduler", trainer.scheduler),
        ("discriminator.scheduler", trainer.discriminator.scheduler),
    ):
        left = _left_early(scheduler)
        if left < _VANISHED:
            yield (
                f"trainer.{name}: {left:.2g} of the learning rate is left after {_EARLY} steps; "
                f"trainer.{name}.interval=epoch decays by epochs instead"
            )


def unreached_stages(profile: Profile) -> Iterator[str]:
    """Stages that the end of the training comes before."""
    end, first = end_of(profile), 0
    missed = []
    for name, steps in lengths_of(profile):
        if first >= end:
            missed.append(name)
        first += steps
    if missed:
        yield (
            f"trainer.stages: {', '.join(missed)} never begins: max_steps or max_epochs ends the "
            f"training at step {end} of {first}"
        )


def _measured_at_another_rate(profile: Profile) -> Iterator[str]:
    measures, rate = profile.trainer.eval_loss_config, profile.data.rate
    if "stft" in measures.terms and measures.stft.sample_rate != rate:
        yield (
            f"trainer.eval_loss_config.stft.sample_rate: audio is resampled from data.rate={rate} "
            f"to {measures.stft.sample_rate} Hz to be measured; figures of runs with other rates "
            "do not compare"
        )


def _unreachable_bandwidths(profile: Profile, quantizer: Staged) -> Iterator[str]:
    each = kbps_per_stage(
        quantizer, rate=profile.data.rate, strides=profile.model.generator.strides
    )
    full = each * quantizer.num_codebooks
    beyond = [f"{rate:g}" for rate in quantizer.bandwidths if rate > full * (1 + 1e-9)]
    if beyond:
        yield (
            f"model.quantizer.bandwidths: {', '.join(beyond)} kb/s are above the {full:g} kb/s of "
            f"all {quantizer.num_codebooks} codebooks and use these"
        )


def _left_early(scheduler: Scheduler) -> float:
    """Factor on the learning rate after `_EARLY` steps, where k counts steps; else 1."""
    if not scheduler.enabled or scheduler.interval == "epoch":
        return 1.0
    if isinstance(scheduler, Inverse):
        return float((1 + _EARLY / scheduler.config.inv_gamma) ** -scheduler.config.power)
    if isinstance(scheduler, Exponential):
        return float(scheduler.config.gamma**_EARLY)
    return 1.0
