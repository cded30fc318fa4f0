"""Recordings below a folder become one or more chunk stores.

Every recording is written beside its place and appears whole; the index that makes a store
visible is written last. So an ingest that was killed is finished by running it again, and one that
is complete does nothing. A source is read once for all stores.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from codecctl.datasets.discovery import Discovery, discover
from codecctl.datasets.ingest_goals import Goal, goals
from codecctl.datasets.ingest_index import IndexWriter
from codecctl.datasets.ingest_lock import StoreLock
from codecctl.datasets.ingest_plan import Held, Plan, make_plan
from codecctl.datasets.ingest_pool import Outcome, Pool
from codecctl.datasets.ingest_report import Report, Tally, report_of
from codecctl.datasets.ingest_space import Space, require_space, spaces
from codecctl.datasets.ingest_survey import Rules, Survey, missing, survey
from codecctl.datasets.ingest_target import (
    Target,
    clean,
    has_leftovers,
    inspect_target,
    nearest_folder,
    remove_empty,
    require_match,
)
from codecctl.datasets.naming import Place
from codecctl.datasets.shards import Shard
from codecctl.errors import DataError, InterruptedByUserError


@dataclass(frozen=True)
class Prepared:
    """A source that was searched and opened, and what an ingest of it would do."""

    found: Discovery
    survey: Survey
    rules: Rules
    goals: tuple[Goal, ...]
    targets: tuple[Target, ...]
    """The store of each goal as it is now."""
    merged: tuple[Target | None, ...]
    """The store that each shard becomes a part of."""
    plan: Plan
    notes: tuple[str, ...]
    """What the user should know and no file is to blame for."""

    @property
    def target(self) -> Target:
        """The first store."""
        return self.targets[0]

    @property
    def spaces(self) -> tuple[Space, ...]:
        """The disks of the stores, and what is to be written there."""
        return spaces((one.goal.folder, one.target_bytes) for one in self.plan.stores)

    @property
    def free_bytes(self) -> int:
        """Of the disk of the first store."""
        return self.spaces[0].free


def prepare(source: Path, store: Path, rules: Rules) -> Prepared:
    """Search a folder, open the header of every file and compare with what the stores hold.

    Args:
        source: A folder, or one file.
        store: Folder of the store of the first rate; need not exist.
        rules: What the user asked for.

    Raises:
        NotFoundError: There is no such source, table or list.
        DataError: The source holds no audio.
        UsageError: A store holds another rate or type.
    """
    found = discover(source)
    if not found.files and not found.broken:
        raise DataError(_no_audio(source, found))
    opened = survey(found, rules, known_corpus=_known_corpus(source, store, rules))
    wanted = goals(store, opened, rules)
    targets = tuple(inspect_target(goal.folder) for goal in wanted)
    merged = tuple(map(_merged, wanted))
    for goal, *there in zip(wanted, targets, merged, strict=True):
        for target in there:
            if opened.candidates and target is not None:
                require_match(target, sample_rate=goal.sample_rate, dtype=goal.dtype)
    plan = make_plan(opened, rules, goals=wanted, held=_held(targets, merged))
    held = [Place(row.scene, row.take, raw=False) for row in targets[0].stored.values()]
    lacking = missing(opened, held)
    notes = (*opened.notes, *([lacking] if lacking else []))
    return Prepared(found, opened, rules, wanted, targets, merged, plan, notes)


def ingest(
    prepared: Prepared,
    *,
    num_workers: int,
    on_bytes: Callable[[int], None],
    on_file: Callable[[Outcome], None] = lambda _: None,
    name: str = "",
) -> Report:
    """Store every recording of the plan that is not there yet, then write the indexes.

    Args:
        prepared: From `prepare`.
        num_workers: Processes, one recording at a time each.
        on_bytes: Called with the bytes of sources read since the last call.
        on_file: Called with what became of each file.
        name: Of the first store; the name of its folder when empty.

    Raises:
        CodecctlError: A disk is too small, or another ingest is at work.
        InterruptedByUserError: Ctrl-C; what is stored stays, the indexes are not written.
    """
    started = time.monotonic()
    writers = _writers(prepared, prepared.plan, prepared.targets, name)
    folders = [goal.folder for goal in prepared.goals]
    is_idle = not prepared.plan.jobs and not any(map(has_leftovers, folders))
    if is_idle and not any(writer.is_needed(writer.stored) for writer in writers):
        return report_of(prepared.plan, Tally(writers), started=started)
    there = [nearest_folder(folder) for folder in folders]
    try:
        with ExitStack() as stack:
            # In one order, so that two ingests never wait for each other.
            locks = [stack.enter_context(StoreLock(folder)) for folder in sorted(folders)]
            alone = all(lock.is_exclusive for lock in locks)
            for folder in folders:
                clean(folder, alone=alone)
            require_space(prepared.spaces)
            targets = tuple(map(inspect_target, folders))
            held = _held(targets, prepared.merged)
            plan = make_plan(prepared.survey, prepared.rules, goals=prepared.goals, held=held)
            tally = Tally(_writers(prepared, plan, targets, name))
            _run(plan, tally, locks, num_workers=num_workers, on_bytes=on_bytes, on_file=on_file)
            if tally.complete:
                tally.write_indexes()
    finally:
        for folder, down_to in zip(folders, there, strict=True):
            remove_empty(folder, down_to=down_to)
    return report_of(plan, tally, started=started)


def _run(
    plan: Plan,
    tally: Tally,
    locks: Sequence[StoreLock],
    *,
    num_workers: int,
    on_bytes: Callable[[int], None],
    on_file: Callable[[Outcome], None],
) -> None:
    def count(number: int) -> None:
        tally.source_bytes += number
        on_bytes(number)

    def settle(outcome: Outcome) -> None:
        tally.settle(outcome)
        on_file(outcome)

    def renew() -> None:
        for lock in locks:
            lock.renew()

    descriptors = [lock.descriptor for lock in locks]
    pool = Pool(max(1, num_workers), locks=descriptors, on_bytes=count, on_idle=renew)
    try:
        with pool:
            pool.run(plan.jobs, settle)
    except KeyboardInterrupt:
        for writer in tally.writers.values():
            clean(writer.folder, alone=all(lock.is_exclusive for lock in locks))
        raise InterruptedByUserError(
            f"interrupted: {tally.num_files} of {len(plan.jobs)} recordings are stored; "
            "the same command stores the others"
        ) from None


def _known_corpus(source: Path, store: Path, rules: Rules) -> str:
    """Id of the corpus that the store has from this very source, "" when it has none."""
    folders = [store]
    if rules.shard is not None:
        folders.append(store.with_name(Shard(store.name, *rules.shard).folder_name))
    for folder in folders:
        index = inspect_target(folder).index
        for corpus in () if index is None else index.corpora:
            if corpus.folder == str(source.resolve()):
                return corpus.id
    return ""


def _merged(goal: Goal) -> Target | None:
    if goal.shard is None:
        return None
    return inspect_target(goal.folder.with_name(goal.shard.name))


def _held(targets: Sequence[Target], merged: Sequence[Target | None]) -> list[Held]:
    return [
        Held(target.stored, {} if whole is None else whole.stored)
        for target, whole in zip(targets, merged, strict=True)
    ]


def _writers(
    prepared: Prepared, plan: Plan, targets: Sequence[Target], name: str
) -> list[IndexWriter]:
    first = name or prepared.goals[0].folder.name
    names = [first, *(goal.folder.name for goal in prepared.goals[1:])]
    return [
        IndexWriter(target, store, prepared.survey, digest=plan.digest, name=one)
        for target, store, one in zip(targets, plan.stores, names, strict=True)
    ]


def _no_audio(source: Path, found: Discovery) -> str:
    if not source.is_dir():
        return f"{source}: no audio"
    for folder in (source, *sorted(path.parent for path in source.glob("*/index.json"))):
        if (folder / "index.json").is_file() and (folder / "rec").is_dir():
            return f"{folder}: a store, not recordings; train takes it as data.store={folder.name}"
    if not found.left_out:
        return f"{source}: no audio file here or below"
    first = found.left_out[0]
    more = f" and {len(found.left_out) - 1} more" if len(found.left_out) > 1 else ""
    return f"{source}: no audio file here or below, but {first.path}{more}: {first.reason}"


def default_workers() -> int:
    """Processors that this process may use, and no more than SLURM has given to the task."""
    available = len(os.sched_getaffinity(0))
    given = os.environ.get("SLURM_CPUS_PER_TASK", "")
    return min(available, int(given)) if given.isdecimal() and int(given) > 0 else available
