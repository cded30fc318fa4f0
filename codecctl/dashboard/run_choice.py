"""Which runs are listed and drawn, in which order, and which one the others are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from codecctl.dashboard.run_filter import RunFilter, sorted_runs
from codecctl.dashboard.views import RunView


@dataclass(frozen=True)
class RunChoice:
    """How the list of runs is looked at."""

    run_filter: RunFilter = field(default_factory=RunFilter)
    sort_by: str = ""
    """A scalar whose best value comes first; "" for the newest start first."""
    pinned: str = ""
    """The run that stays on top, is always drawn, above the others, and compared with; or ""."""

    def listed(self, runs: Sequence[RunView]) -> list[RunView]:
        """The runs that are listed, in their order."""
        chosen = [run for run in runs if run.name == self.pinned or self.run_filter.matches(run)]
        return sorted_runs(chosen, self.sort_by, pinned=self.pinned)

    def words(self) -> list[str]:
        """What differs from all runs in the order of their start."""
        words = []
        if self.run_filter.problem:
            words.append(self.run_filter.problem)
        elif self.run_filter.text:
            words.append(f"only {self.run_filter.text}")
        words += [f"by {self.sort_by}"] if self.sort_by else []
        return words + ([f"pinned {self.pinned}"] if self.pinned else [])


def next_sorting(runs: Sequence[RunView], current: str) -> str:
    """The next thing that the list is sorted by, of the few that every run has."""
    metrics = sorted({run.best_metric for run in runs})
    order = ["", *metrics, "loss/total", "step", "seen"]
    return order[(order.index(current) + 1) % len(order)] if current in order else ""
