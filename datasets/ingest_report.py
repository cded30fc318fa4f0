"""What an ingest has done, while it runs and at its end."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from codecctl.datasets.discovery import Problem
from codecctl.datasets.ingest_goals import Goal
from codecctl.datasets.ingest_index import IndexWriter
from codecctl.datasets.ingest_plan import Plan
from codecctl.datasets.ingest_pool import Outcome
from codecctl.datasets.store import RecordingInfo


@dataclass(frozen=True)
class StoreReport:
    """What became of one store."""

    goal: Goal
    recordings: Mapping[str, RecordingInfo]
    """Everything that the store holds now, by name."""
    stored: tuple[str, ...]
    """Names that were written by this ingest."""
    unchanged: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """What an ingest did."""

    plan: Plan
    stores: tuple[StoreReport, ...]
    refused: tuple[Problem, ...]
    """Files that cannot be taken."""
    failed: tuple[Problem, ...]
    """Files that could not be written, or whose process died."""
    complete: bool
    """The indexes are written; False when a disk did not take everything."""
    source_bytes: int
    """Read by this ingest."""
    seconds: float
    """Wall time."""

    @property
    def recordings(self) -> Mapping[str, RecordingInfo]:
        """Of the first store."""
        return self.stores[0].recordings

    @property
    def stored(self) -> tuple[str, ...]:
        """In the first store."""
        return self.stores[0].stored


class Tally:
    """What has been done so far."""

    def __init__(self, writers: Sequence[IndexWriter]) -> None:
        self.writers = {str(writer.folder): writer for writer in writers}
        self.recordings = {folder: dict(one.stored) for folder, one in self.writers.items()}
        self.stored: dict[str, list[str]] = {folder: [] for folder in self.writers}
        self.refused: list[Problem] = []
        self.failed: list[Problem] = []
        self.complete = True
        self.num_files = 0
        self.source_bytes = 0

    def settle(self, outcome: Outcome) -> None:
        """Take note of what became of a file; a store in use never lists what was replaced."""
        path = outcome.job.source_name
        if outcome.refused:
            self.refused.append(Problem(path, outcome.refused))
        elif outcome.failed or outcome.crashed:
            self.failed.append(Problem(path, outcome.failed or outcome.crashed))
            self.complete = self.complete and not outcome.failed
        else:
            self.num_files += 1
        for output, row in zip(outcome.job.outputs, outcome.stored, strict=False):
            if row is None:
                continue
            self.stored[output.store].append(row.name)
            self.recordings[output.store][row.name] = row
            if row.name in self.writers[output.store].listed:
                self.writers[output.store].write(self.recordings[output.store])

    def write_indexes(self) -> None:
        """Make every store visible as it is now."""
        for folder, writer in self.writers.items():
            writer.finish(self.recordings[folder], whole=not self.failed)


def report_of(plan: Plan, tally: Tally, *, started: float) -> Report:
    """What an ingest that began at a moment of the monotonic clock did."""
    stores = [
        StoreReport(
            goal=store.goal,
            recordings=tally.recordings[str(store.goal.folder)],
            stored=tuple(sorted(tally.stored[str(store.goal.folder)])),
            unchanged=store.unchanged,
        )
        for store in plan.stores
    ]
    return Report(
        plan=plan,
        stores=tuple(stores),
        refused=tuple(sorted((*plan.refused, *tally.refused), key=lambda item: item.path)),
        failed=tuple(sorted(tally.failed, key=lambda item: item.path)),
        complete=tally.complete,
        source_bytes=tally.source_bytes,
        seconds=time.monotonic() - started,
    )
