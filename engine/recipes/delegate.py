"""A recipe that does what another one does; others change parts of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from torch import Tensor, nn

from codecctl.engine.recipes.base import Evaluation, Recipe, Scalars, State


class Delegate:
    """Does what a recipe does.

    Args:
        recipe: Trains.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe

    @property
    def innermost(self) -> Recipe:
        """The recipe that trains, below all that stand before it."""
        inner = self._recipe
        return inner.innermost if isinstance(inner, Delegate) else inner

    def modules(self) -> Mapping[str, nn.Module]:
        """Networks by role."""
        return self._recipe.modules()

    def initialize(self, batches: Iterator[Tensor]) -> None:
        """Fit what needs data before step 0 of a fresh run."""
        self._recipe.initialize(batches)

    def train_step(self, audio: Tensor, step: int, channels: Tensor | None = None) -> Scalars:
        """Update everything once."""
        return self._recipe.train_step(audio, step, channels)

    @property
    def items_at_once(self) -> int:
        """Items that go through the networks together; 0: the whole batch."""
        return self._recipe.items_at_once

    def shrink(self, batch_size: int) -> int:
        """Take back a step, and use less memory from now on."""
        return self._recipe.shrink(batch_size)

    def evaluate(self, audio: Tensor, channels: Tensor | None = None) -> Evaluation:
        """Measure a batch (B, M, T) of channels (B, M) in evaluation mode."""
        return self._recipe.evaluate(audio, channels)

    def aggregate(self, evaluations: Sequence[Evaluation]) -> Scalars:
        """Means over all items, and what only the whole set shows."""
        return self._recipe.aggregate(evaluations)

    def observe(self, value: float) -> None:
        """Take up what a validation measured."""
        self._recipe.observe(value)

    def reconstruct(self, audio: Tensor) -> Tensor:
        """Decode what was coded, (B, M, T) to (B, M, T)."""
        return self._recipe.reconstruct(audio)

    def state_dict(self) -> State:
        """Everything that training has changed."""
        return self._recipe.state_dict()

    def load_state_dict(self, state: State) -> None:
        """Take up a state of the same recipe."""
        self._recipe.load_state_dict(state)

    def notes(self) -> tuple[str, ...]:
        """Sentences that help to read the scalars."""
        return self._recipe.notes()
