"""Keys of the lossless mode that have to agree with each other."""

from __future__ import annotations

from collections.abc import Iterator

from codecctl.engine.profile.checks_epoch import check_epoch
from codecctl.engine.profile.checks_stages import check_stage_names
from codecctl.engine.profile.checks_strategy import check_strategy
from codecctl.engine.profile.checks_trainer import check_conduct, check_momentum
from codecctl.engine.profile.findings import Finding
from codecctl.engine.profile.schema import LosslessProfile
from codecctl.engine.profile.schema_lossless import LosslessData, LosslessModel, LosslessTrainer
from codecctl.engine.profile.schema_schedules import WarmupCosine

LARGEST_FULL_HEAD = 16
"""Bits of a symbol up to which one distribution over all of them can be computed."""


def check_lossless(
    data: LosslessData | None, model: LosslessModel | None, trainer: LosslessTrainer | None
) -> Iterator[Finding]:
    """What the sections do wrong, each and together; None: a section cannot be judged."""
    if data:
        yield from _check_data(data)
    if model and model.num_heads > model.embedding_dim:
        yield _finding(
            "model.num_heads",
            f"found {model.num_heads}, allowed: at most model.embedding_dim = "
            f"{model.embedding_dim}",
            "model.embedding_dim",
        )
    if trainer:
        yield from _check_trainer(trainer)
        yield from check_stage_names(trainer)
        yield from check_strategy(None, trainer)
        yield from check_conduct(trainer)
    if data and model and model.head == "full" and data.bit_depth > LARGEST_FULL_HEAD:
        yield _finding(
            "model.head",
            f"found 'full', allowed with data.bit_depth = {data.bit_depth}: 'factorised'",
            "data.bit_depth",
        )
    if data and trainer:
        yield from check_epoch(data, trainer)


def _check_data(data: LosslessData) -> Iterator[Finding]:
    if data.bit_depth == 16 and data.chunk_size % 2:
        yield _finding(
            "data.chunk_size",
            f"found {data.chunk_size}, allowed with data.bit_depth = 16: an even number",
            "data.bit_depth",
        )
    if data.quantisation == "mulaw" and data.bit_depth != 8:
        yield _finding(
            "data.quantisation",
            f"found 'mulaw', allowed with data.bit_depth = {data.bit_depth}: 'linear'",
            "data.bit_depth",
        )
    if data.audio_dir and data.split:
        yield _finding(
            "data.split",
            f"found '{data.split}', allowed with data.audio_dir: ''; splits belong to stores",
            "data.audio_dir",
        )


def _check_trainer(trainer: LosslessTrainer) -> Iterator[Finding]:
    yield from check_momentum("optimizer", trainer.optimizer)
    scheduler = trainer.scheduler
    if isinstance(scheduler, WarmupCosine) and scheduler.enabled:
        warmup = scheduler.config.warmup_epochs
        if warmup >= trainer.max_epochs:
            yield _finding(
                "trainer.scheduler.config.warmup_epochs",
                f"found {warmup}, allowed: below trainer.max_epochs = {trainer.max_epochs}",
                "trainer.max_epochs",
            )


def notices_lossless(profile: LosslessProfile) -> Iterator[str]:
    """What a user should know of a valid profile."""
    data = profile.data
    if data.layout == "blocked" and 2 * data.stereo_blocking_n < data.chunk_size:
        yield (
            f"data.stereo_blocking_n: {data.stereo_blocking_n} is too small for chunks of "
            f"{data.chunk_size}: chunks will not contain complete L/R block pairs"
        )
    if data.layout == "mono":
        yield (
            "data.channel_mode: channels are mixed down to their mean, for training studies only: "
            "no decoder gets them back; channel_mode=blocked or one is lossless"
        )
    if data.quantisation == "mulaw":
        yield "data.quantisation: mulaw rounds every sample to 8 bits: the audio is not lossless"


def _finding(key: str, what: str, *related: str) -> Finding:
    return Finding(
        tuple(key.split(".")), what, related=tuple(tuple(other.split(".")) for other in related)
    )
