"""A training in stages: one recipe after the other, and what the next one takes over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from torch import nn

from codecctl.engine.recipes.base import Recipe, State
from codecctl.engine.recipes.delegate import Delegate

PLAYERS = ("network", "optimizer")
"""What a part of a state holds that is of one side of the training."""


class StagedRecipe(Delegate):
    """Trains as the recipe of the present stage does.

    A hand-over is a function of the state and of the number of the stage: networks go on as they
    are, moments and running averages are taken over where the next recipe has a place for them,
    and everything else is as that recipe was built. What was trained in smaller parts of a batch
    still is.

    Args:
        build: The recipe of a stage, given the networks by role that go on. A role that was not
            used, or that begins afresh, gets networks of its own.
        afresh: What begins in a stage, by role: `optimizer`, `schedule` or both.
        first: Number of the stage to begin with.

    Attributes:
        number: Of the present stage.
    """

    def __init__(
        self,
        build: Callable[[int, Mapping[str, nn.Module]], Recipe],
        *,
        afresh: Callable[[int], Mapping[str, Sequence[str]]],
        first: int = 0,
    ) -> None:
        super().__init__(build(first, {}))
        self._build = build
        self._afresh = afresh
        self.number = first

    def enter(self, number: int) -> None:
        """Hand over to a stage; nothing happens if it is the present one."""
        if number == self.number:
            return
        before, items = self._recipe.state_dict(), self._recipe.items_at_once
        self._recipe = self._build(number, self._recipe.modules())
        taken = handed_over(before, self._recipe.state_dict(), afresh=self._afresh(number))
        self._recipe.load_state_dict(taken)
        while items and self._recipe.items_at_once > items and self._recipe.shrink(items * 2):
            pass
        self.number = number


def handed_over(before: State, built: State, *, afresh: Mapping[str, Sequence[str]]) -> State:
    """The state that a stage begins with.

    Args:
        before: Of the recipe of the stage before.
        built: Of the recipe of the stage, as built.
        afresh: Parts of a role's state that begin with the stage.
    """
    return {
        role: _merged(before[role], state, afresh.get(role, ())) if role in before else state
        for role, state in built.items()
    }


def _merged(before: object, built: object, afresh: Sequence[str] = ()) -> object:
    """What was there before, in the places that there are now."""
    if not isinstance(before, Mapping) or not isinstance(built, Mapping):
        return before
    if all(name in built for name in PLAYERS):
        own = ("network", *afresh)
        return {
            name: value if name in own or name not in before else before[name]
            for name, value in cast("Mapping[str, object]", built).items()
        }
    return {
        name: _merged(before[name], value) if name in before else value
        for name, value in built.items()
    }
