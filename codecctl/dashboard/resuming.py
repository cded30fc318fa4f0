"""Starting the training of a run again, in a process that outlives the dashboard."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from codecctl.dashboard.views import RunView
from codecctl.dashboard.wording import ACTIVE

if TYPE_CHECKING:
    from codecctl.dashboard.app import DashboardApp

LOG = "resume.log"
_CHECK_SECONDS = 0.5
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
    if path.parent.name != "runs":
        return f"{run.name}: {path.parent} is not a folder `runs`, where `train` looks for runs"
    return ""


def resume(app: DashboardApp, run: RunView) -> None:
    """Start `codecctl train --run NAME --resume`, writing to `resume.log` of the run.

    The process has a session of its own: it goes on when the dashboard or its terminal ends.

    Raises:
        OSError: The log cannot be written or the process not started.
    """
    path = run.summary.path.absolute()
    with (path / LOG).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, str(_script()), "train", "--run", run.name, "--resume"],
            env=os.environ | {"CODECCTL_HOME": str(path.parent.parent)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _started[path] = process

    def check() -> None:
        if process.poll() is None:
            return
        timer.stop()
        if process.returncode:
            said = _last_line(path / LOG)
            text = f"{run.name}: resuming ended with exit code {process.returncode}: {said}"
            app.notify(text, severity="error", markup=False)

    timer = app.set_interval(_CHECK_SECONDS, check)


def _script() -> Path:
    """The installed command; a file, since a training on several GPUs starts it again for each."""
    own = Path(sys.argv[0])
    return own if own.stem == "codecctl" else Path(sys.executable).with_name("codecctl")


def _last_line(path: Path) -> str:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError as error:
        return f"{path}: {error.strerror}"
    return next((line.strip() for line in reversed(lines) if line.strip()), f"{path} is empty")
