"""`codecctl train --slurm`: a job script that is queued again until the training is done."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from codecctl.commands.train_job import Job, Wish
from codecctl.errors import CodecctlError, NotFoundError, UsageError
from codecctl.output import note, result

SECONDS_TO_SAVE = 300
"""Between the signal and the end of the job's time."""
_OPTION = re.compile(r"[a-z][a-z-]*")
_VALUE = re.compile(r"[A-Za-z0-9._/:,@%+=\[\]-]*")
_GPUS = ("gpus", "gpus-per-node", "gpus-per-task", "gres")
_BODY = """\
told=0
trap 'told=1; kill -USR1 "$step"' USR1
srun ${{SLURM_CPUS_PER_TASK:+--cpus-per-task="$SLURM_CPUS_PER_TASK"}} {command} &
step=$!
wait "$step"; code=$?
if [ "$told" = 1 ]; then wait "$step"; code=$?; fi
if [ "$code" = 75 ]; then scontrol requeue "$SLURM_JOB_ID"; fi
exit "$code"
"""


def slurm(wish: Wish, job: Job, *, processes: int, options: Sequence[str], submit: bool) -> None:
    """Print the script of a job, or send it.

    Args:
        wish: The command line.
        job: What it means: its profile and the name of its run.
        processes: Of `--processes`.
        options: Of `--sbatch`, KEY=VALUE.
        submit: Send it with `sbatch` and print its number instead.

    Raises:
        UsageError: An option is none of sbatch's form.
        NotFoundError: There is no `sbatch` here.
        CodecctlError: `sbatch` refused the job.
    """
    script = job_script(
        train_words(wish, job, [*start_options(wish), *process_options(processes)]),
        directives=directives_of(job, read_options(options)),
        folder=Path.cwd(),
        environment=os.environ,
    )
    deliver(script, submit=submit, what=f"trains {job.path.name}")


def deliver(script: str, *, submit: bool, what: str) -> None:
    """Print the script of a job, or send it and print its number.

    Args:
        script: For `sbatch`.
        submit: Send it.
        what: The job does, for the message.

    Raises:
        NotFoundError: There is no `sbatch` here.
        CodecctlError: `sbatch` refused the job.
    """
    if not submit:
        result(script.rstrip("\n"))
        return
    program = shutil.which("sbatch")
    if program is None:
        raise NotFoundError(
            "sbatch: not found on PATH; run this on a login node of the cluster, or print the "
            "script with --slurm"
        )
    done = subprocess.run(
        [program, "--parsable"], input=script, capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise CodecctlError(f"sbatch refused the job: {lines[-1]}")
    number = done.stdout.strip().partition(";")[0]
    result(number)
    note(f"job {number} {what}; watch it with: codecctl dashboard")


def read_options(options: Sequence[str]) -> dict[str, str]:
    """Options of sbatch from KEY=VALUE; a key alone is a flag, with an empty value.

    Raises:
        UsageError: A key or a value has letters that would not stay one option.
    """
    found: dict[str, str] = {}
    for option in options:
        key, _, value = option.removeprefix("--").partition("=")
        if not _OPTION.fullmatch(key) or not _VALUE.fullmatch(value):
            raise UsageError(
                f"--sbatch {option}: found no option of sbatch, needed KEY=VALUE such as "
                "time=24:00:00 or partition=gpu"
            )
        found[key] = value
    return found


def job_script(
    command: Sequence[str],
    *,
    directives: Mapping[str, str],
    folder: Path,
    environment: Mapping[str, str],
) -> str:
    """The text of a job script.

    Args:
        command: What each node runs.
        directives: Options of sbatch.
        folder: Where the command is run.
        environment: Of this process: where stores and runs are, if that is said there.
    """
    lines = _head(directives, folder, environment)
    return "\n".join(lines) + "\n" + _BODY.format(command=shlex.join(command))


def array_script(
    commands: Mapping[int, Sequence[str]],
    *,
    directives: Mapping[str, str],
    folder: Path,
    environment: Mapping[str, str],
) -> str:
    """The text of a job array, each task of which runs one command.

    Args:
        commands: By the number of the task.
        directives: Options of sbatch, with `array`.
        folder: Where the commands are run.
        environment: Of this process: where stores and runs are, if that is said there.
    """
    lines = _head(directives, folder, environment)
    lines.append('case "$SLURM_ARRAY_TASK_ID" in')
    lines += [f"{number}) words=({shlex.join(words)}) ;;" for number, words in commands.items()]
    lines.append('*) echo "no run of this sweep: ${SLURM_ARRAY_TASK_ID:-no number}" >&2; exit 2 ;;')
    lines.append("esac")
    return "\n".join(lines) + "\n" + _BODY.format(command='"${words[@]}"')


def _head(directives: Mapping[str, str], folder: Path, environment: Mapping[str, str]) -> list[str]:
    lines = ["#!/bin/bash"]
    lines += [
        f"#SBATCH --{key}={value}" if value else f"#SBATCH --{key}"
        for key, value in directives.items()
    ]
    lines.append(f"cd {shlex.quote(str(folder))} || exit 1")
    if home := environment.get("CODECCTL_HOME"):
        lines.append(f"export CODECCTL_HOME={shlex.quote(home)}")
    return lines


def directives_of(job: Job, given: Mapping[str, str]) -> dict[str, str]:
    """Options of sbatch that a run needs, and those that the user gave in their place."""
    trainer = job.resolved.profile.trainer
    own = {
        "job-name": job.path.name,
        "nodes": str(trainer.num_nodes),
        "ntasks-per-node": "1",  # which starts a process for each GPU of its node
        "signal": f"B:USR1@{SECONDS_TO_SAVE}",
        "requeue": "",
        "open-mode": "append",
        "output": "%x-%j.out",
    }
    if trainer.num_gpus != 0 and not any(key in given for key in _GPUS):
        own["gpus-per-node"] = "1" if trainer.num_gpus == "auto" else str(trainer.num_gpus)
    return {**own, **given}


def train_words(wish: Wish, job: Job, options: Sequence[str]) -> list[str]:
    """The command that trains a run, or goes on with it, wherever it is called."""
    program = shutil.which(sys.argv[0]) or "codecctl"
    words = [program, "train", "--profile", job.profile_name, *wish.arguments]
    if wish.profile.endswith(".toml"):
        words[3] = str(Path(wish.profile).absolute())
    return [*words, *options, "--run", job.path.name, "--resume"]


def start_options(wish: Wish) -> list[str]:
    """What a run starts from, as options of `train`."""
    words = ["--from", wish.start] if wish.start else []
    words += ["--from-partial"] if wish.partial else []
    return [*words, *(["--stage", wish.stage] if wish.stage else [])]


def process_options(processes: int) -> list[str]:
    """Of `train`."""
    return ["--processes", str(processes)] if processes else []
