"""The process that copies the rows of a run to Weights & Biases.

    python -m codecctl.engine.wandb_mirror RUN PROJECT NAME MODE OFFSET

It follows metrics.jsonl until its standard input closes, which the end of the training does in
every way that a training can end. What it has to say it writes to `wandb.json` in the run
folder: {"mode", "id", "error"}. A service that hangs or fails does so here and nowhere else.
"""

from __future__ import annotations

import http.client
import netrc
import os
import re
import select
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, cast

from codecctl.engine.files import write_json_atomically
from codecctl.engine.rows import JsonlTail, Row, number
from codecctl.engine.runlist import read_json

Mode = Literal["online", "offline", "disabled"]
STATUS_FILE = "wandb.json"
PROBE_SECONDS = 2.0
POLL_SECONDS = 1.0
_DEFAULT_HOST = "https://api.wandb.ai"
_NOT_AXES = ("schema", "split")


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


def mirror(
    run: Path, *, project: str, name: str, mode: Mode, offset: int, ended: Callable[[], bool]
) -> None:
    """Send rows until `ended`, then the rest.

    Args:
        run: The run folder.
        project: Of the tracker.
        name: Of the run there.
        mode: Chosen by `choose_mode`.
        offset: Bytes of metrics.jsonl that an earlier job has sent.
        ended: Waits for the end of the training, a second at most.
    """
    import wandb

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
    for row in _follow(JsonlTail(run / "metrics.jsonl", start=offset), ended):
        tracked.log(_values(row))
    tracked.finish()
    write_json_atomically(run / STATUS_FILE, {**status, "finished": True})


def main() -> None:
    """Mirror the run named on the command line."""
    run, project, name, wanted, offset = sys.argv[1:]

    def ended() -> bool:
        return bool(select.select([sys.stdin], [], [], POLL_SECONDS)[0])

    try:
        mode = choose_mode(wanted)
        if mode == "disabled":
            return
        if wanted != "auto":
            os.environ.pop("WANDB_MODE", None)
        mirror(Path(run), project=project, name=name, mode=mode, offset=int(offset), ended=ended)
    except BaseException as error:
        status = read_json(Path(run) / STATUS_FILE)
        text = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        write_json_atomically(Path(run) / STATUS_FILE, {**status, "error": text})
        raise


def _follow(tail: JsonlTail, ended: Callable[[], bool]) -> Iterator[Row]:
    last_look = False
    while not last_look:
        last_look = ended()  # asked before reading: rows written before the end are sent
        while rows := tail.read():
            yield from rows


def _values(row: Row) -> dict[str, object]:
    values: dict[str, object] = {}
    for name, value in row.items():
        if name not in _NOT_AXES:
            as_number = number(value)
            values[name] = value if as_number is None else as_number
    return values


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
    main()
