"""Weights & Biases and TensorBoard beside a training, never in its way.

A process of its own for each follows the run folder (`engine.mirror`). The training starts them,
closes a pipe when it ends, waits at most ten seconds, and then goes.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from codecctl.engine import tensorboard_mirror, wandb_mirror
from codecctl.engine.runlist import read_json
from codecctl.errors import ProfileError

FINISH_SECONDS = 10.0
DISABLED = "disabled"
WANDB = ("wandb", "both")
TENSORBOARD = ("tensorboard", "both")
"""Values of trainer.logger that start each."""


@dataclass(frozen=True)
class TrackerSettings:
    """What the profile says of the trackers."""

    mode: str
    """Of wandb: "auto", "online", "offline" or "disabled"."""
    project: str
    name: str
    tensorboard: bool = False


def require_packages(logger: str) -> None:
    """Refuse a logger whose package is not there, before anything is trained.

    Raises:
        ProfileError: It is missing.
    """
    if logger in TENSORBOARD and importlib.util.find_spec("tensorboard") is None:
        raise ProfileError(
            f"trainer.logger: found {logger}, needed the package tensorboard, which is not "
            "installed: pip install 'codecctl[tensorboard]', or choose another of wandb, jsonl"
        )


class Mirror:
    """A running mirror of a run.

    Args:
        run: The run folder, with profile.json and environment.json in it.
        tool: "wandb" or "tensorboard"; what it says on its own goes to `<tool>.log`.
        step: Updates done.
        arguments: Of the tool.
    """

    def __init__(self, run: Path, tool: str, *, step: int, arguments: Sequence[str] = ()) -> None:
        self.run, self.tool = run, tool
        sizes = [str(_size(run / name)) for name in ("metrics.jsonl", "events.jsonl")]
        command = [sys.executable, "-m", f"codecctl.engine.{tool}_mirror", str(run), str(step)]
        with (run / f"{tool}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *sizes, *arguments],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                # A session of its own: Ctrl-C is for the training.
                start_new_session=True,
            )

    def end(self) -> None:
        """Tell it that the training has ended."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def wait(self, seconds: float) -> bool:
        """Let it send what is left; False if it took longer and was killed."""
        try:
            self._process.wait(max(0.0, seconds))
        except subprocess.TimeoutExpired:
            self._process.kill()  # wandb's own service process watches this one and ends with it
            self._process.wait()
            return False
        return True

    def failure(self, status_file: str) -> str:
        """Why it failed; "" if it did not."""
        error = read_json(self.run / status_file).get("error")
        code = self._process.returncode
        return str(error) if error else f"exit code {code}" if code else ""


class Trackers:
    """The mirrors of a run; `finish` ends them.

    Args:
        mirrors: That run.
        notes: On those that do not.
    """

    def __init__(self, mirrors: Sequence[Mirror], notes: Sequence[str]) -> None:
        self._mirrors = tuple(mirrors)
        self._notes = tuple(notes)

    def finish(self, seconds: float = FINISH_SECONDS) -> tuple[str, ...]:
        """Let the mirrors send what is left, for a bounded time.

        Args:
            seconds: After which they are killed; their files stay and can be sent later.

        Returns:
            What the user should know: the commands that send and show what there is.
        """
        for mirror in self._mirrors:
            mirror.end()
        until = time.monotonic() + seconds
        notes = list(self._notes)
        for mirror in self._mirrors:
            in_time = mirror.wait(until - time.monotonic())
            late = (
                "" if in_time else f"no answer within {seconds:.0f} s; the training does not wait"
            )
            notes += _NOTES[mirror.tool](mirror, late)
        return tuple(notes)


def start_trackers(run: Path, settings: TrackerSettings, *, step: int = 0) -> Trackers:
    """The mirrors of a run that the profile asks for.

    Args:
        run: The run folder.
        settings: Which ones.
        step: Updates done.
    """
    wanted: dict[str, tuple[str, ...]] = {}
    if settings.mode != DISABLED:
        wanted["wandb"] = (settings.project, settings.name, settings.mode)
    if settings.tensorboard:
        wanted["tensorboard"] = ()
    begun = [_begin(run, tool, step=step, arguments=words) for tool, words in wanted.items()]
    mirrors = [each for each in begun if isinstance(each, Mirror)]
    return Trackers(mirrors, [each for each in begun if isinstance(each, str)])


def _begin(run: Path, tool: str, *, step: int, arguments: Sequence[str]) -> Mirror | str:
    """A mirror, or the reason why there is none."""
    try:
        return Mirror(run, tool, step=step, arguments=arguments)
    except OSError as error:  # no memory, process or disk left for it
        return f"{tool}: not started ({error}); the run folder has everything"


def _wandb_notes(mirror: Mirror, late: str) -> list[str]:
    status = read_json(mirror.run / wandb_mirror.STATUS_FILE)
    notes = _problem(mirror, late, mirror.failure(wandb_mirror.STATUS_FILE))
    folders = sorted((mirror.run / "wandb").glob("*run-*"))
    unsent = late or status.get("mode") == "offline" or bool(status.get("error"))
    if folders and unsent:
        notes.append(f"wandb: send it with: wandb sync {folders[-1]}")
    return notes


def _tensorboard_notes(mirror: Mirror, late: str) -> list[str]:
    notes = _problem(mirror, late, mirror.failure(tensorboard_mirror.STATUS_FILE))
    folder = mirror.run / tensorboard_mirror.FOLDER
    return notes or [f"tensorboard: look at it with: tensorboard --logdir {folder}"]


_NOTES = {"wandb": _wandb_notes, "tensorboard": _tensorboard_notes}


def _problem(mirror: Mirror, late: str, failure: str) -> list[str]:
    if late:
        return [f"{mirror.tool}: {late}"]
    if failure:
        return [f"{mirror.tool}: failed ({failure}); see {mirror.run / f'{mirror.tool}.log'}"]
    return []


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
