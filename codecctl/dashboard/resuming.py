"""Starting the training of a run again."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from codecctl.dashboard.detached import start_training, tell_failure
from codecctl.dashboard.views import RunView
from codecctl.dashboard.wording import ACTIVE

if TYPE_CHECKING:
    from codecctl.dashboard.app import DashboardApp

LOG = "resume.log"
_started: dict[Path, subprocess.Popen[bytes]] = {}


def resume_refusal(run: RunView) -> str:
    """Why a run cannot be started again from here; "" when it can."""
    status, path = run.summary.status, run.summary.path.absolute()
    if status in ACTIVE:
        return f"{run.name} is {status}: it needs no resuming"
    if status == "finished":
        more = f"codecctl train --run {run.name} --resume trainer.max_steps=N"
        return f"{run.name} is finished: `{more}` trains it longer"
    if path in _started and _started[path].poll() is None:
        return f"{run.name} is being resumed; {path / LOG} tells how"
    return place_refusal(path.parent)


def place_refusal(folder: Path) -> str:
    """Why no training can be started in a folder of runs; "" when one can."""
    if folder.absolute().name != "runs":
        return f"{folder} is not a folder `runs`, where `train` looks for runs"
    return ""


def resume(app: DashboardApp, run: RunView) -> None:
    """Start `codecctl train --run NAME --resume`, writing to `resume.log` of the run.

    Raises:
        OSError: The log cannot be written or the process not started.
    """
    path = run.summary.path.absolute()
    log = path / LOG
    arguments = ("--run", run.name, "--resume")
    process = start_training(arguments, home=path.parent.parent, log=log)
    _started[path] = process
    tell_failure(app, process, f"{run.name}: resuming", log=lambda: log)
