"""What types and bounds cannot say: keys that have to agree with each other."""

from __future__ import annotations

import math
from collections.abc import Iterator

from codecctl.engine.profile.checks_epoch import check_epoch
from codecctl.engine.profile.checks_losses import longest_window, terms_in_use
from codecctl.engine.profile.checks_spectral import check_spectral, check_spectral_terms
from codecctl.engine.profile.findings import Finding, disagreement
from codecctl.engine.profile.schema import MODES
from codecctl.engine.profile.schema_data import Data
from codecctl.engine.profile.schema_model import (
    MultiScaleStftDiscriminator,
    ResidualStftDiscriminator,
    SeanetGenerator,
    Staged,
    WaveformDiscriminator,
)
from codecctl.engine.profile.schema_spectral import CodecModel, SpectralModel
from codecctl.engine.profile.schema_trainer import Trainer


def check_data(data: Data) -> Iterator[Finding]:
    """Keys of `data.` that contradict each other."""
    owner: dict[str, str] = {}
    for name, scenes in (
        ("train_scenes", data.train_scenes),
        ("val_scenes", data.val_scenes),
        ("test_scenes", data.test_scenes),
    ):
        for scene in scenes:
            first = owner.setdefault(scene.lower(), name)
            if first != name:
                yield disagreement(
                    f"data.{name}",
                    f"'{scene}' is in {first} as well; keep one",
                    f"data.{first}",
                )
    if data.capsules.policy == "random_one" and data.capsules.count != 1:
        yield disagreement(
            "data.capsules.count",
            f"found {data.capsules.count}, allowed with policy 'random_one': 1",
            "data.capsules.policy",
        )


def check_model(model: CodecModel) -> Iterator[Finding]:
    """Keys of `model.` that contradict each other."""
    generator = model.generator
    if isinstance(generator, SeanetGenerator):
        yield from _check_seanet(generator)
    if isinstance(model, SpectralModel):
        yield from check_spectral(model)
    for index, discriminator in enumerate(model.discriminators):
        if isinstance(discriminator, MultiScaleStftDiscriminator):
            yield from _check_scales(discriminator, f"model.discriminators.{index}")
        if isinstance(discriminator, ResidualStftDiscriminator) and discriminator.num_filters % 8:
            # Gradients of narrower layers crash in the library that torch uses on CPUs.
            yield disagreement(
                f"model.discriminators.{index}.num_filters",
                f"found {discriminator.num_filters}, allowed: a multiple of 8",
            )
        if isinstance(discriminator, WaveformDiscriminator):
            yield from _check_widths(discriminator, f"model.discriminators.{index}")
        if discriminator.channels == "pairs" and generator.channels < 2:
            yield disagreement(
                f"model.discriminators.{index}.channels",
                "found 'pairs', allowed with model.generator.channels = 1: 'all'",
                "model.generator.channels",
            )
    if model.gain_db and model.normalize != "gain":
        yield disagreement(
            "model.gain_db",
            f"found {model.gain_db:g}, allowed with normalize = '{model.normalize}': 0",
            "model.normalize",
        )
    if isinstance(model.quantizer, Staged):
        yield from _check_stages(model.quantizer, latent_dim=model.generator.latent_dim)


def _check_seanet(generator: SeanetGenerator) -> Iterator[Finding]:
    needed = 1.0 if generator.causal else 0.5
    if generator.trim_right_ratio != needed:
        causal = str(generator.causal).lower()
        yield disagreement(
            "model.generator.trim_right_ratio",
            f"found {generator.trim_right_ratio}, allowed with causal = {causal}: {needed}",
            "model.generator.causal",
        )
    if generator.compress > generator.num_filters:
        yield disagreement(
            "model.generator.compress",
            f"found {generator.compress}, allowed: at most num_filters = {generator.num_filters}",
            "model.generator.num_filters",
        )


def _check_stages(quantizer: Staged, *, latent_dim: int) -> Iterator[Finding]:
    rates = quantizer.bandwidths
    if list(rates) != sorted(set(rates)):
        yield disagreement("model.quantizer.bandwidths", f"found {list(rates)}, allowed: rising")
    if latent_dim % quantizer.groups:
        yield disagreement(
            "model.quantizer.groups",
            f"found {quantizer.groups}, allowed: a divisor of latent_dim = {latent_dim}",
            "model.generator.latent_dim",
        )


def _check_scales(discriminator: MultiScaleStftDiscriminator, key: str) -> Iterator[Finding]:
    scales = len(discriminator.n_ffts)
    for name, lengths in (
        ("hop_lengths", discriminator.hop_lengths),
        ("win_lengths", discriminator.win_lengths),
    ):
        if len(lengths) != scales:
            yield disagreement(
                f"{key}.{name}",
                f"found {len(lengths)} entries, needed {scales}: one for each of n_ffts",
                f"{key}.n_ffts",
            )
    for n_fft, window in zip(discriminator.n_ffts, discriminator.win_lengths, strict=False):
        if window > n_fft:
            yield disagreement(
                f"{key}.win_lengths",
                f"found {window}, allowed: at most its n_fft {n_fft}",
                f"{key}.n_ffts",
            )


def _check_widths(discriminator: WaveformDiscriminator, key: str) -> Iterator[Finding]:
    """Each strided layer works on groups of four channels of the one before."""
    width, most = discriminator.num_filters, discriminator.max_filters
    for _ in range(4):
        before, width = width, min(4 * width, most)
        groups = max(1, before // 4)
        if before % groups or width % groups:
            yield disagreement(
                f"{key}.num_filters",
                f"found {discriminator.num_filters} with max_filters {most}, of which a layer from "
                f"{before} to {width} has no groups of four; allowed: a multiple of 4, with "
                "max_filters 4, 16, 64, ... times as large",
                f"{key}.max_filters",
            )
            return


def check_together(
    data: Data | None, model: CodecModel | None, trainer: Trainer | None
) -> Iterator[Finding]:
    """Keys of different groups that contradict each other; None: a group cannot be judged."""
    if data and model:
        yield from _check_bandwidths(data, model)
    if data and trainer:
        yield from check_epoch(data, trainer)
    if model and trainer:
        yield from _check_terms(model, trainer)
        yield from check_spectral_terms(model, trainer)
    if data and model and trainer:
        yield from _check_segment(data, model, trainer)


def _check_bandwidths(data: Data, model: CodecModel) -> Iterator[Finding]:
    quantizer = model.quantizer
    if not isinstance(quantizer, Staged):
        return
    lowest = kbps_per_stage(quantizer, rate=data.rate, strides=model.generator.strides)
    if quantizer.bandwidths[0] < lowest * (1 - 1e-9):
        yield disagreement(
            "model.quantizer.bandwidths",
            f"found {quantizer.bandwidths[0]:g} kb/s, allowed: at least the {lowest:g} kb/s "
            f"of one {'codebook' if quantizer.groups == 1 else 'stage'}",
            "model.quantizer.codebook_size",
            "model.quantizer.groups",
            "model.generator.strides",
            "data.rate",
        )


def _check_terms(model: CodecModel, trainer: Trainer) -> Iterator[Finding]:
    losses, quantizer = trainer.loss_config, model.quantizer
    stages = quantizer.num_codebooks * quantizer.groups if isinstance(quantizer, Staged) else 0
    used = terms_in_use(trainer)
    for name, stage in (
        ("similarity", losses.pairwise.similarity.config.stage),
        ("diversity", losses.pairwise.diversity.config.stage),
        ("classifier", losses.pairwise.classifier.config.stage),
    ):
        if ("pairwise", name) in used and stage >= stages:
            yield disagreement(
                f"trainer.loss_config.pairwise.{name}.config.stage",
                f"found {stage}, allowed: below model.quantizer.num_codebooks = {stages}",
                "model.quantizer.num_codebooks",
            )
    weights = losses.adversarial.weights
    if not model.discriminators and (weights.generator or weights.feature):
        yield disagreement(
            "model.discriminators",
            "found none, needed: one, or weights 0 in trainer.loss_config.adversarial",
        )


def _check_segment(data: Data, model: CodecModel, trainer: Trainer) -> Iterator[Finding]:
    samples = round(data.segment_seconds * data.rate)
    longest = longest_window(trainer, data.rate)
    for discriminator in model.discriminators:
        longest = max(longest, discriminator.shortest_samples)
    if samples < longest:
        yield disagreement(
            "data.segment_seconds",
            f"found {data.segment_seconds} ({samples} samples), allowed: at least "
            f"{longest / data.rate:.4g}, the longest window of losses, measures and discriminators",
            "data.rate",
            "trainer.loss_config.reconstruction.mel.config.scales",
            "trainer.eval_loss_config.terms",
        )


def check_mode(
    mode: str, data: Data | None, model: CodecModel | None, trainer: Trainer | None
) -> Iterator[Finding]:
    """What the mode demands of the data, the networks and the terms."""
    facts = MODES[mode]
    if trainer and facts.least_capsules < 2:
        used = terms_in_use(trainer)
        for name, weight in trainer.loss_config.pairwise.weights:
            if ("pairwise", name) in used:
                yield disagreement(
                    f"trainer.loss_config.pairwise.weights.{name}",
                    f"found {f'{weight:g}' if weight else 'a weight in trainer.stages'}, allowed "
                    f"in mode '{mode}': 0",
                )
    if data:
        yield from _check_capsules(mode, data)
    if model and not facts.together and model.generator.channels != 1:
        yield disagreement(
            "model.generator.channels",
            f"found {model.generator.channels}, allowed in mode '{mode}': 1",
        )
    if model and data and facts.together and model.generator.channels != data.capsules.count:
        yield disagreement(
            "model.generator.channels",
            f"found {model.generator.channels}, allowed in mode '{mode}': data.capsules.count = "
            f"{data.capsules.count}",
            "data.capsules.count",
        )


def _check_capsules(mode: str, data: Data) -> Iterator[Finding]:
    facts, count = MODES[mode], data.capsules.count
    if count < facts.least_capsules or count > (facts.most_capsules or count):
        most = facts.most_capsules
        bound = f"{most}" if most == facts.least_capsules else f"at least {facts.least_capsules}"
        yield disagreement(
            "data.capsules.count", f"found {count}, allowed in mode '{mode}': {bound}"
        )
    if data.capsules.policy not in facts.policies:
        allowed = " or ".join(f"'{policy}'" for policy in facts.policies)
        yield disagreement(
            "data.capsules.policy",
            f"found '{data.capsules.policy}', allowed in mode '{mode}': {allowed}",
        )
    if data.capsules.geometry != "any" and (count < 2 or data.capsules.policy != "random_distinct"):
        yield disagreement(
            "data.capsules.geometry",
            f"found '{data.capsules.geometry}', allowed with policy '{data.capsules.policy}' and "
            f"count {count}: 'any'",
            "data.capsules.policy",
            "data.capsules.count",
        )


def kbps_per_stage(quantizer: Staged, *, rate: int, strides: tuple[int, ...]) -> float:
    """Bitrate of one stage, in kb/s: bits of its indices times frames per second."""
    bits = quantizer.groups * math.log2(quantizer.codebook_size)
    return bits * rate / math.prod(strides) / 1000
