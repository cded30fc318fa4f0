"""The stages of a profile to what each of them is trained by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from torch import nn

from codecctl.engine.profile import Profile
from codecctl.engine.profile.schema_stages import LosslessStage, StageDiscriminator
from codecctl.engine.profile.schema_stages import Stage as CodecStage
from codecctl.engine.profile.staged import judged, profile_of_stage, stages_of
from codecctl.engine.recipes.base import Recipe
from codecctl.engine.recipes.staged import StagedRecipe
from codecctl.engine.stages import Stage
from codecctl.engine.task import Span, Task

Build: TypeAlias = Callable[[Profile, Task], Recipe]
"""The recipe of a stage, from its profile."""


class Beginnings:
    """In which stage what is trained in one begins; stages are counted from 0.

    Args:
        profile: With stages.
        stages: The same, by steps.
    """

    def __init__(self, profile: Profile, stages: Sequence[Stage]) -> None:
        self._stages = stages
        self._settings = stages_of(profile.trainer)
        self._judged = [
            isinstance(each, CodecStage) and judged(profile.trainer, each)
            for each in self._settings
        ]

    def adversary(self, number: int) -> int:
        """Where the discriminators of a stage begin: after the last stage that has none."""
        return max((at + 1 for at in range(number) if not self._judged[at]), default=0)

    def generator_span(self, number: int) -> Span:
        """Of the generator's schedule: the stages from the one that gives it to the next."""
        return self._span(number, [each.scheduler is not None for each in self._settings])

    def discriminator_span(self, number: int) -> Span:
        """Of the discriminators' schedule, which also begins where they do."""
        begins = [
            self.adversary(at) == at
            or (isinstance(each, CodecStage) and each.discriminator.scheduler is not None)
            for at, each in enumerate(self._settings)
        ]
        return self._span(number, begins)

    def afresh(self, number: int) -> dict[str, tuple[str, ...]]:
        """What begins in a stage, by role: optimizers with moments of zero, and schedules."""
        settings = self._settings[number]
        generator = _named(settings)
        adversary = _named(settings.discriminator) if isinstance(settings, CodecStage) else ()
        if self.adversary(number) == number:
            adversary = ("optimizer", "schedule")
        return {"generator": generator, "classifier": generator, "discriminator": adversary}

    def _span(self, number: int, begins: Sequence[bool]) -> Span:
        first = max((at for at in range(number + 1) if begins[at]), default=0)
        later = [at for at in range(number + 1, len(begins)) if begins[at]]
        end = self._stages[later[0]].first_step if later else self._stages[-1].end_step
        since = self._stages[first].first_step
        return Span(since, end - since)


def _named(settings: CodecStage | LosslessStage | StageDiscriminator) -> tuple[str, ...]:
    """Which of optimizer and schedule a stage names."""
    given = (("optimizer", settings.optimizer), ("schedule", settings.scheduler))
    return tuple(part for part, value in given if value is not None)


def staged_recipe(
    profile: Profile, stages: Sequence[Stage], build: Build, *, first: int = 0
) -> StagedRecipe:
    """A recipe that hands over from stage to stage.

    Args:
        profile: With stages.
        stages: The same, by steps.
        build: The recipe of one.
        first: Number of the stage that the training starts in.
    """
    beginnings = Beginnings(profile, stages)
    settings = stages_of(profile.trainer)

    def recipe_of(number: int, networks: Mapping[str, nn.Module]) -> Recipe:
        own, adversary = settings[number], beginnings.adversary(number)
        goes_on = {
            role: network
            for role, network in networks.items()
            if role != "discriminator" or adversary != number
        }
        task = Task(
            generator=beginnings.generator_span(number),
            discriminator=beginnings.discriminator_span(number),
            adversary_since=stages[min(adversary, number)].first_step,
            discriminators=own.discriminators if isinstance(own, CodecStage) else None,
            frozen=frozenset(own.freeze if isinstance(own, CodecStage) else ()),
            networks=goes_on,
        )
        return build(profile_of_stage(profile, number), task)

    return StagedRecipe(recipe_of, afresh=beginnings.afresh, first=first)
