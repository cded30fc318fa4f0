"""Marks of axes: 1-2-5 steps, decades, labels."""

from __future__ import annotations

import math

import pytest

from codecctl.dashboard.ticks import linear_ticks, log_ticks, nice_step, tick_label


@pytest.mark.parametrize(
    ("low", "high", "count", "labels"),
    [
        (0.0, 6000.0, 4, ["0", "2k", "4k", "6k"]),
        (0.0, 1.0, 6, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (0.43, 1.31, 3, ["0.5", "1.0"]),
        (-8.0, 6.0, 4, ["-5", "0", "5"]),
        (1900.0, 1975.0, 4, ["1.90k", "1.92k", "1.94k", "1.96k"]),
        (0.0, 3e-5, 4, ["0", "1e-5", "2e-5", "3e-5"]),
    ],
)
def test_marks_stand_at_multiples_of_one_two_or_five(
    low: float, high: float, count: int, labels: list[str]
) -> None:
    found = [tick.label if tick.value else "0" for tick in linear_ticks(low, high, count=count)]
    assert found == [label if float(label.rstrip("k")) else "0" for label in labels]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.3, 17.2), (1e-7, 4e-7), (0.0, 517500.0)])
def test_there_are_never_more_marks_than_room(low: float, high: float, count: int) -> None:
    ticks = linear_ticks(low, high, count=count)
    assert len(ticks) <= count
    slack = 1e-6 * (high - low)
    assert all(low - slack <= tick.value <= high + slack for tick in ticks)


def test_an_empty_or_broken_range_has_no_marks() -> None:
    assert linear_ticks(1.0, 1.0, count=5) == []
    assert linear_ticks(math.nan, 1.0, count=5) == []
    assert log_ticks(2.0, 2.0, count=5) == []


def test_a_step_is_the_next_one_two_or_five() -> None:
    assert [nice_step(x) for x in (1.0, 1.1, 2.1, 5.1, 0.03)] == pytest.approx([1, 2, 5, 10, 0.05])


def test_a_wide_logarithmic_axis_is_marked_at_powers_of_ten() -> None:
    ticks = log_ticks(-4.0, 1.0, count=6)
    assert [tick.label for tick in ticks] == ["1e-4", "0.001", "0.01", "0.1", "1", "10"]
    assert [tick.value for tick in ticks] == pytest.approx([-4, -3, -2, -1, 0, 1])


def test_two_decades_are_marked_in_one_two_five_steps() -> None:
    ticks = log_ticks(-1.0, 1.0, count=8)
    assert [tick.label for tick in ticks] == ["0.1", "0.2", "0.5", "1", "2", "5", "10"]
    assert ticks[1].value == pytest.approx(math.log10(0.2))


def test_less_than_a_decade_is_marked_linearly() -> None:
    ticks = log_ticks(math.log10(0.45), math.log10(1.3), count=8)
    assert [tick.label for tick in ticks] == ["0.6", "0.8", "1.0", "1.2"]
    assert ticks[0].value == pytest.approx(math.log10(0.6))


def test_labels_have_the_digits_that_the_step_asks_for() -> None:
    assert tick_label(0.25, 0.05) == "0.25"
    assert tick_label(3.0, 1.0) == "3"
    assert tick_label(1_500_000.0, 500_000.0) == "1.5M"
    assert tick_label(0.0, 0.5) == "0"
