"""Rows as columns: sparse scalars, replaced rows, axes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from codecctl.dashboard.axis import XAxis
from codecctl.dashboard.table import Table
from codecctl.engine.rundir import Row


def row(step: int, **values: object) -> Row:
    times = {"epoch": 1 + step // 100, "seconds": step * 0.5, "audio_seconds": step * 8.0}
    return {"schema": 1, "step": step, "split": "train", **times, **values}


def series(table: Table, name: str, axis: XAxis = XAxis.STEP) -> tuple[list[float], list[float]]:
    x, values = table.series(name, axis, steps_per_epoch=100.0)
    return x.tolist(), values.tolist()


def test_a_scalar_that_some_rows_lack_stays_sparse() -> None:
    table = Table().add([row(0, a=1.0), row(1, a=2.0, b=5.0), row(2, a=3.0)])
    assert series(table, "a") == ([0, 1, 2], [1, 2, 3])
    assert series(table, "b") == ([1], [5])
    assert series(table, "none") == ([], [])
    assert (table.last("a"), table.last("b"), table.last("none")) == (3.0, 5.0, None)


def test_rows_may_come_in_pieces_of_any_size() -> None:
    rows = [row(step, a=step * 0.5, **({"b": 1.0} if step % 3 == 0 else {})) for step in range(20)]
    whole = Table().add(rows)
    pieces = Table()
    for start in range(0, 20, 3):
        pieces = pieces.add(rows[start : start + 3])
    assert series(whole, "a") == series(pieces, "a")
    assert series(whole, "b") == series(pieces, "b")


def test_after_a_resume_the_later_row_of_a_step_counts_and_others_stay() -> None:
    table = Table().add([row(step, a=1.0, old=1.0) for step in (0, 10, 20, 30)])
    table = table.add([row(20, a=2.0), row(25, a=2.0)])
    assert series(table, "a") == ([0, 10, 20, 25, 30], [1, 1, 2, 2, 1])
    assert series(table, "old") == ([0, 10, 30], [1, 1, 1])  # the row was replaced as a whole


def test_words_for_broken_values_are_values() -> None:
    table = Table().add([row(0, a="NaN"), row(1, a="Infinity"), row(2, a=1.0), row(3, a="text")])
    steps, values = series(table, "a")
    assert steps == [0, 1, 2]
    assert math.isnan(values[0])
    assert values[1:] == [math.inf, 1.0]


def test_rows_without_a_step_are_left_out() -> None:
    table = Table().add([{"split": "train", "a": 1.0}, row(1, a=2.0), {"step": "NaN", "a": 3.0}])
    assert series(table, "a") == ([1], [2])


def test_nothing_new_is_the_same_object_and_tables_share_nothing_that_changes() -> None:
    first = Table().add([row(0, a=1.0)])
    assert first.add([]) is first
    second = first.add([row(1, a=2.0)])
    assert series(first, "a") == ([0], [1])
    assert series(second, "a") == ([0, 1], [1, 2])


@pytest.mark.parametrize(
    ("axis", "expected"),
    [
        (XAxis.STEP, [0, 50, 150]),
        (XAxis.EPOCH, [0, 0.5, 1.5]),
        (XAxis.TIME, [0, 25, 75]),
        (XAxis.AUDIO, [0, 400, 1200]),
    ],
)
def test_every_axis_counts_what_it_says(axis: XAxis, expected: list[float]) -> None:
    table = Table().add([row(step, a=1.0) for step in (0, 50, 150)])
    assert series(table, "a", axis)[0] == expected


def test_whole_epochs_serve_where_their_length_is_unknown() -> None:
    table = Table().add([row(0, a=1.0), row(150, a=1.0)])
    x, _ = table.series("a", XAxis.EPOCH, steps_per_epoch=0)
    assert x.tolist() == [1, 2]


def test_clocks_that_step_back_after_a_resume_do_not_fold_the_curve() -> None:
    table = Table().add([row(0, a=1.0), row(1, a=2.0), {**row(2, a=3.0), "seconds": 0.25}])
    assert series(table, "a", XAxis.TIME) == ([0, 0.25, 0.5], [1, 3, 2])


def test_a_table_by_time_counts_seconds_from_its_first_row() -> None:
    table = Table("time").add([{"time": 100.0 + t, "step": 5, "cpu": t} for t in (0, 5, 10)])
    x, values = table.series("cpu", XAxis.TIME, steps_per_epoch=0)
    np.testing.assert_array_equal(x, [0, 5, 10])
    np.testing.assert_array_equal(values, [0, 5, 10])


def test_two_tables_that_grow_from_one_do_not_write_over_each_other() -> None:
    first = Table().add([row(step, a=1.0) for step in range(10)])
    second = first.add([row(10, a=2.0)])
    third = first.add([row(10, a=3.0), row(11, a=4.0, b=5.0)])
    assert series(first, "a") == (list(range(10)), [1.0] * 10)
    assert series(second, "a") == (list(range(11)), [1.0] * 10 + [2.0])
    assert series(third, "a") == (list(range(12)), [1.0] * 10 + [3.0, 4.0])
    assert series(third, "b") == ([11], [5.0])


def test_rows_are_written_behind_those_that_are_there_not_copied_each_time() -> None:
    table = Table().add([row(step, a=1.0) for step in range(1000)])
    table = table.add([row(1000, a=2.0)])
    longer = table.add([row(1001, a=3.0)])
    assert np.shares_memory(table.columns["a"].values, longer.columns["a"].values)
    assert table.places["time"].strides == (0,)  # no row has one, and none takes space


def test_a_place_that_only_later_rows_have_is_unknown_before() -> None:
    table = Table().add([{"step": 0, "split": "train", "a": 1.0}])
    table = table.add([row(1, a=2.0)])
    assert series(table, "a", XAxis.TIME) == ([0.5], [2])
    assert math.isnan(table.places["seconds"][0])
