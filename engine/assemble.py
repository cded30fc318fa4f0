"""What is prepared becomes the parts of a loop, the same ones in every process of a training."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from codecctl.datasets.batch import Batch
from codecctl.datasets.prefetch import Prefetcher
from codecctl.datasets.validation import batches
from codecctl.engine.build_watch import guard_of, within_memory
from codecctl.engine.feed import ring_memory, ships_integers
from codecctl.engine.limits import limited
from codecctl.engine.loop_parts import Parts
from codecctl.engine.prepare import Prepared
from codecctl.engine.recipes.base import Recipe
from codecctl.engine.recipes.staged import StagedRecipe
from codecctl.engine.runlist import LARGER_IS_BETTER
from codecctl.engine.signals import StopSignals
from codecctl.engine.stages import Stage
from codecctl.engine.validate import Validation


def parts_of(prepared: Prepared, *, signals: StopSignals, warn: Callable[[str], None]) -> Parts:
    """The parts of a loop.

    Args:
        prepared: What to train.
        signals: Entered while the loop runs.
        warn: Told what goes wrong where the training goes on.
    """
    runtime = prepared.runtime
    size = prepared.data.train.batch_size // runtime.world_size
    first = runtime.rank * size
    return Parts(
        recipe=within_memory(prepared, warn),
        open_batches=lambda step: _open_batches(prepared, step, slice(first, first + size)),
        open_whole_batches=lambda: _open_batches(prepared, 0, slice(None)),
        validation=_validation(prepared),
        cadence=prepared.cadence,
        guard=guard_of(prepared, warn),
        signals=signals,
        device=runtime.device,
        crew=prepared.crew,
        equalize=runtime.equalize,
        whole=lambda: runtime.whole(prepared.recipe.modules().values()),
        observe=lambda values: observe(prepared, values),
        enter=lambda stage: enter(prepared.recipe, stage),
    )


def enter(recipe: Recipe, stage: Stage) -> None:
    """Make a recipe that trains in stages one that trains what this stage does."""
    assert isinstance(recipe, StagedRecipe), type(recipe)
    recipe.enter(stage.number)


def observe(prepared: Prepared, values: Mapping[str, float]) -> None:
    """Tell the recipe what a validation measured of the metric that decides, smaller as better."""
    metric = prepared.profile.trainer.best_metric
    sign = -1.0 if metric in LARGER_IS_BETTER else 1.0
    prepared.recipe.observe(sign * values.get(metric, math.nan))


def _open_batches(prepared: Prepared, first_step: int, rows: slice) -> Prefetcher:
    settings, device = prepared.profile.data, prepared.runtime.device
    return Prefetcher(
        prepared.data.train,
        first_step,
        settings.prefetch_batches,
        rows=rows,
        repeat=prepared.profile.trainer.overfit_batches,
        io_threads=settings.io_threads,
        integers=ships_integers(settings.expand_on_device, device=device, source=prepared.store),
        allocate=ring_memory(pinned=settings.pin_memory, device=device),
    )


def _validation(prepared: Prepared) -> Validation:
    store, data, settings = prepared.store, prepared.data, prepared.profile.data
    size = settings.val_batch_size
    trainer = prepared.profile.trainer
    total = -(-len(data.validation) // size)

    def read(numbers: Sequence[int]) -> Iterable[Batch]:
        # Only the last of all batches may hold fewer items, so that the others stay what they are.
        items = [
            item
            for number in numbers
            for item in data.validation[number * size : (number + 1) * size]
        ]
        return batches(
            store,
            items,
            batch_size=size,
            frames=data.window.frames,
            io_threads=settings.io_threads,
        )

    return Validation(
        1 if trainer.fast_dev_run else limited(total, trainer.limit_val_batches),
        read,
        scenes={info.name: info.scene for info in store.recordings},
        device=prepared.runtime.device,
    )
