"""The checkpoints of a run, from their `meta.json`."""

from __future__ import annotations

from rich.text import Text

from codecctl.dashboard.listing import Cell, ListColumn, Listing
from codecctl.dashboard.views import RunView, metric_rank
from codecctl.dashboard.wording import bytes_text, column_text, value_text
from codecctl.engine.rundir import CheckpointInfo, number

_BEST_COLUMN = 3
_COLUMNS = (
    ListColumn("checkpoint", 15),
    ListColumn("step", 9, right=True),
    ListColumn("epoch", 6, right=True),
    ListColumn("val/mel", 9, right=True),
    ListColumn("size", 9, right=True),
    ListColumn("", 10),
    ListColumn("metrics", 0, from_width=100),
)


class CheckpointsTable(Listing):
    """One row for each complete checkpoint, the newest first."""

    HELP = """
    ## Checkpoints

    `last` is what `train --resume` continues from, `best` has the best validation metric.
    `m` marks one, also of several runs (in the list of runs the best); `c` compares the marked.
    `enter` opens the previews of the nearest step.
    """

    def __init__(self) -> None:
        super().__init__(_COLUMNS, id="checkpoints-table")

    def show_run(self, run: RunView) -> None:
        """Exchange the rows."""
        found = run.detail.checkpoints if run.detail is not None else ()
        self.rename_column(_BEST_COLUMN, run.best_metric)
        self.show_rows({info.name: _cells(info, run.best_metric) for info in reversed(found)})


def _cells(info: CheckpointInfo, best_metric: str) -> list[Cell]:
    marks = " ".join(
        word for word, holds in (("last", info.is_last), ("best", info.is_best)) if holds
    )
    others = "  ".join(
        f"{name} {value_text(number(value))}"
        for name, value in sorted(info.metrics.items(), key=lambda each: metric_rank(each[0]))
        if name != best_metric
    )
    return [
        info.name,
        str(info.step),
        str(info.epoch),
        column_text(number(info.metrics.get(best_metric))),
        bytes_text(info.bytes),
        Text(marks, style="bold green" if info.is_best else "bold"),
        others,
    ]
