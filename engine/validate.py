"""One pass over the fixed validation items: rows for each item, scalars for the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import torch

from codecctl.datasets.batch import Batch, Item
from codecctl.engine.crew import Crew
from codecctl.engine.feed import Feed
from codecctl.engine.recipes.base import Evaluation, Recipe

Row: TypeAlias = dict[str, object]


@dataclass(frozen=True)
class Measurement:
    """What a pass over the fixed items found; empty where another process leads."""

    values: Mapping[str, float] = field(default_factory=dict)
    """Scalars over the whole set."""
    rows: Sequence[Row] = ()
    """Of each item and metric, for validation.jsonl."""


@dataclass(frozen=True)
class _Part:
    """One measured batch."""

    evaluation: Evaluation
    items: Sequence[Item]
    sample_rate: int


class Validation:
    """Measures a recipe on the same items each time.

    Several processes take turns at the batches, which are the same ones whatever their number.

    Args:
        num_batches: That hold all fixed items.
        read: Gives the batches of these numbers, in this order.
        scenes: The scene of each recording, "" where it has none.
        device: Where the networks live.
    """

    def __init__(
        self,
        num_batches: int,
        read: Callable[[Sequence[int]], Iterable[Batch]],
        *,
        scenes: Mapping[str, str],
        device: torch.device,
    ) -> None:
        self._num_batches = num_batches
        self._read = read
        self._scenes = scenes
        self._device = device
        self._feed = Feed(device)

    def measure(
        self, recipe: Recipe, *, step: int, crew: Crew, should_stop: Callable[[], bool]
    ) -> Measurement | None:
        """Evaluate all items.

        Args:
            recipe: What to measure.
            step: Updates done.
            crew: The processes that take turns; each of them calls.
            should_stop: Asked before each batch, by all processes equally often.

        Returns:
            None when it was stopped before the end.
        """
        numbers = range(crew.rank, self._num_batches, crew.world_size)
        batches = iter(self._read(numbers))
        own: list[_Part] = []
        for turn in range(-(-self._num_batches // crew.world_size)):
            if should_stop():
                return None
            if turn < len(numbers):
                own.append(self._measured(recipe, next(batches)))
        if crew.world_size > 1:
            own = [_moved(part, torch.device("cpu")) for part in own]
        gathered = crew.gather(own)
        if crew.rank != 0:
            return Measurement()
        parts = [
            _moved(gathered[number % crew.world_size][number // crew.world_size], self._device)
            for number in range(self._num_batches)
        ]
        scalars = recipe.aggregate([part.evaluation for part in parts])
        values = dict(zip(scalars, _to_floats(list(scalars.values())), strict=True))
        return Measurement(values, self._rows(step, parts))

    def try_out(self, recipe: Recipe, count: int) -> None:
        """Evaluate the first batches and forget what was found: an error shows before hours pass.

        Args:
            recipe: What to measure.
            count: Batches; no more than there are.
        """
        for batch in self._read(range(min(count, self._num_batches))):
            self._measured(recipe, batch)

    def _measured(self, recipe: Recipe, batch: Batch) -> _Part:
        with torch.no_grad():
            evaluation = recipe.evaluate(self._feed.audio(batch), self._feed.channels(batch))
        return _Part(evaluation, batch.items, batch.sample_rate)

    def _rows(self, step: int, parts: Sequence[_Part]) -> list[Row]:
        rows: list[Row] = []
        first = 0
        for part in parts:
            columns = {name: values.tolist() for name, values in part.evaluation.metrics.items()}
            for index, item in enumerate(part.items):
                rows += [
                    {
                        "step": step,
                        "item": first + index,
                        "recording": item.recording,
                        "scene": self._scenes.get(item.recording, ""),
                        "start_seconds": item.start / part.sample_rate,
                        "channels": list(item.channels),
                        "metric": name,
                        "value": values[index],
                    }
                    for name, values in columns.items()
                ]
            first += len(part.items)
        return rows


def _moved(part: _Part, device: torch.device) -> _Part:
    evaluation = Evaluation(
        metrics={name: values.to(device) for name, values in part.evaluation.metrics.items()},
        codes=part.evaluation.codes.to(device),
    )
    return replace(part, evaluation=evaluation)


def _to_floats(values: Sequence[torch.Tensor]) -> list[float]:
    return [float(value) for value in values]
