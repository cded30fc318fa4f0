"""What is worth interrupting a person for: a run diverged, stalled, failed, ended, got better."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from codecctl.dashboard.notes import loss_value
from codecctl.dashboard.views import RunView, Snapshot
from codecctl.dashboard.wording import age_text, best_first, first_line, value_text
from codecctl.engine.rundir import number

Severity = Literal["information", "warning", "error"]


@dataclass(frozen=True)
class Alert:
    """A sentence about a run."""

    run: str
    text: str
    severity: Severity


@dataclass(frozen=True)
class Told:
    """An alert and when it came."""

    time: float
    """Unix time in seconds."""
    alert: Alert


@dataclass(frozen=True)
class _Known:
    """What was known of a run at the last look."""

    status: str
    diverged: bool
    warning: str
    """Of the training itself, as that a codebook collapses."""
    best: float | None
    """Of the best metric; None before the first validation."""


class Watch:
    """Compares each look with the one before; what already was so at the first is no news."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def news(self, snapshot: Snapshot) -> list[Alert]:
        """What happened since the last look."""
        alerts = []
        for run in snapshot.runs:
            old = self._known.get(run.name)
            new = _look(run, old)
            self._known[run.name] = new
            if old is not None:
                alerts += _alerts(run, old, new)
        return alerts


def _look(run: RunView, old: _Known | None) -> _Known:
    summary = run.summary
    loss = loss_value(summary.train)
    known = _Known(
        summary.status,
        loss is not None and not math.isfinite(loss),
        run.warning,
        None,
    )
    value = number(summary.validation.get(run.best_metric))
    candidates = [each for each in (value, old.best if old else None) if each is not None]
    if not candidates:
        return known
    return replace(known, best=min(candidates, key=lambda each: best_first(run.best_metric, each)))


def _alerts(run: RunView, old: _Known, new: _Known) -> list[Alert]:
    found = []
    if new.diverged and not old.diverged:
        found.append(Alert(run.name, "the loss is not finite any more", "error"))
    if new.warning != old.warning and new.warning:
        found.append(Alert(run.name, first_line(new.warning.partition(" ")[2]), "warning"))
    if old.best is not None and new.best is not None and new.best != old.best:
        text = f"new best {run.best_metric} {value_text(new.best)}, was {value_text(old.best)}"
        found.append(Alert(run.name, text, "information"))
    if new.status != old.status:
        found += _status_alerts(run, new.status)
    return found


def _status_alerts(run: RunView, status: str) -> list[Alert]:
    message = first_line(run.summary.state.message)
    if status == "lost":
        text = f"stalled: no heartbeat for {age_text(run.summary.age_seconds)}"
        return [Alert(run.name, text, "error")]
    if status == "failed":
        return [Alert(run.name, f"failed: {message}" if message else "failed", "error")]
    if status in ("finished", "stopped"):
        return [Alert(run.name, f"{status} at step {run.summary.step}", "information")]
    return []
