"""What the dashboard changes in run folders, each after a question; everything else only reads."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

from codecctl.dashboard.confirm_screen import ConfirmScreen, PromptScreen
from codecctl.dashboard.new_runs import READ_ONLY
from codecctl.dashboard.resuming import LOG, resume, resume_refusal
from codecctl.dashboard.views import RunView
from codecctl.dashboard.wording import ACTIVE, bytes_text
from codecctl.engine.rundir import read_tags, remove_run, request, write_tags
from codecctl.errors import CodecctlError

if TYPE_CHECKING:
    from collections.abc import Callable

    from codecctl.dashboard.app import DashboardApp

_QUESTIONS = {
    "save": "Ask {name} to save a checkpoint after its current step?",
    "stop": "Ask {name} to save a checkpoint and stop?",
}


def steer(app: DashboardApp, what: str) -> None:
    """Begin a change of the selected run; says why where it cannot be.

    Args:
        app: Whose selected run it is.
        what: "save", "stop", "resume", "tag" or "remove".
    """
    run = app.selected_run()
    if run is None:
        return
    problem = refusal(run, what) if app.may_steer else READ_ONLY
    if problem:
        app.notify(problem, severity="warning", markup=False)
    elif what == "tag":
        app.push_screen(PromptScreen(_tag_question(run)), lambda words: _tag(app, run, words or ""))
    elif what == "remove":
        app.push_screen(ConfirmScreen(_remove_question(run)), lambda yes: _remove(app, run, yes))
    elif what == "resume":
        app.push_screen(ConfirmScreen(_resume_question(run)), lambda yes: _resume(app, run, yes))
    else:
        question = _QUESTIONS[what].format(name=run.name)
        app.push_screen(ConfirmScreen(question), lambda yes: _request(app, run, what, yes))


def refusal(run: RunView, what: str) -> str:
    """Why a run cannot be changed in this way; "" when it can."""
    status, path = run.summary.status, run.summary.path
    if what in _QUESTIONS and status not in ACTIVE:
        return f"{run.name} is {status}: nobody would answer"
    if what == "remove" and status in ACTIVE:
        return f"{run.name} is {status}: stop it first, with X"
    if what == "resume" and (problem := resume_refusal(run)):
        return problem
    place = path / "control" if what in _QUESTIONS and (path / "control").is_dir() else path
    if not os.access(path.parent if what == "remove" else place, os.W_OK):
        return f"{run.name}: {path} may not be written by you; its owner can"
    return ""


def _request(app: DashboardApp, run: RunView, what: str, yes: bool | None) -> None:
    if yes:
        done = f"{what} asked; served after the current step"
        _change(app, lambda: request(run.summary.path, what), done)


def _resume_question(run: RunView) -> str:
    return (
        f"Train {run.name} on {socket.gethostname()}, from its last checkpoint? It goes on without "
        f"the dashboard and writes to {LOG} of the run."
    )


def _resume(app: DashboardApp, run: RunView, yes: bool | None) -> None:
    if yes:
        log = run.summary.path / LOG
        _change(app, lambda: resume(app, run), f"{run.name}: resuming; {log} tells how")


def _tag_question(run: RunView) -> str:
    tags = " ".join(run.summary.tags) or "none"
    return f"Tags of {run.name}: {tags}. Words are added, -words taken away:"


def _tag(app: DashboardApp, run: RunView, words: str) -> None:
    dropped = {word[1:] for word in words.split() if word.startswith("-")}
    added = {word for word in words.split() if not word.startswith("-")}
    if not dropped | added:
        return
    path = run.summary.path
    _change(
        app,
        lambda: write_tags(path, (set(read_tags(path)) | added) - dropped),
        f"{run.name}: tags changed",
    )


def _remove_question(run: RunView) -> str:
    files = [path for path in run.summary.path.rglob("*") if path.is_file()]
    size = bytes_text(sum(path.stat().st_size for path in files))
    return f"Delete {run.name} with all checkpoints and previews, {size}?"


def _remove(app: DashboardApp, run: RunView, yes: bool | None) -> None:
    if yes:
        _change(app, lambda: remove_run(run.summary.path), f"{run.name}: deleted")


def _change(app: DashboardApp, change: Callable[[], None], done: str) -> None:
    try:
        change()
    except (CodecctlError, OSError) as error:
        app.notify(str(error), severity="error", markup=False)
    else:
        app.notify(done, markup=False)
    app.poll()
