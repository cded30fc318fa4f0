"""The checkpoints of a run, from their `meta.json`."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.widgets import Static

from codecctl.dashboard.listing import Cell, ListColumn, Listing
from codecctl.dashboard.views import RunView, metric_rank
from codecctl.dashboard.wording import bytes_text, column_text, value_text
from codecctl.engine.rundir import CheckpointInfo, number

_BEST_COLUMN = 3
_GAP = "  "
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
    `enter` opens the previews of the nearest step. The lines below hold all metrics of the row
    under the cursor.
    """

    def __init__(self) -> None:
        super().__init__(_COLUMNS, id="checkpoints-table")
        self._metrics: dict[str, list[str]] = {}

    def show_run(self, run: RunView) -> None:
        """Exchange the rows."""
        found = run.detail.checkpoints if run.detail is not None else ()
        self.rename_column(_BEST_COLUMN, run.best_metric)
        self._metrics = {info.name: _metrics(info, run.best_metric) for info in found}
        self.show_rows({info.name: _cells(info, run.best_metric) for info in reversed(found)})

    def selected_metrics(self) -> list[str]:
        """All metrics of the checkpoint under the cursor, but the one with a column of its own."""
        return self._metrics.get(self.selected_key or "", [])


class CheckpointMetrics(Static):
    """Metrics and their values, none of them across the end of a line."""

    def __init__(self) -> None:
        super().__init__(id="checkpoint-metrics", classes="whole-row", markup=False)
        self._texts: list[str] = []

    def show(self, texts: list[str]) -> None:
        """Exchange them."""
        self._texts = texts
        self.update("\n".join(packed(texts, self.size.width)))

    def on_resize(self) -> None:
        """Begin lines elsewhere."""
        self.update("\n".join(packed(self._texts, self.size.width)))


def packed(texts: Sequence[str], width: int) -> list[str]:
    """Texts in as few lines of a width as hold them in order; one that is wider has its own."""
    lines: list[str] = []
    for text in texts:
        if lines and len(lines[-1]) + len(_GAP) + len(text) <= width:
            lines[-1] += _GAP + text
        else:
            lines.append(text)
    return lines


def _metrics(info: CheckpointInfo, best_metric: str) -> list[str]:
    return [
        f"{name} {value_text(number(value))}"
        for name, value in sorted(info.metrics.items(), key=lambda each: metric_rank(each[0]))
        if name != best_metric
    ]


def _cells(info: CheckpointInfo, best_metric: str) -> list[Cell]:
    marks = " ".join(
        word for word, holds in (("last", info.is_last), ("best", info.is_best)) if holds
    )
    return [
        info.name,
        str(info.step),
        str(info.epoch),
        column_text(number(info.metrics.get(best_metric))),
        bytes_text(info.bytes),
        Text(marks, style="bold green" if info.is_best else "bold"),
        _GAP.join(_metrics(info, best_metric)),
    ]
