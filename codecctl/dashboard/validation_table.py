"""The newest validation against the first and the best one, and by scene."""

from __future__ import annotations

import math

from rich.text import Text

from codecctl.dashboard.axis import XAxis
from codecctl.dashboard.listing import Cell, ListColumn, Listing
from codecctl.dashboard.views import RunView, metric_rank
from codecctl.dashboard.wording import column_text, higher_is_better, value_text

_COLUMNS = (
    ListColumn("metric", 0),
    ListColumn("first", 9, from_width=91, right=True),
    ListColumn("best", 9, right=True),
    ListColumn("at step", 7, right=True),
    ListColumn("latest", 9, right=True),
    ListColumn("change", 10, right=True),
    ListColumn("by scene, latest", 60, from_width=156),
)


class ValidationTable(Listing):
    """One row for each metric."""

    HELP = """
    ## Validation

    The fixed validation items, averaged. *change* is from the first to the latest validation,
    `✓` for the better and `✗` for the worse, whichever way the metric points.
    """

    def __init__(self) -> None:
        super().__init__(_COLUMNS, id="validation-table")

    def show_run(self, run: RunView) -> None:
        """Exchange the rows."""
        metrics = sorted(run.validation.columns, key=metric_rank)
        self.show_rows({metric: _cells(run, metric) for metric in metrics})


def _cells(run: RunView, metric: str) -> list[Cell]:
    steps, values = run.validation.series(metric, XAxis.STEP, steps_per_epoch=0)
    finite = [(v, s) for v, s in zip(values.tolist(), steps.tolist(), strict=True) if v == v]
    if not finite:
        return [metric.removeprefix("val/"), "", "", "", value_text(float("nan")), "", ""]
    up = higher_is_better(metric)
    best, at = (max if up else min)(finite, key=lambda pair: pair[0])
    first, latest = float(values[0]), float(values[-1])
    return [
        Text(metric.removeprefix("val/"), style="bold" if metric == run.best_metric else ""),
        column_text(first),
        column_text(best),
        f"{at:.0f}",
        column_text(latest),
        change_text(first, latest, higher_better=up),
        _scenes(run, metric),
    ]


def change_text(first: float, latest: float, *, higher_better: bool) -> Text:
    """The change from first to latest, marked as better or worse.

    In percent of the first; decibels and other signed values have no meaningful percentage,
    theirs is the difference.
    """
    difference = latest - first
    if not math.isfinite(difference) or difference == 0:
        return Text("-")
    mark, style = ("✓", "green") if (difference > 0) == higher_better else ("✗", "red")
    if first > 0 and latest >= 0:
        return Text(f"{difference / first:+.0%} {mark}", style=style)
    sign = "+" if difference > 0 else "-"
    return Text(f"{sign}{value_text(abs(difference))} {mark}", style=style)


def _scenes(run: RunView, metric: str) -> str:
    scores = run.detail.scenes if run.detail is not None else ()
    return "  ".join(
        f"{score.scene or 'all'} {value_text(score.mean)}"
        for score in scores
        if f"val/{score.metric}" == metric
    )
