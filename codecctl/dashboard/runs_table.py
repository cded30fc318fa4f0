"""The list of runs: state, step, age and last values of each."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rich.text import Text

from codecctl.dashboard.colors import ColorBook
from codecctl.dashboard.listing import Cell, ListColumn, Listing
from codecctl.dashboard.notes import loss_value, seconds_left
from codecctl.dashboard.views import RunView
from codecctl.dashboard.wording import GLYPHS, age_text, step_text, value_text
from codecctl.engine.rundir import number

STATE_STYLES = {
    "running": "bold green",
    "starting": "green",
    "finished": "",
    "stopped": "dim",
    "failed": "bold red",
    "lost": "bold yellow",
}
_BEST_COLUMN = 5
_COLUMNS = (
    ListColumn("", 1),
    ListColumn("run", 0),
    ListColumn("state", 10),
    ListColumn("step", 13),
    ListColumn("seen", 6),
    ListColumn("val/mel", 8),
    ListColumn("loss", 8),
    ListColumn("epoch", 5, from_width=100),
    ListColumn("SI-SDR", 7, from_width=110),
    ListColumn("audio x", 8, from_width=120),
    ListColumn("left", 8, from_width=120),
    ListColumn("profile", 12, from_width=140),
)


class RunsTable(Listing):
    """One row for each run."""

    HELP = """
    ## Runs

    `A`, `B`, ... in color: drawn in the charts below. *seen* is the time since the last
    heartbeat; a run that says it is running but has not been heard of for 20 s is **lost**.
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(_COLUMNS, id=id)

    def show_runs(self, runs: Sequence[RunView], shown: Collection[str], book: ColorBook) -> None:
        """Exchange the rows."""
        names = {run.best_metric for run in runs}
        self.rename_column(_BEST_COLUMN, names.pop() if len(names) == 1 else "best of")
        self.show_rows({run.name: _cells(run, run.name in shown, book) for run in runs})


def state_text(status: str) -> Text:
    """The state with its sign, in its color."""
    return Text(f"{GLYPHS.get(status, '?')} {status}", style=STATE_STYLES.get(status, ""))


def _cells(run: RunView, is_shown: bool, book: ColorBook) -> list[Cell]:
    summary = run.summary
    marker = Text(book.letter(run.name), style=book.style(run.name)) if is_shown else Text("·")
    left = seconds_left(run)
    return [
        marker,
        summary.name,
        state_text(summary.status),
        _right(step_text(summary.step, summary.max_steps), 13),
        _right(age_text(summary.age_seconds), 6),
        _value(summary.validation.get(run.best_metric)),
        _value(loss_value(summary.train)),
        _right(str(summary.epoch), 5),
        _value(summary.validation.get("val/si_sdr"), 7),
        _value(summary.train.get("speed/audio_seconds_per_second")),
        _right("-" if left is None else age_text(left), 8),
        summary.profile or summary.mode,
    ]


def _value(value: object, width: int = 8) -> Text:
    shown = number(value)
    text = value_text(shown)
    return _right(text, width, style="bold red" if text in ("NaN", "inf", "-inf") else "")


def _right(text: str, width: int, style: str = "") -> Text:
    return Text(text.rjust(width), style=style)
