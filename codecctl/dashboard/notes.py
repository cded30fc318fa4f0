"""Sentences about runs, on screens and in snapshots."""

from __future__ import annotations

from collections.abc import Sequence

from codecctl.dashboard.views import RunView
from codecctl.dashboard.wording import first_line
from codecctl.engine.rundir import Row, number
from codecctl.engine.stages import Stage

EMPTY = """No runs in {folder} yet.

Type in another terminal:

    codecctl train --profile paired

or, in two minutes without a GPU:

    codecctl train --profile paired model=tiny trainer=demo

New runs appear here by themselves.
To look elsewhere: codecctl dashboard FOLDER"""


def note_text(run: RunView) -> str:
    """One line about a run: what is wrong, what it last said, where it trains."""
    state = run.summary.state
    parts = [run.problem, first_line(state.message)]
    if run.summary.status == "lost":
        parts.append(f"no heartbeat; codecctl train --run {run.name} --resume continues it")
    parts.append(f"{state.host} pid {state.pid}" if state.host else "")
    parts.append(run.summary.profile or run.summary.mode)
    parts.append(" ".join(f"#{tag}" for tag in run.summary.tags))
    return f"{run.name}: " + " · ".join(part for part in parts if part)


def stages_text(stages: Sequence[Stage], step: int) -> str:
    """All stages of a training and where it is in them; empty where there are none."""
    marks = {"done": "✓", "now": "▶", "to come": "·"}
    return "  ".join(
        f"{marks[stage.status(step)]} {stage.name} {stage.first_step}-{stage.end_step}"
        for stage in stages
    )


def seconds_left(run: RunView) -> float | None:
    """How long the run still takes at the last measured speed; None when it is not running."""
    speed = number(run.summary.train.get("speed/step_seconds"))
    if run.summary.status != "running" or not speed or run.summary.max_steps <= 0:
        return None
    return max(0, run.summary.max_steps - run.summary.step) * speed


def loss_value(train: Row) -> float | None:
    """The one loss that stands for all: the total, else the mel distance, else the first."""
    for name in ("loss/total", "loss/mel"):
        if name in train:  # a row may hold thousands of values
            return number(train[name])
    first = min((name for name in train if name.startswith("loss/")), default="")
    return number(train.get(first))
