"""`codecctl train -m`: every combination of the values in comma lists, each as a run of its own."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from codecctl.commands.train_array import Queue, queue_sweep
from codecctl.commands.train_job import Wish, named_run
from codecctl.commands.train_slurm import process_options, start_options
from codecctl.engine.children import Child
from codecctl.engine.profile import aliased_options, family_of, load_profile
from codecctl.engine.profile.product import combinations
from codecctl.engine.runlist import read_tags, summarize_run
from codecctl.engine.sweep import (
    Member,
    Sweep,
    best_value,
    newest_sweep,
    ranked,
    read_sweep,
    sweep_file,
)
from codecctl.errors import (
    CodecctlError,
    InterruptedByUserError,
    NotFoundError,
    ProfileError,
    StoppedError,
    UsageError,
)
from codecctl.locations import runs_folder
from codecctl.output import note, result

MOST = 256
"""Runs of a sweep; more are a slip of the keyboard."""


@dataclass(frozen=True)
class _Ready:
    """A sweep whose every run has a valid profile."""

    sweep: Sweep
    metric: str
    """What chooses the best checkpoint, and the best run."""
    continues: bool


def sweep(wish: Wish, *, dry_run: bool, processes: int = 0, queue: Queue | None = None) -> None:
    """Train every combination, one after the other, and say which was the best.

    Args:
        wish: The command line, with comma lists.
        dry_run: Try one item of each run and write nothing.
        processes: Of `--processes`, for each run.
        queue: The job array of Slurm that was asked for.

    Raises:
        UsageError: There is no list, there are too many runs, or a name is taken.
        ProfileError: A combination does not resolve; nothing was trained.
        InterruptedByUserError: Ctrl-C; what ran has saved.
        StoppedError: The scheduler asked for the end; what ran has saved.
        CodecctlError: Some runs failed; the others were trained.
    """
    options = [*start_options(wish), *process_options(processes)]
    ready = _prepare(wish)
    plan = ready.sweep
    note(f"sweep {plan.name}: {len(plan.members)} runs, {', '.join(plan.keys)}")
    if dry_run:
        for member in plan.members:
            note(f"{member.run}: {' '.join(member.overrides)}")
            _finish(plan, Child().run(_command(plan, member, [*options, "--dry-run"])), member)
        return
    if not ready.continues:
        plan.write(runs_folder())
    if queue is not None:
        queue_sweep(plan, _unfinished(plan), wish, queue, options=options)
        return
    failed = _train(plan, options)
    _print_table(plan, ready.metric)
    if failed:
        names = ", ".join(member.run for member in failed)
        raise CodecctlError(
            f"{plan.name}: {len(failed)} of {len(plan.members)} runs failed: {names}; once mended, "
            f"{_again(plan)}"
        )


def _train(plan: Sweep, options: Sequence[str]) -> list[Member]:
    """Train what is not finished; the runs that failed."""
    failed = []
    for at, member in enumerate(plan.members, start=1):
        path = runs_folder() / member.run
        if _is_finished(member):
            note(f"{member.run}: finished before")
            _tag(member, plan.name)
            continue
        note(f"run {at} of {len(plan.members)}: {member.run}")
        go_on = ["--resume"] if path.exists() else []
        code = Child().run(_command(plan, member, [*options, "--run", member.run, *go_on]))
        if path.is_dir():
            _tag(member, plan.name)
        if _finish(plan, code, member):
            failed.append(member)
    return failed


def _unfinished(plan: Sweep) -> dict[int, Member]:
    """What is still to be trained, by its number in the sweep."""
    return {at: each for at, each in enumerate(plan.members, start=1) if not _is_finished(each)}


def _is_finished(member: Member) -> bool:
    return summarize_run(runs_folder() / member.run).status == "finished"


def _finish(plan: Sweep, code: int, member: Member) -> bool:
    """Whether a run failed; one that was stopped ends the sweep."""
    if code in (InterruptedByUserError.exit_code, -signal.SIGINT):
        raise InterruptedByUserError(f"{plan.name}: stopped in {member.run}; {_again(plan)}")
    if code in (StoppedError.exit_code, -signal.SIGTERM):
        raise StoppedError(f"{plan.name}: stopped in {member.run}; requeue, or {_again(plan)}")
    return code != 0


def _again(plan: Sweep) -> str:
    return f"continue with: codecctl train -m --run {plan.name} --resume"


def _command(plan: Sweep, member: Member, options: Sequence[str]) -> list[str]:
    program = [sys.executable, sys.argv[0], "train", "--profile", plan.profile]
    return [*program, *plan.shared, *member.overrides, *options]


def _prepare(wish: Wish) -> _Ready:
    runs = runs_folder()
    name = wish.run
    chosen, overrides = aliased_options(wish.arguments, family=family_of(wish.profile))
    profile = wish.profile or chosen or ""
    if wish.resume and not name:
        name = newest_sweep(runs, profile) or ""
    if wish.resume and name and sweep_file(runs, name).exists():
        plan = read_sweep(runs, name)
        _refuse_other(plan, profile, overrides)
        return _Ready(plan, _checked(plan), continues=True)
    if wish.resume and not profile:
        raise NotFoundError(f"{name or '-m'}: no sweep of this name in {runs} to resume")
    plan = _new(name, profile, overrides)
    metric = _checked(plan)
    _refuse_taken(plan)
    return _Ready(plan, metric, continues=False)


def _new(name: str, profile: str, overrides: Sequence[str]) -> Sweep:
    if not profile:
        raise UsageError("train -m: found no profile; name one with --profile")
    shared, keys, found = combinations(overrides)
    if not keys:
        raise UsageError(
            "train -m: found no list of values, needed KEY=A,B or GROUP=A,B; without -m this "
            "trains one run"
        )
    if len(found) > MOST:
        raise UsageError(
            f"train -m: found {len(found)} combinations, allowed: {MOST}; sweep fewer values"
        )
    name = name or f"{profile}-sweep-{time.strftime('%Y%m%d-%H%M%S')}"
    named_run(name)
    width = len(str(len(found)))
    members = tuple(
        Member(f"{name}-{at:0{width}d}-{each.label}", each.overrides, each.values)
        for at, each in enumerate(found, start=1)
    )
    return Sweep(name, profile, shared, keys, members)


def _checked(plan: Sweep) -> str:
    """The metric of the first run, once the profiles of all resolve."""
    problems: dict[str, None] = {}
    metric = ""
    for member in plan.members:
        try:
            resolved = load_profile(plan.profile, [*plan.shared, *member.overrides])
        except ProfileError as error:
            problems |= dict.fromkeys(error.problems)
            continue
        metric = metric or resolved.profile.trainer.best_metric
    if problems:
        raise ProfileError(tuple(problems))
    return metric


def _refuse_other(plan: Sweep, profile: str, overrides: Sequence[str]) -> None:
    if profile not in ("", plan.profile):
        raise UsageError(
            f"{plan.name}: found a sweep of profile {plan.profile}, asked to continue {profile}"
        )
    shared, keys, found = combinations(overrides)
    same = (shared, keys, [each.overrides for each in found]) == (
        plan.shared,
        plan.keys,
        [each.overrides for each in plan.members],
    )
    if overrides and not same:
        raise UsageError(
            f"{plan.name}: found other values than those that this sweep was started with; leave "
            "them out, or start another with --run NAME"
        )


def _refuse_taken(plan: Sweep) -> None:
    runs = runs_folder()
    taken = [sweep_file(runs, plan.name), *(runs / member.run for member in plan.members)]
    for path in taken:
        if path.exists():
            raise UsageError(
                f"{path.name}: exists in {runs}; choose another name with --run NAME, or continue "
                "the sweep with --resume"
            )


def _tag(member: Member, name: str) -> None:
    from codecctl.engine.rundir import write_tags

    path = runs_folder() / member.run
    if name not in read_tags(path):
        write_tags(path, {*read_tags(path), name})


def _print_table(plan: Sweep, metric: str) -> None:
    """One line for each run, the best first."""
    runs = runs_folder()
    values = [(member, best_value(runs / member.run, metric)) for member in plan.members]
    rows = [("run", *plan.keys, "status", "step", metric)]
    for at in ranked(values, metric):
        member, value = values[at]
        run = summarize_run(runs / member.run)
        shown = "" if value is None else f"{value:.5g}"
        rows.append((member.run, *member.values, run.status, str(run.step), shown))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        result("  ".join(cells).rstrip())
