"""Whole arrays beside the validation: what the codes of all 32 capsules share and tell.

    array/step-000000500.json    of that step, see `codecctl.engine.recipes.paired_measures`

The validation of a paired training hears two capsules of each moment; whether first codes are
shared over the array, and whether second ones tell the capsule, shows on all of them only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from typing import cast

import torch
from torch import Tensor

from codecctl.datasets.batch import Batch
from codecctl.engine.array_report import FOLDER
from codecctl.engine.feed import Feed
from codecctl.engine.recipes.base import Recipe
from codecctl.engine.recipes.network import CodecNetwork
from codecctl.engine.recipes.paired_measures import PairedMeasures, measure_paired
from codecctl.engine.recipes.token_swap import TokenSwap
from codecctl.engine.rundir import RunDirectory, step_name

SCHEMA = 1
_DIGITS = 4
"""Of the agreement of two capsules, which some thousand frames do not tell more exactly."""


class ArraySurvey:
    """Measures the codec of a recipe on fixed windows of whole arrays.

    Args:
        batches: Gives the windows, (1, 32, T) each, the same each time.
        every: Steps between surveys; 0: at each validation.
        max_steps: The last step has one always.
        device: Where the networks live.
    """

    def __init__(
        self,
        batches: Callable[[], Iterable[Batch]],
        *,
        every: int,
        max_steps: int,
        device: torch.device,
    ) -> None:
        self._batches = batches
        self._every = every
        self._max_steps = max_steps
        self._feed = Feed(device)

    def measure(self, recipe: Recipe, *, run: RunDirectory, step: int) -> dict[str, float]:
        """Write the survey of a validated step, and return its scalars for the row.

        Args:
            recipe: Whose codec is measured; the one with averaged weights, if there is one.
            run: Takes the file.
            step: Updates done.

        Returns:
            Names begin with `val/array/`; {} where none is due.
        """
        if step != self._max_steps and self._every and step % self._every:
            return {}
        found = measure_paired(surveyed_network(recipe), self._audio())
        run.write_json(
            f"{FOLDER}/{step_name(step)}.json", {"schema": SCHEMA, "step": step, **_row(found)}
        )
        return {f"val/array/{name}": value for name, value in found.scalars().items()}

    def _audio(self) -> Iterator[Tensor]:
        for batch in self._batches():
            yield self._feed.audio(batch)


def surveyed_network(recipe: Recipe) -> CodecNetwork:
    """The codec that validation measures."""
    networks = recipe.modules()
    return cast(CodecNetwork, networks.get("average", networks["generator"]))


def can_survey(recipe: Recipe) -> bool:
    """Whether capsules are coded one by one, by two residual codebooks or more."""
    network = recipe.modules()["generator"]
    return isinstance(network, CodecNetwork) and TokenSwap(network).refits


def _row(found: PairedMeasures) -> dict[str, object]:
    row = asdict(found)
    row["first_matrix"] = [[round(value, _DIGITS) for value in line] for line in found.first_matrix]
    return row
