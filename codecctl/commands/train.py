"""`codecctl train`: a profile and a store become a run."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codecctl.errors import InterruptedByUserError, StoppedError, UsageError
from codecctl.locations import runs_folder, stores_folder
from codecctl.output import note

if TYPE_CHECKING:
    from codecctl.engine.prepare import Prepared
    from codecctl.engine.profile import Resolved

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=+-]*")


@dataclass(frozen=True)
class _Job:
    """What the command line asks for, before anything heavy is loaded."""

    profile_name: str
    resolved: Resolved
    path: Path
    continues: bool


def train(
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[GROUP=OPTION] [KEY=VALUE]...",
            help="Changes to the profile, e.g. model=tiny trainer.max_steps=1000.",
        ),
    ] = None,
    profile: Annotated[
        str, typer.Option("--profile", "-p", help="What to train: see `codecctl profile list`.")
    ] = "",
    run: Annotated[
        str, typer.Option("--run", help="Name of the run; default: profile, date and time.")
    ] = "",
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Continue --run, or the profile's newest; else start."),
    ] = False,
    start: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="RUN[:CKPT]",
            help="Start with the weights of a checkpoint: best, last, step or folder.",
        ),
    ] = "",
    from_partial: Annotated[
        bool, typer.Option("--from-partial", help="With --from: leave out layers that do not fit.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Build everything, run an item, print sizes and times."),
    ] = False,
) -> None:
    """Train a profile on a store; first Ctrl-C saves and stops, second quits."""
    from codecctl.commands import train_from

    if from_partial and not start:
        raise UsageError("--from-partial: found no --from; name a run with --from RUN")
    named = named_run(run) if run else None
    began = train_from.begin(start, profile, overrides or [], run=named, resume=resume)
    job = _plan(began.profile, began.arguments, run=run, resume=resume)
    source = train_from.again(job.path) if job.continues else began.checkpoint
    for notice in job.resolved.notices:
        note(notice)
    prepared = _prepare(job)
    from codecctl.commands import train_lines

    taken = train_from.take_weights(prepared, source, partial=from_partial) if source else None
    train_lines.print_start(prepared)
    if dry_run:
        train_lines.print_dry_run(prepared)
        return
    train_lines.warn_of_disk(prepared, runs_folder())
    train_lines.warn_of_slow_device(prepared)
    _train(job, prepared, taken)


def _plan(profile: str, arguments: list[str], *, run: str, resume: bool) -> _Job:
    """Resolve profile and run folder; fails before torch is loaded."""
    from codecctl.engine import resume as resuming
    from codecctl.engine.profile import aliased_options, load_profile

    chosen, overrides = aliased_options(arguments)
    if chosen and profile and chosen != profile:
        raise UsageError(f"--profile {profile}: the other options choose {chosen}; keep one")
    name = profile or chosen or ""
    path = named_run(run) if run else None
    if not name and resume and path is not None:
        name = str(resuming.stored_profile(path).get("name", ""))
    if not name:
        raise UsageError("train: found no profile; name one with --profile: codecctl profile list")
    if resume and path is None:
        path = resuming.newest_run(runs_folder(), _profile_label(name))
    label = _profile_label(name)
    if path is None:
        path = runs_folder() / f"{label}-{time.strftime('%Y%m%d-%H%M%S')}"
    continues = resume and path.exists()
    if path.exists() and not resume:
        raise UsageError(
            f"{path.name}: a run of this name exists in {path.parent}; choose another with "
            "--run NAME, or continue it with --resume"
        )
    if not continues:
        if resume:
            note(f"nothing to resume: {path.name} starts at step 0")
        return _Job(label, load_profile(name, overrides), path, continues)
    resuming.refuse_other_profile(path, label)
    stored = resuming.stored_profile(path)
    if not stored.get("profile"):
        note(f"{path.name}: profile.json is missing or damaged; takes the profile of this command")
    resolved = load_profile(name, resuming.merged_overrides(stored.get("overrides"), overrides))
    changed = resuming.refuse_changes(path, resolved.profile.model_dump(mode="json"))
    if changed:
        note(f"{path.name}: continues with other values of {', '.join(changed)}")
    return _Job(label, resolved, path, continues)


def named_run(name: str, *, option: str = "--run") -> Path:
    """The folder that a new run of this name gets.

    Raises:
        UsageError: It is no plain folder name.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{option} {name}: found a name that is no plain folder name, needed letters, digits "
            "and any of . _ = + -"
        )
    return runs_folder() / name


def _profile_label(name: str) -> str:
    """The name of a profile that may be given as a file."""
    return Path(name).stem.lower().replace("_", "-") if name.endswith(".toml") else name


def _prepare(job: _Job) -> Prepared:
    """Open the store and build data and networks."""
    from codecctl.datasets import rated
    from codecctl.datasets.choose import AUTO, choose_store
    from codecctl.engine.need import need_of
    from codecctl.engine.resume import refuse_other_sides, refuse_other_store, stored_store
    from codecctl.engine.sides import sides_of
    from codecctl.engine.tracking import require_packages

    profile = job.resolved.profile
    require_packages(profile.trainer.logger)
    wanted = profile.data.store
    if job.continues and wanted == AUTO:
        wanted = stored_store(job.path) or wanted
    store = choose_store(stores_folder(), need_of(profile), wanted)
    if job.continues:
        refuse_other_store(job.path, name=store.name, fingerprint=store.fingerprint)
    sides = sides_of(profile.data, store).sides  # refused now, not after loading torch
    if job.continues:
        refuse_other_sides(job.path, sides)
    if resampled := rated.note(store):
        note(resampled)
    note("loading torch")
    from codecctl.engine.prepare import prepare

    return prepare(profile, store)


def _train(job: _Job, prepared: Prepared, taken: Mapping[str, object] | None) -> None:
    from codecctl.commands import train_lines
    from codecctl.engine.origin import Origin
    from codecctl.engine.session import Session

    origin = Origin(job.profile_name, job.resolved, sys.argv, taken=taken)
    line = train_lines.ProgressLine()
    note(f"run {job.path}")
    try:
        session = Session(prepared, job.path, origin=origin, tell=line.tell, on_phase=line.phase)
        outcome = session.train(line.report)
    finally:
        line.close()
    for text in outcome.notes:
        note(text)
    where = f"{job.path.name}: stopped at step {outcome.step}, checkpoint saved"
    go_on = f"codecctl train --profile {job.profile_name} --run {job.path.name} --resume"
    if outcome.reason == "interrupted":
        raise InterruptedByUserError(f"{where}; continue with: {go_on}")
    if outcome.reason == "preempted":
        raise StoppedError(f"{where}; requeue, or continue with: {go_on}")
    train_lines.print_summary(prepared, job.path)
    if outcome.reason == "requested":
        note(f"{where}; continue with: {go_on}")
