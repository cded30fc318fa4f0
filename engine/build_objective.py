"""What an estimate is compared by, in training and in validation."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from codecctl.engine.balancer import Balancer
from codecctl.engine.build_generator import build_emission_losses, build_wave_view
from codecctl.engine.losses import LOSSES, WaveLoss
from codecctl.engine.metrics import EVAL_LOSSES, METRICS, WaveMetric
from codecctl.engine.networks import Autoencoder
from codecctl.engine.profile import Profile
from codecctl.engine.recipes.base import Runtime, mean_over_ranks
from codecctl.engine.recipes.objective import Objective


def build_objective(
    profile: Profile, weights: Mapping[str, float], autoencoder: Autoencoder, runtime: Runtime
) -> Objective:
    """Terms at the decoder's output and their balance.

    Args:
        profile: Where they are configured.
        weights: Of the terms at the decoder's output that have one; the others are not built.
        autoencoder: Whose output it is.
        runtime: Where their buffers live.
    """
    groups = profile.trainer.loss_config
    losses = {}
    for group in (groups.reconstruction, groups.spectral):
        for name, term in group:
            if name in LOSSES and name in weights:
                loss = LOSSES[name](sample_rate=profile.data.rate, **term.config.model_dump())
                losses[name] = _placed(loss, runtime)
    settings = profile.trainer.balancer
    balancer = None
    covered = [name for name in settings.covers if name in weights]
    if settings.enabled and covered:
        balancer = Balancer(
            {name: weights[name] for name in covered},
            covered,
            total_norm=settings.total_norm,
            decay=settings.decay,
            epsilon=settings.epsilon,
            device=runtime.device,
            over_ranks=lambda sizes: mean_over_ranks(sizes, runtime),
        )
    return Objective(
        losses,
        weights,
        balancer=balancer,
        emission_losses=build_emission_losses(groups.spectral, autoencoder),
        wave_view=build_wave_view(groups.spectral, autoencoder),
    )


def build_metrics(profile: Profile, runtime: Runtime) -> dict[str, WaveMetric]:
    """What validation measures of every item: the same for all profiles, then the profile's own."""
    rate, settings = profile.data.rate, profile.trainer.eval_loss_config
    metrics = {name: _placed(metric(rate), runtime) for name, metric in METRICS.items()}
    for name in settings.terms:
        config = getattr(settings, name).model_dump()
        metrics[f"eval/{name}"] = _placed(EVAL_LOSSES[name](rate=rate, **config), runtime)
    return metrics


def _placed(measure: WaveLoss, runtime: Runtime) -> WaveLoss:
    """A loss or metric with its buffers on the device."""
    return measure.to(runtime.device) if isinstance(measure, nn.Module) else measure
