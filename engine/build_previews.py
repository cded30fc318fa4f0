"""Which items of a job people listen to, and what of them."""

from __future__ import annotations

from pathlib import Path

from codecctl.datasets.validation import batches
from codecctl.engine.array_survey import can_survey, surveyed_network
from codecctl.engine.prepare import Prepared
from codecctl.engine.preview_codes import preview_codes
from codecctl.engine.previews import Previews
from codecctl.engine.recipes.token_swap import TokenSwap


def build_previews(prepared: Prepared, folder: Path) -> Previews:
    """The first items of the validation and, where first codes can be exchanged, one array.

    Args:
        prepared: The job.
        folder: `previews/` of the run.
    """
    data, recipe = prepared.data, prepared.recipe
    store, frames = prepared.store, data.window.frames
    count = prepared.profile.trainer.previews.items
    items, arrays = data.validation[:count], data.arrays[:1]
    return Previews(
        folder,
        lambda: list(batches(store, items, batch_size=1, frames=frames)),
        device=prepared.runtime.device,
        arrays=lambda: list(batches(store, arrays, batch_size=1, frames=frames)),
        swap=TokenSwap(surveyed_network(recipe)) if can_survey(recipe) else None,
        codes=preview_codes(surveyed_network(recipe)),
    )
