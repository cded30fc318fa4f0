"""The profile of one stage: that of the training, with what the stage says in place of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from codecctl.engine.limits import limited
from codecctl.engine.profile.names import did_you_mean
from codecctl.engine.profile.schema import LosslessProfile, Profile
from codecctl.engine.profile.schema_losses import Losses
from codecctl.engine.profile.schema_lossless import LosslessTrainer
from codecctl.engine.profile.schema_stages import LosslessStage, Stage
from codecctl.engine.profile.schema_trainer import Trainer

ADVERSARIAL = "adversarial"
"""The group of terms that discriminators judge."""

Term = tuple[str, str]
"""Group and name."""


class UnknownTermError(ValueError):
    """A stage weighs a term that there is not, or that several groups have.

    Args:
        key: Below `weights`.
        what: Found and allowed.
    """

    def __init__(self, key: tuple[str, ...], what: str) -> None:
        super().__init__(what)
        self.key = key
        self.what = what


def updates_of(profile: Profile) -> int:
    """Steps that make an epoch."""
    trainer, data = profile.trainer, profile.data
    whole = trainer.updates_per_epoch or data.items_per_epoch // data.batch_size
    return max(1, limited(whole, trainer.limit_train_batches))


def lengths_of(profile: Profile) -> tuple[tuple[str, int], ...]:
    """Name and number of updates of each stage; none where the training is in one."""
    updates = updates_of(profile)
    return tuple((stage.name, stage.length.count(updates)) for stage in profile.trainer.stages)


def end_of(profile: Profile) -> int:
    """Updates of the whole training."""
    trainer = profile.trainer
    lengths = [steps for _, steps in lengths_of(profile)]
    end = trainer.max_epochs * updates_of(profile)
    if lengths:
        end = min(end, sum(lengths))
    return end if trainer.max_steps < 0 else min(end, trainer.max_steps)


def weights_of(losses: Losses) -> dict[Term, float]:
    """The weight of every term."""
    return {
        (group, name): float(weight)
        for group in type(losses).model_fields
        for name, weight in _weights(losses, group).items()
        if weight is not None
    }


def stage_weights(losses: Losses, stage: Stage) -> dict[Term, float]:
    """The weights of every term in a stage.

    Raises:
        UnknownTermError: It names what is no term.
    """
    weights = weights_of(losses)
    for key, weight in _flat(stage.weights):
        for term in _meant(key, weights):
            weights[term] = weight
    return weights


def profile_of_stage(profile: Profile, number: int) -> Profile:
    """The profile that trains a stage as if it were the whole training.

    Optimizers and schedules are those that this stage or the last one before it names.

    Args:
        profile: With stages.
        number: Of the stage, counted from 0.
    """
    trainer = profile.trainer
    stages = trainer.stages[: number + 1]
    update: dict[str, object] = {"stages": ()}
    for stage in stages:
        update |= {
            name: value
            for name, value in (("optimizer", stage.optimizer), ("scheduler", stage.scheduler))
            if value is not None
        }
    if not isinstance(profile, LosslessProfile):
        update |= _of_codec(trainer, stages)
    return profile.model_copy(update={"trainer": trainer.model_copy(update=update)})


def _of_codec(trainer: Trainer, stages: tuple[Stage, ...]) -> dict[str, object]:
    chosen: dict[str, object] = {}
    for stage in stages:
        given = stage.discriminator
        pairs = (("optimizer", given.optimizer), ("scheduler", given.scheduler))
        chosen |= {name: value for name, value in pairs if value is not None}
    return {
        "discriminator": trainer.discriminator.model_copy(update=chosen),
        "loss_config": _weighed(
            trainer.loss_config, stage_weights(trainer.loss_config, stages[-1])
        ),
    }


def judged(trainer: Trainer, stage: Stage) -> bool:
    """Whether discriminators act in a stage: it weighs what they judge.

    Raises:
        UnknownTermError: It names what is no term.
    """
    weights = stage_weights(trainer.loss_config, stage)
    return any(weight for (group, _), weight in weights.items() if group == ADVERSARIAL)


def stages_of(trainer: Trainer | LosslessTrainer) -> tuple[Stage | LosslessStage, ...]:
    """The stages of either kind of trainer."""
    return trainer.stages


def _weighed(losses: Losses, weights: Mapping[Term, float]) -> Losses:
    """The same terms with other weights."""
    update: dict[str, BaseModel] = {}
    for group in type(losses).model_fields:
        inner: BaseModel = getattr(losses, group)
        of_group = {name: weight for (own, name), weight in weights.items() if own == group}
        changed = inner.weights.model_copy(update=of_group)  # type: ignore[attr-defined]  # each has
        update[group] = inner.model_copy(update={"weights": changed})
    return losses.model_copy(update=update)


def _weights(losses: Losses, group: str) -> dict[str, float | None]:
    found: dict[str, float | None] = getattr(losses, group).weights.model_dump()
    return found


def _flat(weights: Mapping[str, object]) -> Iterator[tuple[tuple[str, ...], float]]:
    for name, value in weights.items():
        if isinstance(value, Mapping):
            for inner, weight in value.items():
                yield (name, str(inner)), float(weight)
        else:
            assert isinstance(value, (int, float)), value
            yield (name,), float(value)


def _meant(key: tuple[str, ...], weights: Mapping[Term, float]) -> tuple[Term, ...]:
    """The terms that a key names."""
    if len(key) == 2:
        if key in weights:
            return (key,)
        group = [name for own, name in weights if own == key[0]]
        if group:
            what = f"unknown term{did_you_mean(key[1], group)}; {key[0]} has {', '.join(group)}"
            raise UnknownTermError(key, what)
        raise UnknownTermError(key, _unknown(key[0], weights))
    terms = tuple(term for term in weights if term[1] == key[0])
    if len(terms) > 1:
        named = " or ".join(".".join(term) for term in terms)
        raise UnknownTermError(key, f"found a term of several groups, needed {named}")
    if terms:
        return terms
    whole = tuple(term for term in weights if term[0] == key[0])
    if not whole:
        raise UnknownTermError(key, _unknown(key[0], weights))
    return whole


def _unknown(name: str, weights: Mapping[Term, float]) -> str:
    known = [*dict.fromkeys(group for group, _ in weights), *(term for _, term in weights)]
    listed = ", ".join(f"{group}.{term}" for group, term in weights)
    return f"unknown term{did_you_mean(name, known) or f', allowed: {listed}'}"
