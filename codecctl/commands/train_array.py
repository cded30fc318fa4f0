"""`codecctl train -m --slurm`: the runs of a sweep as the tasks of one job array."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from codecctl.commands.train_job import Job, Wish, plan
from codecctl.commands.train_slurm import (
    array_script,
    deliver,
    directives_of,
    read_options,
    train_words,
)
from codecctl.engine.sweep import Member, Sweep
from codecctl.errors import UsageError
from codecctl.locations import runs_folder
from codecctl.output import note


@dataclass(frozen=True)
class Queue:
    """What a job was asked to be."""

    options: tuple[str, ...]
    """Of `--sbatch`, KEY=VALUE."""
    submit: bool
    """Send it, and do not only print it."""


def queue_sweep(
    sweep: Sweep,
    members: dict[int, Member],
    wish: Wish,
    queue: Queue,
    *,
    options: Sequence[str],
) -> None:
    """Print the script of a job array, or send it.

    Args:
        sweep: Whose runs they are.
        members: By the number of the task: what is not finished yet.
        wish: The command line.
        queue: What the job shall be.
        options: Of `train`, for each run.

    Raises:
        UsageError: The runs need different nodes or GPUs, or an option is none of sbatch's form.
        NotFoundError: There is no `sbatch` here.
        CodecctlError: `sbatch` refused the job.
    """
    if not members:
        note(f"{sweep.name}: every run is finished; nothing is left for a job")
        return
    given = read_options(queue.options)
    commands: dict[int, list[str]] = {}
    needs: dict[str, tuple[str, dict[str, str]]] = {}
    for number, member in members.items():
        one, job = _job(sweep, member, wish)
        commands[number] = train_words(one, job, options)
        wanted = {**directives_of(job, {}), "job-name": sweep.name, "output": "%x-%A_%a.out"}
        needs.setdefault(str(wanted), (member.run, wanted))
    if len(needs) > 1:
        (first, _), (other, _), *_ = needs.values()
        raise UsageError(
            f"{sweep.name}: {first} and {other} need different nodes or GPUs, and the tasks of an "
            "array have the same; sweep these keys in jobs of their own"
        )
    [(_, wanted)] = needs.values()
    wanted["array"] = ",".join(map(str, members))
    script = array_script(
        commands,
        directives={**_without_replaced(wanted, given), **given},
        folder=Path.cwd(),
        environment=os.environ,
    )
    deliver(script, submit=queue.submit, what=f"trains the {len(members)} runs of {sweep.name}")


def _job(sweep: Sweep, member: Member, wish: Wish) -> tuple[Wish, Job]:
    """The command line of one run, and what it means."""
    arguments = (*sweep.shared, *member.overrides)
    one = replace(
        wish,
        profile=sweep.profile,
        arguments=arguments,
        run=member.run,
        resume=(runs_folder() / member.run).exists(),
    )
    return one, plan(one, leads=True)


def _without_replaced(wanted: dict[str, str], given: dict[str, str]) -> dict[str, str]:
    """Our options, less the GPUs where the user asks for them in another form."""
    own = {"gpus-per-node"} if any("gpu" in key or key == "gres" for key in given) else set()
    return {key: value for key, value in wanted.items() if key not in own}
