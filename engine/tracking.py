"""Weights & Biases beside a training, never in its way.

A process of its own follows the run folder (`engine.wandb_mirror`). The training starts it,
closes a pipe when it ends, waits at most ten seconds, and then goes.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from codecctl.engine.runlist import read_json
from codecctl.engine.wandb_mirror import STATUS_FILE

FINISH_SECONDS = 10.0
DISABLED = "disabled"


@dataclass(frozen=True)
class TrackerSettings:
    """What the profile says of the tracker."""

    mode: str
    """"auto", "online", "offline" or "disabled"."""
    project: str
    name: str


class WandbMirror:
    """A running mirror of a run; `finish` ends it.

    Args:
        run: The run folder, with profile.json and environment.json in it.
        settings: Not of mode "disabled".
    """

    def __init__(self, run: Path, settings: TrackerSettings) -> None:
        self._run = run
        metrics = run / "metrics.jsonl"
        offset = metrics.stat().st_size if metrics.exists() else 0
        command = [sys.executable, "-m", "codecctl.engine.wandb_mirror", str(run)]
        with (run / "wandb.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, settings.project, settings.name, settings.mode, str(offset)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                # A session of its own: Ctrl-C is for the training.
                start_new_session=True,
            )

    def finish(self, seconds: float = FINISH_SECONDS) -> tuple[str, ...]:
        """Let the mirror send what is left, for a bounded time.

        Args:
            seconds: After which it is killed; its files stay and can be sent later.

        Returns:
            What the user should know: the command that sends what was not sent.
        """
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()  # wandb's own service process watches this one and ends with it
            self._process.wait()
            return self._notes(seconds, late=True)
        return self._notes(seconds, late=False)

    def _notes(self, seconds: float, *, late: bool) -> tuple[str, ...]:
        status = read_json(self._run / STATUS_FILE)
        notes = []
        if late:
            notes.append(f"wandb: no answer within {seconds:.0f} s; the training does not wait")
        elif status.get("error") or self._process.returncode:
            reason = status.get("error") or f"exit code {self._process.returncode}"
            notes.append(f"wandb: failed ({reason}); see {self._run / 'wandb.log'}")
        folders = sorted((self._run / "wandb").glob("*run-*"))
        unsent = late or status.get("mode") == "offline" or bool(status.get("error"))
        if folders and unsent:
            notes.append(f"wandb: send it with: wandb sync {folders[-1]}")
        return tuple(notes)


def start_tracker(run: Path, settings: TrackerSettings) -> WandbMirror | None:
    """The mirror of a run, none where it is disabled."""
    return None if settings.mode == DISABLED else WandbMirror(run, settings)
