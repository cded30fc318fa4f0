"""What types and bounds cannot say of `trainer.stages`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from codecctl.engine.profile.checks_spectral import emits_spectrogram
from codecctl.engine.profile.checks_trainer import check_momentum
from codecctl.engine.profile.findings import Finding, disagreement
from codecctl.engine.profile.names import did_you_mean
from codecctl.engine.profile.schema_lossless import LosslessTrainer
from codecctl.engine.profile.schema_spectral import CodecModel
from codecctl.engine.profile.schema_stages import Stage
from codecctl.engine.profile.schema_trainer import Trainer
from codecctl.engine.profile.staged import (
    ADVERSARIAL,
    UnknownTermError,
    stage_weights,
    stages_of,
)

_TOTAL = "val/total"


def check_stage_names(trainer: Trainer | LosslessTrainer) -> Iterator[Finding]:
    """Each stage has a name of its own, and an optimizer that torch takes."""
    first: dict[str, int] = {}
    for number, stage in enumerate(stages_of(trainer)):
        before = first.setdefault(stage.name, number)
        if before != number:
            yield disagreement(
                f"trainer.stages.{number}.name",
                f"found '{stage.name}', which stage {before} is called as well; needed: a name of "
                "its own",
            )
        yield from check_momentum(f"stages.{number}.optimizer", stage.optimizer)


def check_stages(model: CodecModel | None, trainer: Trainer) -> Iterator[Finding]:
    """Stages that ask for what is not there, or for nothing."""
    yield from check_stage_names(trainer)
    totals: set[tuple[float, ...]] = set()
    for number, stage in enumerate(trainer.stages):
        key = f"trainer.stages.{number}"
        given = stage.discriminator.optimizer
        yield from check_momentum(f"stages.{number}.discriminator.optimizer", given)
        try:
            weights = stage_weights(trainer.loss_config, stage)
        except UnknownTermError as error:
            yield disagreement(".".join((key, "weights", *error.key)), error.what)
            continue
        totals.add(tuple(weights.values()))
        if not any(weights.values()):
            yield disagreement(
                f"{key}.weights", "found no weight above 0, so that the stage trains nothing"
            )
        if model:
            if weights["spectral", "stft_mse"] and not emits_spectrogram(model):
                yield disagreement(
                    f"{key}.weights",
                    "found a weight of spectral.stft_mse, allowed with generator type "
                    f"'{model.generator.type}', which emits audio: 0",
                    "model.generator.type",
                )
            acts = any(weight for (group, _), weight in weights.items() if group == ADVERSARIAL)
            yield from _check_discriminators(key, stage, model, judged=acts)
            yield from _check_freeze(key, stage, model, judged=acts)
    if len(totals) > 1 and trainer.best_metric == _TOTAL:
        yield disagreement(
            "trainer.best_metric",
            f"found '{_TOTAL}', which other stages weigh otherwise; allowed: a metric that means "
            "the same in all stages, such as 'val/mel'",
        )


def _check_discriminators(
    key: str, stage: Stage, model: CodecModel, *, judged: bool
) -> Iterator[Finding]:
    types = list(dict.fromkeys(entry.type for entry in model.discriminators))
    if judged and not types:
        yield disagreement(
            f"{key}.weights",
            "found weights of adversarial terms, needed: model.discriminators, or weights 0",
        )
    if judged and stage.discriminators == ():
        yield disagreement(
            f"{key}.discriminators",
            "found none, needed with weights of adversarial terms: one; or set their weights to 0",
        )
    for name in stage.discriminators or ():
        if name not in types:
            hint = did_you_mean(name, types) or f", allowed: {', '.join(types) or 'none'}"
            yield disagreement(f"{key}.discriminators", f"unknown discriminator '{name}'{hint}")
    given = stage.discriminator.optimizer or stage.discriminator.scheduler or stage.discriminators
    if given and not judged:
        what = "discriminators" if stage.discriminators else "discriminator"
        yield disagreement(
            f"{key}.{what}", "found in a stage whose adversarial weights are all 0; leave it out"
        )


def _check_freeze(key: str, stage: Stage, model: CodecModel, *, judged: bool) -> Iterator[Finding]:
    frozen = set(stage.freeze)
    trained = model.quantizer.type != "none"
    if "quantizer" in frozen and not trained:
        yield disagreement(
            f"{key}.freeze",
            "found 'quantizer', of which there is none; leave it out",
            "model.quantizer.type",
        )
    if "discriminator" in frozen and not judged:
        yield disagreement(
            f"{key}.freeze",
            "found 'discriminator' in a stage whose adversarial weights are all 0; leave it out",
        )
    learning = {
        "encoder",
        "decoder",
        *_present("quantizer", trained),
        *_present("discriminator", judged),
    }
    if learning <= frozen:
        yield disagreement(
            f"{key}.freeze", f"found {_listed(stage.freeze)}, so that the stage trains nothing"
        )


def _present(name: str, there: bool) -> tuple[str, ...]:
    return (name,) if there else ()


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
