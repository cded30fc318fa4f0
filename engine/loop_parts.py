"""What the loop works with, what it counts, and what it tells."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import torch
from torch import nn

from codecctl.datasets.batch import Batch
from codecctl.engine.array_survey import ArraySurvey
from codecctl.engine.cadence import Cadence
from codecctl.engine.checkpoint import Identity
from codecctl.engine.crew import ALONE, Crew
from codecctl.engine.guard import FiniteGuard
from codecctl.engine.lease import Lease
from codecctl.engine.previews import Previews
from codecctl.engine.recipes.base import Recipe
from codecctl.engine.rundir import RunDirectory
from codecctl.engine.runlist import LARGER_IS_BETTER
from codecctl.engine.signals import StopSignals
from codecctl.engine.stages import Stage
from codecctl.engine.validate import Validation


@dataclass
class Progress:
    """Where a training stands; saved with every checkpoint."""

    step: int = 0
    """Updates done."""
    seconds: float = 0.0
    """Of training, over all resumes."""
    audio_seconds: float = 0.0
    """Of audio heard, all capsules together."""
    best: float | None = None
    """The best value so far of the validation scalar that decides."""
    best_step: int = -1
    validated_step: int = -1
    previewed_step: int = -1
    stage: str = ""
    """That the networks are in; empty before the first one, and where there are none."""


@dataclass(frozen=True)
class Keep:
    """Which checkpoints stay."""

    last: int
    best: int
    metric: str
    """The validation scalar that decides which are the best."""
    every: int = 0
    """Steps between those that are never removed; 0: none."""

    @property
    def sign(self) -> int:
        """1 where a smaller value is better, -1 where a larger one is."""
        return -1 if self.metric in LARGER_IS_BETTER else 1


@dataclass(frozen=True)
class Report:
    """What a progress line shows; given out after each step."""

    step: int
    max_steps: int
    epoch: int
    values: Mapping[str, float]
    """The last row of training."""
    audio_seconds_per_second: float
    seconds_left: float
    stage: str = ""
    """Empty where there are none."""


@dataclass(frozen=True)
class Parts:
    """What a loop works with, in every process."""

    recipe: Recipe
    open_batches: Callable[[int], AbstractContextManager[Iterator[Batch]]]
    """This process's rows of the batches in the order of steps, from the given number of finished
    updates on."""
    open_whole_batches: Callable[[], AbstractContextManager[Iterator[Batch]]]
    """All rows of the first batches."""
    validation: Validation
    cadence: Cadence
    guard: FiniteGuard
    signals: StopSignals
    device: torch.device
    crew: Crew = ALONE
    equalize: Callable[[Sequence[nn.Module]], None] = lambda _networks: None
    """Gives all processes the weights of the leading one."""
    whole: Callable[[], AbstractContextManager[None]] = nullcontext
    """Networks have all of their weights in every process for a block; in training, they may lie
    in parts."""
    observe: Callable[[Mapping[str, float]], None] = lambda _values: None
    """Told, in every process, what each validation measured."""
    enter: Callable[[Stage], None] = lambda _stage: None
    """Makes the recipe one that trains what a stage does; again where it does already."""


@dataclass(frozen=True)
class Desk:
    """What the leading process writes with."""

    run: RunDirectory
    lease: Lease
    previews: Previews
    keep: Keep
    identity: Identity
    on_row: Callable[[int, str, Mapping[str, float]], None]
    """Takes step, split and values of each row; must not fail and must not wait."""
    on_report: Callable[[Report], None]
    on_phase: Callable[[str], None] = lambda _text: None
    """Told what begins where no update is made for a while."""
    tell: Callable[[str], None] = lambda _text: None
    """Shows a line to the user."""
    survey: ArraySurvey | None = None
    """Measures whole arrays beside the validation."""
    save_start: bool = False
    """Save at step 0, too: the weights come from elsewhere and may be gone later."""


@dataclass
class Speed:
    """What happened since the last row of training."""

    started: float = field(default_factory=time.monotonic)
    steps: int = 0
    audio_seconds: float = 0.0
    wait_seconds: float = 0.0

    def leave_out(self, seconds: float) -> None:
        """Take time that was spent on something else than steps out of the rates."""
        self.started += seconds

    def row(self) -> dict[str, float]:
        """The rates by name."""
        elapsed = max(time.monotonic() - self.started, 1e-9)
        return {
            "speed/step_seconds": elapsed / max(self.steps, 1),
            "speed/audio_seconds_per_second": self.audio_seconds / elapsed,
            "speed/loader_wait_seconds": self.wait_seconds / max(self.steps, 1),
        }
