"""The process that copies the rows of a run to Weights & Biases.

    python -m codecctl.engine.wandb_mirror RUN STEP METRICS_BYTES EVENTS_BYTES PROJECT NAME MODE

Its status is `wandb.json` in the run folder: {"mode", "id", "error", "finished"}.
"""

from __future__ import annotations

import http.client
import netrc
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from codecctl.engine.files import write_json_atomically
from codecctl.engine.mirror import Clip, Job, copy_run, scalars_of, serve
from codecctl.engine.rows import Row
from codecctl.engine.runlist import read_json

if TYPE_CHECKING:
    import wandb

Mode = Literal["online", "offline", "disabled"]
STATUS_FILE = "wandb.json"
PROBE_SECONDS = 2.0
_DEFAULT_HOST = "https://api.wandb.ai"


def choose_mode(wanted: str, *, probe_seconds: float = PROBE_SECONDS) -> Mode:
    """The mode to use: `auto` is online only where someone is logged in and the host answers.

    A `WANDB_MODE` in the environment is the user's own choice, and `auto` keeps to it.
    """
    if wanted != "auto":
        return cast(Mode, wanted)
    asked = os.environ.get("WANDB_MODE", "")
    if asked in ("offline", "disabled"):
        return cast(Mode, asked)
    host = os.environ.get("WANDB_BASE_URL", _DEFAULT_HOST)
    return "online" if _is_logged_in(host) and _answers(host, probe_seconds) else "offline"


def mirror(job: Job) -> None:
    """Copy a run until its training ends; the arguments are project, name and mode."""
    project, name, wanted = job.arguments
    mode = choose_mode(wanted)
    if mode == "disabled":
        return
    if wanted != "auto":
        os.environ.pop("WANDB_MODE", None)
    import wandb

    run = job.run
    is_first = not read_json(run / STATUS_FILE).get("id")
    status = {"schema": 1, "mode": mode, "id": _stored_id(run), "error": "", "finished": False}
    write_json_atomically(run / STATUS_FILE, status)
    tracked = wandb.init(
        project=project,
        name=name,
        id=str(status["id"]),
        dir=str(run),
        mode=mode,
        resume="allow",
        config={
            "profile": read_json(run / "profile.json").get("profile"),
            "environment": read_json(run / "environment.json"),
        },
        settings=wandb.Settings(
            silent=True, console="off", x_disable_stats=True, disable_code=True, disable_git=True
        ),
    )
    tracked.define_metric("*", step_metric="step")
    copy_run(job, _Tracked(tracked), replay=is_first)
    tracked.finish()
    write_json_atomically(run / STATUS_FILE, {**status, "finished": True})


class _Tracked:
    """A run of wandb as a sink."""

    def __init__(self, run: wandb.Run) -> None:
        self._run = run

    def row(self, row: Row) -> None:
        """A row: each value under its name."""
        self._run.log(scalars_of(row))

    def clip(self, clip: Clip) -> None:
        """Audio of a preview."""
        import wandb

        audio = wandb.Audio(clip.audio, sample_rate=clip.sample_rate, caption=f"step {clip.step}")
        self._run.log({"step": clip.step, clip.name: audio})

    def flush(self) -> None:
        """Nothing is held back here."""


def _stored_id(run: Path) -> str:
    """One id for all jobs of a run, so that a resumed run goes on in its curve."""
    stored = read_json(run / STATUS_FILE).get("id")
    if isinstance(stored, str) and stored:
        return stored
    return re.sub(r"[^A-Za-z0-9_-]", "-", run.name)[:48] + f"-{os.urandom(4).hex()}"


def _is_logged_in(host: str) -> bool:
    if os.environ.get("WANDB_API_KEY"):
        return True
    try:
        entries = netrc.netrc(os.environ.get("NETRC"))
    except (OSError, netrc.NetrcParseError):
        return False
    return entries.authenticators(urllib.parse.urlparse(host).hostname or "") is not None


def _answers(host: str, seconds: float) -> bool:
    """Whether anything speaks HTTP there within the time of the probe."""
    try:
        urllib.request.urlopen(f"{host.rstrip('/')}/healthz", timeout=seconds).close()
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except (OSError, ValueError, http.client.HTTPException):
        return False
    return True


if __name__ == "__main__":
    serve(STATUS_FILE, mirror)
