"""What types and bounds cannot say of the spectral family."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from codecctl.engine.profile.findings import Finding, disagreement
from codecctl.engine.profile.schema_spectral import (
    CodecModel,
    ComplexGenerator,
    NoTransform,
    OobleckGenerator,
    SpectralGenerator,
    SpectralModel,
    VAEBottleneck,
)
from codecctl.engine.profile.schema_trainer import Trainer

_LIKELY_COLLAPSE = 0.1
"""Weight of the divergence from which latents are likely to carry nothing."""


def check_spectral(model: SpectralModel) -> Iterator[Finding]:
    """Keys of `model.` that contradict each other."""
    generator = model.generator
    if not isinstance(generator, OobleckGenerator):
        yield from _check_spectrogram(generator)
        yield from _check_sequence(generator)
        return
    if len(generator.multipliers) != len(generator.strides):
        yield disagreement(
            "model.generator.multipliers",
            f"found {len(generator.multipliers)} entries, needed {len(generator.strides)}: one for "
            "each of strides",
            "model.generator.strides",
        )
    if not isinstance(model.pre_transform, NoTransform):
        yield disagreement(
            "model.pre_transform.type",
            f"found '{model.pre_transform.type}', allowed with generator type 'oobleck': 'none'",
            "model.generator.type",
        )
    if model.spectral_chunk_frames:
        yield disagreement(
            "model.spectral_chunk_frames",
            f"found {model.spectral_chunk_frames}, allowed with generator type 'oobleck': 0",
            "model.generator.type",
        )


def _check_spectrogram(generator: SpectralGenerator | ComplexGenerator) -> Iterator[Finding]:
    if generator.n_fft % 2:
        yield disagreement(
            "model.generator.n_fft", f"found {generator.n_fft}, allowed: an even number"
        )
    if generator.win_length > generator.n_fft:
        yield disagreement(
            "model.generator.win_length",
            f"found {generator.win_length}, allowed: at most n_fft = {generator.n_fft}",
            "model.generator.n_fft",
        )
    if 2 * generator.hop_length > generator.win_length:
        yield disagreement(
            "model.generator.hop_length",
            f"found {generator.hop_length}, allowed: at most half of win_length = "
            f"{generator.win_length}, or frames do not overlap",
            "model.generator.win_length",
        )
    bins, factor = generator.n_fft // 2 + 1, prod(ratio for ratio, _ in generator.ratios)
    if factor > bins:
        yield disagreement(
            "model.generator.ratios",
            f"found {factor} times fewer bins, allowed: at most the {bins} of n_fft = "
            f"{generator.n_fft}",
            "model.generator.n_fft",
        )


def _check_sequence(generator: SpectralGenerator | ComplexGenerator) -> Iterator[Finding]:
    if isinstance(generator, ComplexGenerator) and generator.latent_dim % 2:
        yield disagreement(
            "model.generator.latent_dim",
            f"found {generator.latent_dim}, allowed with type 'seanet_complex': an even number",
            "model.generator.type",
        )
    if generator.seq_model == "transformer" and generator.latent_dim % generator.seq_heads:
        yield disagreement(
            "model.generator.seq_heads",
            f"found {generator.seq_heads}, allowed: a divisor of latent_dim = "
            f"{generator.latent_dim}",
            "model.generator.latent_dim",
        )


def emits_spectrogram(model: CodecModel) -> bool:
    """Whether the decoder's output is a spectrogram."""
    return isinstance(model, SpectralModel) and not isinstance(model.generator, OobleckGenerator)


def check_spectral_terms(model: CodecModel, trainer: Trainer) -> Iterator[Finding]:
    """Terms that need a spectrogram, and those that need a quantizer."""
    losses, weights = trainer.loss_config.spectral, trainer.loss_config.bottleneck.weights
    if isinstance(model, SpectralModel):
        for name, weight in (("commitment", weights.commitment), ("codebook", weights.codebook)):
            if weight:
                yield disagreement(
                    f"trainer.loss_config.bottleneck.weights.{name}",
                    f"found {weight:g}, allowed in mode 'spectral', which has no codebooks: 0",
                )
    if emits_spectrogram(model):
        return
    kind = model.generator.type
    if losses.weights.stft_mse:
        yield disagreement(
            "trainer.loss_config.spectral.weights.stft_mse",
            f"found {losses.weights.stft_mse:g}, allowed with generator type '{kind}', which emits "
            "audio: 0",
            "model.generator.type",
        )
    if losses.apply_pre_transform_to_wave_losses:
        yield disagreement(
            "trainer.loss_config.spectral.apply_pre_transform_to_wave_losses",
            f"found true, allowed with generator type '{kind}', which has no pre-transform: false",
            "model.generator.type",
        )


def spectral_notices(model: CodecModel, trainer: Trainer) -> Iterator[str]:
    """What a user should know of a valid profile."""
    weight = trainer.loss_config.bottleneck.weights.kl
    drawn = isinstance(model, SpectralModel) and isinstance(model.bottleneck, VAEBottleneck)
    if weight and not drawn:
        yield (
            f"trainer.loss_config.bottleneck.weights.kl: {weight:g} is ignored: there is no VAE "
            "(model.bottleneck.type=vae)"
        )
    yield from _other_spectra(model, trainer)
    if drawn and weight >= _LIKELY_COLLAPSE:
        yield (
            f"trainer.loss_config.bottleneck.weights.kl: {weight:g} is so large that latents often "
            "collapse to noise (latent/active falls to 0); 1e-5 trains"
        )


def _other_spectra(model: CodecModel, trainer: Trainer) -> Iterator[str]:
    """A notice where evaluation looks through other windows than the network."""
    if not isinstance(model, SpectralModel) or isinstance(model.generator, OobleckGenerator):
        return
    theirs, measures = model.generator, trainer.eval_loss_config
    wanted = (theirs.n_fft, theirs.hop_length, theirs.win_length)
    for name in ("stft", "mel"):
        sizes = measures.stft if name == "stft" else measures.mel
        found = (sizes.fft_size, sizes.hop_size, sizes.win_length)
        if name in measures.terms and found != wanted:
            yield (
                f"trainer.eval_loss_config.{name}: fft, hop and window {found} are not those of "
                f"model.generator, {wanted}; figures of runs with other settings do not compare"
            )
