"""Stages of a training: which steps belong to which, a function of the profile alone.

Imports no torch: a dashboard reads what `stages.json` of a run says of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from codecctl.engine.rows import number
from codecctl.engine.runlist import read_json

FILE = "stages.json"
"""In a run folder: the plan of its stages."""


@dataclass(frozen=True)
class Stage:
    """A part of a training with weights, optimizers and networks to train of its own."""

    name: str
    first_step: int
    """Updates done when it begins."""
    end_step: int
    """Updates done when it ends."""
    number: int = 0
    """Its place, counted from 0."""

    @property
    def steps(self) -> int:
        """Updates that it makes."""
        return self.end_step - self.first_step

    def status(self, step: int) -> str:
        """Whether it is "done", "now" or "to come" after so many updates."""
        if step >= self.end_step:
            return "done"
        return "now" if step >= self.first_step else "to come"


def plan(named: Sequence[tuple[str, int]]) -> tuple[Stage, ...]:
    """Stages one after the other.

    Args:
        named: Name and number of updates of each.
    """
    stages: list[Stage] = []
    for name, steps in named:
        first = stages[-1].end_step if stages else 0
        stages.append(Stage(name, first, first + steps, len(stages)))
    return tuple(stages)


def stage_at(stages: Sequence[Stage], step: int) -> Stage | None:
    """The stage of the update that is made after so many; beyond the end the last one."""
    passed = [stage for stage in stages if stage.first_step <= step]
    return passed[-1] if passed else None


def stage_named(stages: Sequence[Stage], name: str) -> Stage | None:
    """The stage of a name."""
    return next((stage for stage in stages if stage.name == name), None)


def to_json(stages: Sequence[Stage], *, first_step: int = 0) -> dict[str, object]:
    """For `stages.json`; the training may have begun in a later stage than the first."""
    start = stage_at(stages, first_step)
    name = start.name if start and first_step else ""
    return {"schema": 1, "start": name, "stages": [asdict(stage) for stage in stages]}


def read_start(run: Path) -> str:
    """Name of the stage that a run was started in; empty where that was its first step."""
    return str(read_json(run / FILE).get("start") or "")


def read_stages(run: Path) -> tuple[Stage, ...]:
    """The stages of a run; none where it has no plan, or a broken one."""
    found = read_json(run / FILE).get("stages")
    stages: list[Stage] = []
    for entry in found if isinstance(found, list) else ():
        if not isinstance(entry, dict):
            return ()
        first, end = number(entry.get("first_step")), number(entry.get("end_step"))
        if first is None or end is None:
            return ()
        stages.append(Stage(str(entry.get("name", "")), int(first), int(end), len(stages)))
    return tuple(stages)
