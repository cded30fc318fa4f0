"""How `codecctl train` ends: what it says, its exit code, and weights for others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from codecctl.commands.train_job import Job
from codecctl.errors import InterruptedByUserError, StoppedError
from codecctl.output import note

if TYPE_CHECKING:
    from codecctl.engine.prepare import Prepared


@dataclass(frozen=True)
class End:
    """How a training ended."""

    reason: str
    """As in `engine.session.Outcome`."""
    step: int = 0
    """Known where this process leads."""


def last_words(job: Job, end: End) -> str:
    """How to go on where the training was stopped; "" where it was not."""
    where = f"{job.path.name}: stopped at step {end.step}, checkpoint saved"
    go_on = f"codecctl train --profile {job.profile_name} --run {job.path.name} --resume"
    return {
        "interrupted": f"{where}; continue with: {go_on}",
        "preempted": f"{where}; requeue, or continue with: {go_on}",
        "requested": f"{where}; continue with: {go_on}",
        "max_time": f"{where} by trainer.max_time; continue with: {go_on} trainer.max_time=LONGER",
    }.get(end.reason, "")


def conclude(job: Job, end: End) -> None:
    """Say how to go on where the training was stopped, with its exit code."""
    words = last_words(job, end)
    if end.reason == "interrupted":
        raise InterruptedByUserError(words)
    if end.reason == "preempted":
        raise StoppedError(words)
    if words:
        note(words)


def export_weights(job: Job, prepared: Prepared) -> None:
    """Write the weights of a language model to where its document says."""
    from codecctl.engine.profile.schema import LosslessProfile
    from codecctl.engine.recipes.delegate import Delegate
    from codecctl.engine.recipes.lossless import LosslessRecipe
    from codecctl.engine.runlist import read_pointer

    profile, recipe = prepared.profile, prepared.recipe
    if isinstance(recipe, Delegate):
        recipe = recipe.innermost
    if isinstance(profile, LosslessProfile) and isinstance(recipe, LosslessRecipe):
        from codecctl.engine.lossless_export import export

        folder = job.path / "checkpoints"
        exported = export(
            recipe.evaluated,
            profile,
            log=job.path / "train.log",
            checkpoint=folder / (read_pointer(folder, "last") or ""),
        )
        note(f"weights: {exported.weights}; log: {exported.log}")
