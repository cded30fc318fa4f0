"""The list of runs: state, step, age and last values of each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType

from codecctl.dashboard.colors import ColorBook
from codecctl.dashboard.listing import Cell, ListColumn, Listing
from codecctl.dashboard.notes import loss_value, seconds_left
from codecctl.dashboard.validation_table import change_text
from codecctl.dashboard.views import RunView
from codecctl.dashboard.wording import GLYPHS, age_text, column_text, higher_is_better, step_text
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
    ListColumn("step", 11, right=True),
    ListColumn("seen", 6, right=True),
    ListColumn("val/mel", 7, right=True),
    ListColumn("loss", 7, right=True),
    ListColumn("vs pinned", 10, from_width=100, right=True),
    ListColumn("epoch", 5, from_width=100, right=True),
    ListColumn("SI-SDR", 7, from_width=110, right=True),
    ListColumn("audio x", 7, from_width=120, right=True),
    ListColumn("left", 8, from_width=120, right=True),
    ListColumn("profile", 12, from_width=140),
)


class RunsTable(Listing):
    """One row for each run."""

    HELP = """
    ## Runs

    `F` chooses runs of which all terms hold: `word profile:paired name~^foo val/mel<0.5 -word`,
    also `trainer.seed=7`, a value of the profile. `a | b` is one or the other, and brackets hold
    terms together: `tag:night (val/mel<0.5 | status:running)`.

    *A*, *B*, ... in color: drawn in the charts below. *seen* is the time since the last heartbeat;
    a run that says it is running but has not been heard of for 20 s is **lost**. The pinned
    baseline (`b`) is drawn above the others and *vs pinned*.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Open", id="runs.open", tooltip="The page of this run"),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(_COLUMNS, id=id)

    def show_runs(
        self,
        runs: Sequence[RunView],
        shown: Collection[str],
        book: ColorBook,
        *,
        pinned: RunView | None = None,
    ) -> None:
        """Exchange the rows; `pinned` is the run that the others are compared with."""
        names = {run.best_metric for run in runs}
        self.rename_column(_BEST_COLUMN, names.pop() if len(names) == 1 else "val")
        theme = self.app.current_theme
        rows = {}
        for run in runs:
            style = book.style(run.name, ansi=self.app.native_ansi_color, dark=theme.dark)
            if pinned is not None and run.name == pinned.name:
                style += Style(reverse=True)
            marker = Text(book.letter(run.name), style) if run.name in shown else Text("·")
            rows[run.name] = [marker, *_cells(run, pinned)]
        self.show_rows(rows)


def state_text(status: str) -> Text:
    """The state with its sign, in its color."""
    return Text(f"{GLYPHS.get(status, '?')} {status}", style=STATE_STYLES.get(status, ""))


def _cells(run: RunView, pinned: RunView | None) -> list[Cell]:
    summary = run.summary
    left = seconds_left(run)
    return [
        summary.name,
        state_text(summary.status),
        step_text(summary.step, summary.max_steps),
        age_text(summary.age_seconds),
        _value(summary.validation.get(run.best_metric)),
        _value(loss_value(summary.train)),
        _against(run, pinned),
        str(summary.epoch),
        _value(summary.validation.get("val/si_sdr")),
        _value(summary.train.get("speed/audio_seconds_per_second")),
        "-" if left is None else age_text(left),
        summary.profile or summary.mode,
    ]


def _against(run: RunView, pinned: RunView | None) -> Text:
    """The best metric against that of the pinned run."""
    if pinned is None or run.name == pinned.name:
        return Text("")
    here, there = (number(each.summary.validation.get(run.best_metric)) for each in (run, pinned))
    if here is None or there is None:
        return Text("-")
    return change_text(there, here, higher_better=higher_is_better(run.best_metric))


def _value(value: object) -> Text:
    text = column_text(number(value))
    return Text(text, style="bold red" if text in ("NaN", "inf", "-inf") else "")
