"""From runs to curves: which metrics there are, and what is smoothed."""

from __future__ import annotations

from codecctl.dashboard.axis import XAxis
from codecctl.dashboard.curves import Source, all_metrics, curves_of, x_extent
from codecctl.dashboard.plot import View
from codecctl.dashboard.table import Table


def source(*, color: int = 0, letter: str = "", last: int = 10) -> Source:
    train = [{"step": s, "loss/mel": float(s % 2), "lr/generator": 1.0} for s in range(last)]
    train[0]["loss/mel/capsule1"] = 1.0
    validation = [{"step": s, "val/mel": float(s), "val/si_sdr": 1.0} for s in (0, 5)]
    return Source(Table().add(train), Table().add(validation), 0.0, color, letter)


def test_the_most_telling_metrics_come_first_and_single_capsules_last() -> None:
    assert all_metrics([source()]) == [
        "val/mel",
        "loss/mel",
        "val/si_sdr",
        "lr/generator",
        "loss/mel/capsule1",
    ]


def test_a_filter_is_a_regular_expression_and_half_of_one_is_text() -> None:
    assert all_metrics([source()], "^val/") == ["val/mel", "val/si_sdr"]
    assert all_metrics([source()], "MEL$") == ["val/mel", "loss/mel"]
    assert all_metrics([source()], "mel(") == []
    assert all_metrics([source()], "(") == []


def test_training_is_smoothed_and_validation_never() -> None:
    view = View(smoothing=0.9)
    (train,) = curves_of("loss/mel", [source()], view)
    (validation,) = curves_of("val/mel", [source()], view)
    assert train.smoothed is not None
    assert train.front is train.smoothed
    assert validation.smoothed is None
    assert validation.front.tolist() == [0.0, 5.0]


def test_runs_without_a_metric_are_left_out_of_its_chart() -> None:
    empty = Source(Table(), Table(), 0.0, 1, "B")
    curves = curves_of("loss/mel", [source(letter="A"), empty], View())
    assert [curve.letter for curve in curves] == ["A"]


def test_charts_share_the_range_of_all_runs() -> None:
    assert x_extent([source(last=10), source(last=30)], XAxis.STEP) == (0.0, 29.0)
    assert x_extent([], XAxis.STEP) is None
