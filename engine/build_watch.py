"""What watches over a training: values that are not finite, memory, whole arrays."""

from __future__ import annotations

from collections.abc import Callable

from codecctl.datasets.token_stream import TokenStream
from codecctl.datasets.validation import batches
from codecctl.engine.array_survey import ArraySurvey, can_survey
from codecctl.engine.diagnosis import Diagnosis
from codecctl.engine.guard import FiniteGuard
from codecctl.engine.lossless.flac_reference import flac_bits, flac_problem
from codecctl.engine.prepare import Prepared
from codecctl.engine.recipes.base import Recipe
from codecctl.engine.references import Reference
from codecctl.engine.rundir import RunDirectory
from codecctl.engine.within_memory import WithinMemory

GUARD_EVERY_ON_GPU = 16
"""Steps between two looks at the flags of losses and gradients."""


def guard_of(prepared: Prepared, warn: Callable[[str], None]) -> FiniteGuard:
    """The guard that the profile asks for.

    Args:
        prepared: What is trained.
        warn: Told where a training goes on though a step was not finite.
    """
    trainer = prepared.profile.trainer
    explain = Diagnosis(
        prepared.recipe,
        prepared.data.train.batch,
        store=prepared.store.name,
        precision=trainer.precision,
    )
    waits = prepared.runtime.device.type == "cuda" and not prepared.runtime.sharded
    # Parts of a state are brought together to look at it: all processes have to find it at once.
    every = GUARD_EVERY_ON_GPU if waits else 1
    tolerate = None if trainer.terminate_on_nan else warn
    return FiniteGuard(every, explain=explain, tolerate=tolerate)


def within_memory(prepared: Prepared, warn: Callable[[str], None]) -> Recipe:
    """The recipe, as careful with memory as the profile asks for.

    Args:
        prepared: What is trained.
        warn: Told where a training goes on with smaller parts of a batch.
    """
    return WithinMemory(
        prepared.recipe,
        device=prepared.runtime.device,
        ranks=prepared.runtime.world_size,
        halve=prepared.profile.trainer.on_out_of_memory == "halve",
        warn=warn,
    )


def survey_of(prepared: Prepared, run: RunDirectory) -> ArraySurvey | None:
    """Measures of whole arrays, where the profile asks for them and the store has some."""
    data, profile = prepared.data, prepared.profile
    if not profile.trainer.array_measures.items or not can_survey(prepared.recipe):
        return None
    if not data.arrays:
        run.log("array_measures: no recording of 32 channels validates; nothing is measured")
        return None
    return ArraySurvey(
        lambda: batches(prepared.store, data.arrays, batch_size=1, frames=data.window.frames),
        every=profile.trainer.array_measures.every,
        max_steps=prepared.cadence.max_steps,
        device=prepared.runtime.device,
    )


def references_of(prepared: Prepared) -> tuple[tuple[Reference, ...], str]:
    """What others reach on the material that validates; none but for the lossless mode.

    Returns:
        The references, and why one is missing, "" where none is.
    """
    store = prepared.store
    if not isinstance(store, TokenStream):
        return (), ""
    if problem := flac_problem():
        return (), f"FLAC: {problem}"
    found = flac_bits(store, prepared.data.split.validation)
    if found is None:
        return (), "FLAC: the recordings that validate hold no symbol"
    metric = prepared.profile.trainer.best_metric
    return (Reference(metric, "FLAC", found.bits_per_sample, found.detail),), ""
