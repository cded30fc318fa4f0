"""Recordings below a folder become a chunk store.

Every recording is written beside its place and appears whole; the index that makes the store
visible is written last. So an ingest that was killed is finished by running it again, and one that
is complete does nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from codecctl.datasets.discovery import Discovery, Problem, discover
from codecctl.datasets.ingest_lock import StoreLock
from codecctl.datasets.ingest_plan import Plan, Rules, Survey, make_plan, stored_rate, survey
from codecctl.datasets.ingest_pool import Outcome, Pool
from codecctl.datasets.ingest_target import (
    Target,
    clean,
    free_space,
    inspect_target,
    nearest_folder,
    remove_empty,
    require_match,
)
from codecctl.datasets.store import Corpus, RecordingInfo, size_text, write_index
from codecctl.errors import CodecctlError, DataError, InterruptedByUserError


@dataclass(frozen=True)
class Prepared:
    """A source that was searched and opened, and what an ingest of it would do."""

    found: Discovery
    survey: Survey
    rules: Rules
    target: Target
    plan: Plan

    @property
    def free_bytes(self) -> int:
        """Of the disk of the store."""
        return free_space(self.target.folder)


@dataclass(frozen=True)
class Report:
    """What an ingest did."""

    plan: Plan
    recordings: Mapping[str, RecordingInfo]
    """Everything that the store holds now, by name."""
    stored: tuple[str, ...]
    """Names that were written by this ingest."""
    refused: tuple[Problem, ...]
    """Files that cannot be taken."""
    failed: tuple[Problem, ...]
    """Files that could not be written, or whose process died."""
    complete: bool
    """The index is written; False when the disk did not take everything."""
    source_bytes: int
    """Read by this ingest."""
    seconds: float
    """Wall time."""


def prepare(source: Path, store: Path, rules: Rules) -> Prepared:
    """Search a folder, open the header of every file and compare with what the store holds.

    Args:
        source: A folder, or one file.
        store: Folder of the store; need not exist.
        rules: What the user asked for.

    Raises:
        NotFoundError: There is no such source.
        DataError: The source holds no audio.
        UsageError: The store holds another rate or type.
    """
    found = discover(source)
    if not found.files and not found.broken:
        raise DataError(_no_audio(source, found))
    opened = survey(found, min_seconds=rules.min_seconds)
    target = inspect_target(store)
    rate = stored_rate(opened, rules)
    if opened.candidates:
        require_match(target, sample_rate=rate, dtype=rules.dtype)
    plan = make_plan(opened, rules, store=store, stored=target.stored)
    return Prepared(found, opened, rules, target, plan)


def ingest(
    prepared: Prepared, *, num_workers: int, on_bytes: Callable[[int], None], name: str = ""
) -> Report:
    """Store every recording of the plan that is not there yet, then write the index.

    Args:
        prepared: From `prepare`.
        num_workers: Processes, one recording at a time each.
        on_bytes: Called with the bytes of sources read since the last call.
        name: Of the store; the name of its folder when empty.

    Raises:
        CodecctlError: The disk is too small, or another ingest is at work.
        InterruptedByUserError: Ctrl-C; what is stored stays, the index is not written.
    """
    started = time.monotonic()
    folder = prepared.target.folder
    there = nearest_folder(folder)
    if not prepared.plan.jobs and not _index_needed(prepared.target, prepared.target.stored):
        return _report(prepared.plan, _Tally(dict(prepared.target.stored)), started)
    try:
        with StoreLock(folder) as lock:
            clean(folder, alone=lock.is_exclusive)
            _require_space(prepared)
            target = inspect_target(folder)
            plan = make_plan(prepared.survey, prepared.rules, store=folder, stored=target.stored)
            tally = _Tally(dict(target.stored))
            index = _Index(prepared, target, name or folder.name)
            _run(plan, tally, index, lock=lock, num_workers=num_workers, on_bytes=on_bytes)
            if tally.complete and _index_needed(target, tally.recordings):
                index.write(tally.recordings)
    finally:
        remove_empty(folder, down_to=there)
    return _report(plan, tally, started)


class _Tally:
    """What has been done so far."""

    def __init__(self, recordings: dict[str, RecordingInfo]) -> None:
        self.recordings = recordings
        self.stored: list[str] = []
        self.refused: list[Problem] = []
        self.failed: list[Problem] = []
        self.complete = True
        self.source_bytes = 0


class _Index:
    """Writes the index of the store that is being made."""

    def __init__(self, prepared: Prepared, target: Target, name: str) -> None:
        self.folder = target.folder
        self._name = name
        self._source = str(prepared.found.folder.absolute())
        self.listed = target.listed

    def write(self, recordings: Mapping[str, RecordingInfo]) -> None:
        row = next(iter(recordings.values()))
        write_index(
            self.folder,
            name=self._name,
            sample_rate=row.sample_rate,
            dtype=row.dtype,
            recordings=tuple(recordings.values()),
            corpora=[Corpus(self._name, self._source)],
        )


def _run(
    plan: Plan,
    tally: _Tally,
    index: _Index,
    *,
    lock: StoreLock,
    num_workers: int,
    on_bytes: Callable[[int], None],
) -> None:
    def count(number: int) -> None:
        tally.source_bytes += number
        on_bytes(number)

    def settle(outcome: Outcome) -> None:
        _settle(outcome, tally)
        if any(row is not None and row.name in index.listed for row in outcome.stored):
            index.write(tally.recordings)  # a store in use never lists what was replaced

    pool = Pool(max(1, num_workers), lock=lock.descriptor, on_bytes=count, on_idle=lock.renew)
    try:
        with pool:
            pool.run(plan.jobs, settle)
    except KeyboardInterrupt:
        clean(index.folder, alone=lock.is_exclusive)
        raise InterruptedByUserError(
            f"interrupted: {len(tally.stored)} of {len(plan.jobs)} recordings are stored; "
            "the same command stores the others"
        ) from None


def _settle(outcome: Outcome, tally: _Tally) -> None:
    path = outcome.job.source_name
    if outcome.refused:
        tally.refused.append(Problem(path, outcome.refused))
    elif outcome.failed or outcome.crashed:
        tally.failed.append(Problem(path, outcome.failed or outcome.crashed))
        tally.complete = tally.complete and not outcome.failed
    for row in outcome.stored:
        if row is not None:
            tally.stored.append(row.name)
            tally.recordings[row.name] = row


def _index_needed(target: Target, recordings: Mapping[str, RecordingInfo]) -> bool:
    return bool(recordings) and dict(target.listed) != dict(recordings)


def _require_space(prepared: Prepared) -> None:
    needed, free = prepared.plan.target_bytes, prepared.free_bytes
    if needed > free:
        raise CodecctlError(
            f"{prepared.target.folder}: the store needs {size_text(needed)}, the disk has "
            f"{size_text(free)} free; make room or set CODECCTL_HOME to a larger disk"
        )


def _report(plan: Plan, tally: _Tally, started: float) -> Report:
    return Report(
        plan=plan,
        recordings=tally.recordings,
        stored=tuple(sorted(tally.stored)),
        refused=tuple(sorted((*plan.refused, *tally.refused), key=lambda item: item.path)),
        failed=tuple(sorted(tally.failed, key=lambda item: item.path)),
        complete=tally.complete,
        source_bytes=tally.source_bytes,
        seconds=time.monotonic() - started,
    )


def _no_audio(source: Path, found: Discovery) -> str:
    beside = f"; {found.left_out[0].path}: {found.left_out[0].reason}" if found.left_out else ""
    more = f" and {len(found.left_out) - 1} more" if len(found.left_out) > 1 else ""
    return f"{source}: no audio file here or below{beside}{more}"


def default_workers() -> int:
    """Processors that this process may use, and no more than SLURM has given to the task."""
    available = len(os.sched_getaffinity(0))
    given = os.environ.get("SLURM_CPUS_PER_TASK", "")
    return min(available, int(given)) if given.isdecimal() and int(given) > 0 else available
