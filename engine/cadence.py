"""When a training logs, validates, saves and previews: a function of the step alone.

Only what has to happen by the clock (a row every 30 s, a checkpoint every 30 minutes) depends
on how fast the machine is, so a resumed run meets the same steps as one that never stopped.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from codecctl.engine.stages import Stage, stage_at

FIRST_LOGGED_STEPS = 10


@dataclass(frozen=True)
class Cadence:
    """Steps count finished updates: 0 is before the first one."""

    max_steps: int
    updates_per_epoch: int
    log_every_steps: int
    validate_every_steps: tuple[int | Fraction, ...]
    """Periods, of which 0 never is; beside them at the start and the end. One that is no whole
    number is over with the step that completes it."""
    save_every_steps: tuple[int, ...]
    """Likewise; beside them by the clock, after a better validation and at the end."""
    save_every_seconds: float
    preview_every_steps: int
    """0 writes previews with each validation."""
    preview_at_steps: tuple[int, ...]
    log_every_seconds: float = 30.0
    max_seconds: float = math.inf
    """Of updates, over all resumes, after which the training saves and stops."""
    sanity_batches: int = 0
    """Of the validation, tried before the first update of a job."""
    stages: tuple[Stage, ...] = ()
    """Parts of the training; none: it is one."""
    first_step: int = 0
    """Updates that count as done when the training starts; it may start in a later stage."""

    def stage(self, step: int) -> Stage | None:
        """The stage of the update that is made after so many; None where there are no stages."""
        return stage_at(self.stages, step)

    def hands_over(self, step: int) -> bool:
        """Whether a stage ends with this step."""
        return any(stage.end_step == step for stage in self.stages)

    def epoch(self, step: int) -> int:
        """The epoch, counted from 1, that a finished update belongs to; 0 before the first."""
        return -(-step // self.updates_per_epoch)

    def logs(self, step: int, seconds_since_row: float) -> bool:
        """Whether this step gets a row."""
        return (
            step - self.first_step <= FIRST_LOGGED_STEPS
            or step % self.log_every_steps == 0
            or step == self.max_steps
            or seconds_since_row >= self.log_every_seconds
        )

    def validates(self, step: int) -> bool:
        """Whether the fixed items are measured after this step."""
        return step in (self.first_step, self.max_steps) or _due(step, self.validate_every_steps)

    def previews(self, step: int) -> bool:
        """Whether reconstructions are written after this step."""
        if step in self.preview_at_steps or step == self.max_steps:
            return True
        if self.preview_every_steps:
            return _due(step, (self.preview_every_steps,))
        return self.validates(step)

    def saves(self, step: int, seconds_since_checkpoint: float) -> bool:
        """Whether a checkpoint is written after this step, whatever the validation says."""
        return step > 0 and (
            step == self.max_steps
            or _due(step, self.save_every_steps)
            or self.hands_over(step)
            or seconds_since_checkpoint >= self.save_every_seconds
        )


def _due(step: int, periods: Sequence[int | Fraction]) -> bool:
    return step > 0 and any(every > 0 and step // every > (step - 1) // every for every in periods)
