"""Marks of axes: 1-2-5 steps, decades, labels."""

from __future__ import annotations

import math

import pytest

from codecctl.dashboard.ticks import (
    linear_ticks,
    log_ticks,
    nice_step,
    telling_digits,
    tick_label,
)


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


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (3.999998, 4.000012, ["4", "+5e-6", "+1e-5"]),
        (-4.000012, -3.999998, ["-1e-5", "-5e-6", "-4"]),
        (3.999993, 4.000007, ["-5e-6", "4", "+5e-6"]),
        (0.12343, 0.12357, ["-5e-5", "0.1235", "+5e-5"]),
        (-0.12357, -0.12343, ["-5e-5", "-0.1235", "+5e-5"]),
        (123456.71, 123456.77, ["123456.72", "+0.02", "+0.04"]),
        (1e9, 1e9 + 50, ["1G", "+20", "+40"]),
        (2.999999e-4, 3.000001e-4, ["-1e-10", "3e-4", "+1e-10"]),
        (1e15, 1.00001e15, ["1e15", "+5G", "+10G"]),
        (1e-12, 1.00001e-12, ["1e-12", "+5e-18", "+1e-17"]),
        # Short enough as they are, or far from constant:
        (3.9999, 4.0001, ["3.9999", "4.0000", "4.0001"]),
        (1900.0, 1965.0, ["1.90k", "1.95k"]),
        (0.001, 0.0011, ["0.00100", "0.00105", "0.00110"]),
        (1.2e-4, 1.3e-4, ["1.2e-4", "1.25e-4", "1.3e-4"]),
    ],
)
def test_marks_of_a_nearly_constant_series_say_what_they_add_to_one_of_them(
    low: float, high: float, labels: list[str]
) -> None:
    assert [tick.label for tick in linear_ticks(low, high, count=3, by_one=True)] == labels


def test_marks_that_may_be_left_out_are_written_in_full() -> None:
    labels = [tick.label for tick in linear_ticks(3.999998, 4.000012, count=3)]
    assert labels == ["4.000000", "4.000005", "4.000010"]


@pytest.mark.parametrize("middle", [1.0, 4.0, 0.0003, 123456.0, 7e8])
def test_marks_on_a_logarithmic_axis_of_a_nearly_constant_series(middle: float) -> None:
    low, high = math.log10(middle * (1 - 3e-6)), math.log10(middle * (1 + 3e-6))
    ticks = log_ticks(low, high, count=3)
    assert len(ticks) >= 2
    (one,) = (tick for tick in ticks if tick.label[0] not in "+-")
    sizes = {"k": 1e3, "M": 1e6, "G": 1e9}
    for tick in ticks:
        number = tick.label.rstrip("kMG")
        value = float(number) * sizes.get(tick.label[-1], 1.0)
        offset = 0.0 if tick is one else 10**one.value
        assert 10**tick.value == pytest.approx(offset + value, rel=1e-9)


@pytest.mark.parametrize(
    ("low", "high", "count", "labels"),
    [
        (55.3, 62.7, 3, ["56", "60"]),
        (2e3, 8.8e5, 3, ["400k", "800k"]),
        (3.6, 4.4, 3, ["3.6", "4.0", "4.4"]),
        (0.51, 0.98, 2, ["0.6", "0.8"]),
    ],
)
def test_one_mark_is_no_scale(low: float, high: float, count: int, labels: list[str]) -> None:
    assert [tick.label for tick in linear_ticks(low, high, count=count)] == labels


def test_steps_are_never_marked_between_them() -> None:
    for high in (1.2, 2.3, 3.7, 5.9, 12.1):
        for count in (1, 2, 3):
            ticks = linear_ticks(0.8, high, count=count, least=1.0)
            assert all(tick.value == round(tick.value) for tick in ticks)


def test_values_are_told_apart_by_as_many_digits_as_their_range_asks_for() -> None:
    assert telling_digits(0.0, 1.0) == 4
    assert telling_digits(4.0, 4.00001) == 8  # 4.0000034
    assert telling_digits(-4.00001, -4.0) == 8
    assert telling_digits(1e5, 1e5 + 2) == 7  # 100000.4
    assert telling_digits(1.0, 1 + 1e-12) == 9
    assert telling_digits(math.log10(4.0), math.log10(4.00001), log=True) == 8
    assert telling_digits(-300.0, 338.0, log=True) == 4


def test_small_numbers_keep_the_digits_that_tell_them_apart() -> None:
    assert tick_label(1.25e-4, 5e-6) == "1.25e-4"
    assert tick_label(2.5e-6, 2.5e-6) == "2.5e-6"
    assert tick_label(0.75, 0.25) == "0.75"
