"""What `codecctl train` was asked for: profile, run folder and weights, before torch is loaded."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from codecctl.errors import UsageError
from codecctl.locations import runs_folder

if TYPE_CHECKING:
    from codecctl.engine.profile import Resolved
    from codecctl.engine.topology import Node

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=+-]*")


@dataclass(frozen=True)
class Wish:
    """The command line."""

    profile: str
    """"" where other options choose it."""
    arguments: Sequence[str]
    """Groups, keys and aliased options."""
    run: str
    """"" for a new run."""
    resume: bool
    start: str
    """Whose weights to start with, "" for none."""
    partial: bool
    """Leave out layers that do not fit."""
    stage: str = ""
    """Of the profile, to start in; "" for the first."""


@dataclass(frozen=True)
class Job:
    """What is to be trained, and where."""

    profile_name: str
    resolved: Resolved
    path: Path
    continues: bool
    source: Path | None
    """The checkpoint whose weights the networks start with."""
    partial: bool
    notes: tuple[str, ...]
    """To be said by the process that trains."""
    stage: str = ""
    """That the training starts in, or was started in; "" for the first."""


def plan(wish: Wish, *, leads: bool) -> Job:
    """Resolve profile and run folder.

    Args:
        wish: The command line.
        leads: Whether the run is made here, and not by the process that leads.

    Raises:
        CodecctlError: The command line asks for something that there is not, or that cannot be.
    """
    from codecctl.commands import train_from

    if wish.partial and not wish.start:
        raise UsageError("--from-partial: found no --from; name a run with --from RUN")
    if wish.stage and not wish.start:
        raise UsageError("--stage: found no --from; name the weights to start with: --from RUN")
    named = named_run(wish.run) if wish.run else None
    began = train_from.begin(
        wish.start, wish.profile, wish.arguments, run=named, resume=wish.resume
    )
    job = _resolved(began.profile, began.arguments, run=named, resume=wish.resume, leads=leads)
    source = train_from.again(job.path) if job.continues else began.checkpoint
    return Job(
        profile_name=job.profile_name,
        resolved=job.resolved,
        path=job.path,
        continues=job.continues,
        source=source,
        partial=wish.partial,
        notes=job.notes,
        stage=_stage(wish.stage, job),
    )


def node_of(job: Job, processes: int) -> Node:
    """How many processes to start; loads torch only where it may be several.

    Args:
        job: What they train.
        processes: Asked for on this node; 0 for one on each GPU.

    Raises:
        UsageError: So many cannot be started here.
        ProfileError: They cannot, or could not share a batch evenly.
    """
    from codecctl.engine.topology import plan_node, refuse_uneven

    trainer = job.resolved.profile.trainer
    batch_size, parts = job.resolved.profile.data.batch_size, trainer.accumulate_grad_batches
    gpus = 0
    if trainer.num_gpus not in (0, 1):
        import torch

        gpus = torch.cuda.device_count()
    node = plan_node(
        os.environ,
        asked=processes,
        num_gpus=trainer.num_gpus,
        num_nodes=trainer.num_nodes,
        gpus=gpus,
        portions=batch_size // parts,
    )
    refuse_uneven(batch_size, parts=parts, world_size=node.world_size)
    return node


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


def _stage(wanted: str, job: _Found) -> str:
    """The stage that a run starts in.

    Raises:
        UsageError: There is no such stage, or the run was started in another one.
    """
    from codecctl.engine.profile.names import did_you_mean
    from codecctl.engine.stages import read_start

    names = [stage.name for stage in job.resolved.profile.trainer.stages]
    if job.continues:
        then = read_start(job.path)
        if wanted not in ("", then):
            begun = f"in stage {then}" if then else "at its first step"
            raise UsageError(f"--stage {wanted}: {job.path.name} was started {begun}; leave it out")
        return then
    if wanted and wanted not in names:
        have = f"have: {', '.join(names)}" if names else f"{job.profile_name} has none"
        raise UsageError(f"--stage {wanted}: no such stage{did_you_mean(wanted, names)}; {have}")
    return "" if names[:1] == [wanted] else wanted


@dataclass(frozen=True)
class _Found:
    profile_name: str
    resolved: Resolved
    path: Path
    continues: bool
    notes: tuple[str, ...] = ()


def _resolved(
    profile: str, arguments: Sequence[str], *, run: Path | None, resume: bool, leads: bool
) -> _Found:
    from codecctl.engine import resume as resuming
    from codecctl.engine.profile import aliased_options, family_of, load_profile

    path, stored_name = run, ""
    if resume and path is not None:
        stored_name = str(resuming.stored_profile(path).get("name", ""))
    chosen, overrides = aliased_options(arguments, family=family_of(profile or stored_name))
    if chosen and profile and chosen != profile:
        raise UsageError(f"--profile {profile}: the other options choose {chosen}; keep one")
    name = profile or chosen or stored_name
    name, implied = (name, ()) if name else _implied(overrides)
    label = _profile_label(name)
    if resume and path is None:
        path = resuming.newest_run(runs_folder(), label)
    if path is None:
        path = runs_folder() / f"{label}-{time.strftime('%Y%m%d-%H%M%S')}"
    if path.exists() and not resume and leads:
        raise UsageError(
            f"{path.name}: a run of this name exists in {path.parent}; choose another with "
            "--run NAME, or continue it with --resume"
        )
    if resume and path.exists():
        return _continued(path, name, label, overrides)
    fresh = (f"nothing to resume: {path.name} starts at step 0",) if resume else ()
    resolved = load_profile(name, overrides)
    return _Found(label, resolved, path, continues=False, notes=(*implied, *fresh))


def _implied(overrides: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """The profile that nobody named, and a note that says why it is this one."""
    from codecctl.engine.profile.implied import GUIDE, implied_profile

    name, why = implied_profile(overrides)
    if not name:
        raise UsageError(
            "train: found no profile; name one with --profile: codecctl profile list (the trainer "
            f"guide's is --profile {GUIDE})"
        )
    return name, (f"profile {name}: {why}",)


def _continued(path: Path, name: str, label: str, overrides: Sequence[str]) -> _Found:
    from codecctl.engine import resume as resuming
    from codecctl.engine.profile import load_profile

    resuming.refuse_other_profile(path, label)
    stored = resuming.stored_profile(path)
    notes = []
    if not stored.get("profile"):
        notes.append(
            f"{path.name}: profile.json is missing or damaged; takes the profile of this command"
        )
    resolved = load_profile(name, resuming.merged_overrides(stored.get("overrides"), overrides))
    changed = resuming.refuse_changes(path, resolved.profile.model_dump(mode="json"))
    if changed:
        notes.append(f"{path.name}: continues with other values of {', '.join(changed)}")
    return _Found(label, resolved, path, continues=True, notes=tuple(notes))


def _profile_label(name: str) -> str:
    """The name of a profile that may be given as a file."""
    return Path(name).stem.lower().replace("_", "-") if name.endswith(".toml") else name
