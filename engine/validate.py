"""One pass over the fixed validation items: rows for each item, scalars for the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import torch

from codecctl.datasets.batch import Batch, Item
from codecctl.engine.feed import Feed
from codecctl.engine.recipes.base import Evaluation, Recipe
from codecctl.engine.rundir import RunDirectory


class Validation:
    """Measures a recipe on the same items each time.

    Args:
        batches: Gives all fixed items, in the same batches each time.
        scenes: The scene of each recording, "" where it has none.
        device: Where the networks live.
    """

    def __init__(
        self,
        batches: Callable[[], Iterable[Batch]],
        *,
        scenes: Mapping[str, str],
        device: torch.device,
    ) -> None:
        self._batches = batches
        self._scenes = scenes
        self._feed = Feed(device)

    def measure(
        self, recipe: Recipe, *, run: RunDirectory, step: int, should_stop: Callable[[], bool]
    ) -> dict[str, float] | None:
        """Evaluate all items and append their rows to validation.jsonl.

        Args:
            recipe: What to measure.
            run: Takes the rows, after the last item.
            step: Updates done.
            should_stop: Asked between batches.

        Returns:
            Scalars over the whole set; None when it was stopped before the end.
        """
        evaluations: list[Evaluation] = []
        items: list[Sequence[Item]] = []
        rates: list[int] = []
        for batch in self._batches():
            if should_stop():
                return None
            with torch.no_grad():
                evaluations.append(recipe.evaluate(self._feed.audio(batch)))
            items.append(batch.items)
            rates.append(batch.sample_rate)
        first = 0
        for evaluation, batch_items, rate in zip(evaluations, items, rates, strict=True):
            self._write_rows(run, step, first, evaluation, batch_items, rate)
            first += len(batch_items)
        scalars = recipe.aggregate(evaluations)
        return dict(zip(scalars, _to_floats(list(scalars.values())), strict=True))

    def _write_rows(
        self,
        run: RunDirectory,
        step: int,
        first: int,
        evaluation: Evaluation,
        items: Sequence[Item],
        rate: int,
    ) -> None:
        columns = {name: values.tolist() for name, values in evaluation.metrics.items()}
        for index, item in enumerate(items):
            for name, values in columns.items():
                run.validation_row(
                    {
                        "step": step,
                        "item": first + index,
                        "recording": item.recording,
                        "scene": self._scenes.get(item.recording, ""),
                        "start_seconds": item.start / rate,
                        "channels": list(item.channels),
                        "metric": name,
                        "value": values[index],
                    }
                )


def _to_floats(values: Sequence[torch.Tensor]) -> list[float]:
    return [float(value) for value in values]
