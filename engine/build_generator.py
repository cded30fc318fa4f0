"""The autoencoder of a profile, and what stands between its halves."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from codecctl.engine.build_quantizer import build_quantizer
from codecctl.engine.losses import WaveLoss
from codecctl.engine.losses.stft_mse import StftDistance
from codecctl.engine.networks import GENERATORS
from codecctl.engine.networks.autoencoder import Autoencoder
from codecctl.engine.networks.pre_transforms import LogMag, NoTransform, PowerNorm, PreTransform
from codecctl.engine.networks.spectral_front import SpectralFront
from codecctl.engine.profile import schema_spectral as schema
from codecctl.engine.profile.schema_losses_spectral import SpectralLosses
from codecctl.engine.quantizers import Passthrough, Quantizer


def draws_latents(model: schema.CodecModel) -> bool:
    """Whether the encoder gives distributions that training draws from."""
    return isinstance(model, schema.SpectralModel) and isinstance(
        model.bottleneck, schema.VAEBottleneck
    )


def build_autoencoder(model: schema.CodecModel) -> Autoencoder:
    """Encoder and decoder, their weights drawn from torch's default random generator."""
    values = model.generator.model_dump(exclude={"type"})
    if isinstance(model, schema.SpectralModel):
        values["latent_scale"] = 2 if draws_latents(model) else 1
        if not isinstance(model.generator, schema.OobleckGenerator):
            values["transform"] = _transform(model)
            values["chunk_frames"] = model.spectral_chunk_frames
    return GENERATORS[model.generator.type](**values).build()


def build_bottleneck(model: schema.CodecModel, *, dim: int) -> Quantizer:
    """What stands between the halves, for a latent of width `dim`."""
    if isinstance(model, schema.SpectralModel):
        return Passthrough(dim=dim, drawn=draws_latents(model))
    return build_quantizer(model.quantizer, dim=dim)


def build_emission_losses(losses: SpectralLosses, autoencoder: Autoencoder) -> dict[str, WaveLoss]:
    """Terms on what the decoder emits that have a weight, by name."""
    front = autoencoder.front
    if not isinstance(front, SpectralFront) or not losses.weights.stft_mse:
        return {}
    config = losses.stft_mse.config
    inverse = front.transform.inverse if config.domain == "linear" else None
    return {"stft_mse": StftDistance(p=config.p, summed=config.reduction == "sum", inverse=inverse)}


def build_wave_view(
    losses: SpectralLosses, autoencoder: Autoencoder
) -> Callable[[Tensor, int], Tensor] | None:
    """What waves are rendered with for the terms that compare them; None: as they are heard."""
    front = autoencoder.front
    if not isinstance(front, SpectralFront) or not losses.apply_pre_transform_to_wave_losses:
        return None
    return front.synthesize_transformed


def _transform(model: schema.SpectralModel) -> PreTransform:
    settings = model.pre_transform
    if isinstance(settings, schema.PowerNorm):
        return PowerNorm(alpha=settings.alpha, beta=settings.beta)
    if isinstance(settings, schema.LogMag):
        return LogMag(alpha=settings.alpha)
    return NoTransform()
