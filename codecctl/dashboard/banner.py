"""The first line of a screen."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.text import Text

from codecctl.dashboard.notes import seconds_left, stages_text
from codecctl.dashboard.runs_table import state_text
from codecctl.dashboard.still_text import StillText
from codecctl.dashboard.views import RunView, Snapshot
from codecctl.dashboard.wording import ACTIVE, age_text, step_text
from codecctl.engine.rundir import Request


class Banner(StillText):
    """What one looks at, and whether it is alive."""

    def show_folder(self, folder: str, snapshot: Snapshot, words: Sequence[str] = ()) -> None:
        """Name the folder and count its runs; `words` say which of them are listed."""
        alive = sum(run.summary.status in ACTIVE for run in snapshot.runs)
        lost = sum(run.summary.status == "lost" for run in snapshot.runs)
        parts = [f"{len(snapshot.runs)} run" + "s" * (len(snapshot.runs) != 1), f"{alive} running"]
        parts += [f"{lost} lost"] if lost else []
        parts += ["reading…"] if not snapshot.complete else []
        self.tell(Text.assemble(("codecctl ", "bold"), " · ".join([*parts, *words, folder])))

    def show_run(self, run: RunView) -> None:
        """Name the run and say where it stands."""
        summary = run.summary
        parts = [step_text(summary.step, summary.max_steps)]
        if summary.max_steps > 0:
            parts[0] += f" ({summary.step / summary.max_steps:.0%})"
        stages = stages_text(run.stages, summary.step)
        parts += [stages] if stages else []
        left = seconds_left(run)
        parts += [f"{age_text(left)} left"] if left is not None else []
        parts.append(f"seen {age_text(summary.age_seconds)} ago")
        self.tell(
            Text.assemble(
                (summary.name, "bold"),
                " ",
                state_text(summary.status),
                " ",
                " · ".join(parts),
                *_requests(run),
            )
        )

    def show_gone(self, name: str) -> None:
        """Say that the run was deleted."""
        self.tell(Text.assemble((name, "bold"), " ", ("was deleted; esc goes back", "bold red")))


def _requests(run: RunView) -> list[tuple[str, str]]:
    """A second line on what was asked for and not served yet."""
    asked = run.detail.requests if run.detail is not None else ()
    return [("\n" + " · ".join(map(_request_text, asked)), "bold yellow")] if asked else []


def _request_text(asked: Request) -> str:
    clock = time.strftime("%H:%M:%S", time.localtime(asked.time))
    return f"{asked.name} asked by {asked.by} at {clock}"
