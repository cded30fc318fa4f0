"""What a training in parts does not go with."""

from __future__ import annotations

from collections.abc import Iterator

from codecctl.engine.profile.findings import Finding, disagreement
from codecctl.engine.profile.schema_lossless import LosslessTrainer
from codecctl.engine.profile.schema_model import LearnedQuantizer
from codecctl.engine.profile.schema_spectral import CodecModel
from codecctl.engine.profile.schema_trainer import Trainer

NOT_IN_PARTS = ("Adafactor", "Adagrad", "Rprop")
"""Optimizers whose arithmetic on a part of a weight is not that on the whole, or not in torch."""


def check_strategy(
    model: CodecModel | None, trainer: Trainer | LosslessTrainer
) -> Iterator[Finding]:
    """Keys that `trainer.strategy` fsdp and deepspeed do not go with."""
    if trainer.strategy in ("auto", "ddp"):
        return
    for key, why in (*_reasons(trainer), *_reasons_of_codecs(model, trainer)):
        yield disagreement(
            "trainer.strategy", f"found '{trainer.strategy}', allowed with {why}: 'ddp'", key
        )


def _reasons(trainer: Trainer | LosslessTrainer) -> Iterator[tuple[str, str]]:
    """A key and words for what stands in the way."""
    if trainer.ema.enabled:
        yield "trainer.ema.enabled", "trainer.ema.enabled = true, a second network,"
    if trainer.precision == "16-mixed":
        yield "trainer.precision", "trainer.precision = '16-mixed', which scales losses,"
    if trainer.compile:
        yield "trainer.compile", "trainer.compile = true"
    if trainer.on_out_of_memory == "halve":
        yield "trainer.on_out_of_memory", "trainer.on_out_of_memory = 'halve'"
    if trainer.strategy == "deepspeed" and trainer.stages:
        yield "trainer.stages", "trainer.stages, which may leave weights out,"
    if trainer.optimizer.type in NOT_IN_PARTS:
        yield "trainer.optimizer.type", f"trainer.optimizer.type = '{trainer.optimizer.type}'"


def _reasons_of_codecs(
    model: CodecModel | None, trainer: Trainer | LosslessTrainer
) -> Iterator[tuple[str, str]]:
    if model and model.discriminators:
        yield "model.discriminators", "model.discriminators, which have an optimizer of their own,"
    if model and isinstance(model.quantizer, LearnedQuantizer):
        yield (
            "model.quantizer.type",
            f"model.quantizer.type = '{model.quantizer.type}', whose codebooks are weights,",
        )
    if not isinstance(trainer, Trainer):
        return
    pairwise = trainer.loss_config.pairwise
    if pairwise.weights.classifier:
        yield (
            "trainer.loss_config.pairwise.weights.classifier",
            "the classifier of capsules, which has an optimizer of its own,",
        )
    for name in ("similarity", "diversity"):
        if getattr(pairwise, name).config.weighting == "gradient_share":
            yield (
                f"trainer.loss_config.pairwise.{name}.config.weighting",
                f"pairwise.{name} weighted by gradient_share, which looks into the network,",
            )
