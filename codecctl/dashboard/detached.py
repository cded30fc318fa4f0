"""Trainings that the dashboard starts: processes that outlive it, with their output in a file."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codecctl.dashboard.app import DashboardApp

_CHECK_SECONDS = 0.5


def start_training(arguments: Sequence[str], *, home: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start `codecctl train`, in a session of its own: it goes on when the terminal ends.

    Args:
        arguments: Behind `train`.
        home: The folder that holds `stores` and `runs`.
        log: Takes what it prints, behind what is there.

    Raises:
        OSError: The log cannot be written or the process not started.
    """
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, str(_script()), "train", *arguments],
            env=os.environ | {"CODECCTL_HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def tell_failure(
    app: DashboardApp,
    process: subprocess.Popen[bytes],
    what: str,
    *,
    log: Callable[[], Path],
) -> None:
    """Tell when a process ends with an error, with the last line that it printed.

    Args:
        app: Shows the message.
        process: Looked at twice a second.
        what: Begins the message, as "night: resuming".
        log: Where the output stands now; asked at every look.
    """

    def check() -> None:
        place = log()
        if process.poll() is None:
            return
        timer.stop()
        if process.returncode:
            text = f"{what} ended with exit code {process.returncode}: {last_line(place)}"
            app.notify(text, severity="error", markup=False)

    timer = app.set_interval(_CHECK_SECONDS, check)


def last_line(path: Path) -> str:
    """The last line of a file that is not empty, or why there is none."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError as error:
        return f"{path}: {error.strerror}"
    return next((line.strip() for line in reversed(lines) if line.strip()), f"{path} is empty")


def _script() -> Path:
    """The installed command; a file, since a training on several GPUs starts it again for each."""
    own = Path(sys.argv[0])
    return own if own.stem == "codecctl" else Path(sys.executable).with_name("codecctl")
