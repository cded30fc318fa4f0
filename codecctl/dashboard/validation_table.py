"""The newest validation against the first and the best one, and by scene."""

from __future__ import annotations

from rich.text import Text

from codecctl.dashboard.axis import XAxis
from codecctl.dashboard.listing import Cell, ListColumn, Listing
from codecctl.dashboard.views import RunView, metric_rank
from codecctl.dashboard.wording import higher_is_better, value_text

_COLUMNS = (
    ListColumn("metric", 0),
    ListColumn("first", 9),
    ListColumn("best", 9),
    ListColumn("at step", 8),
    ListColumn("latest", 9),
    ListColumn("change", 9),
    ListColumn("by scene, latest", 60, from_width=130),
)


class ValidationTable(Listing):
    """One row for each metric."""

    HELP = """
    ## Validation

    The fixed validation items, averaged. *change* compares the latest with the first:
    `+` is better, `-` is worse, whichever way the metric points.
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
        return [metric, "", "", "", value_text(float("nan")), "", ""]
    up = higher_is_better(metric)
    best, at = (max if up else min)(finite, key=lambda pair: pair[0])
    first, latest = float(values[0]), float(values[-1])
    return [
        Text(metric, style="bold" if metric == run.best_metric else ""),
        value_text(first).rjust(9),
        value_text(best).rjust(9),
        f"{at:.0f}".rjust(8),
        value_text(latest).rjust(9),
        change_text(first, latest, higher_better=up),
        _scenes(run, metric),
    ]


def change_text(first: float, latest: float, *, higher_better: bool) -> Text:
    """How much better (+) or worse (-) the latest value is, in percent of the first.

    Values of decibels and other signed scales have no meaningful percentage; theirs is the
    difference.
    """
    difference = latest - first
    if not abs(difference) < float("inf") or difference == 0:
        return Text("0".rjust(9) if difference == 0 else "-".rjust(9))
    better = (difference > 0) == higher_better
    relative = first > 0 and latest >= 0
    amount = f"{abs(difference) / first:.0%}" if relative else value_text(abs(difference))
    sign, style = ("+", "green") if better else ("-", "red")
    return Text(f"{sign}{amount}".rjust(9), style=style)


def _scenes(run: RunView, metric: str) -> str:
    scores = run.detail.scenes if run.detail is not None else ()
    return "  ".join(
        f"{score.scene or 'all'} {value_text(score.mean)}"
        for score in scores
        if score.metric == metric
    )
