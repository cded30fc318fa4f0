"""Values, ages and sizes as the dashboard writes them."""

from __future__ import annotations

import math

import pytest

from codecctl.dashboard.wording import (
    age_text,
    bytes_text,
    higher_is_better,
    shorter_name,
    step_text,
    value_text,
)
from codecctl.engine.verdicts import EXPECTATIONS


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.46113, "0.4611"),
        (0.0, "0"),
        (-8.0, "-8"),
        (0.0003, "3.00e-4"),
        (12345.6, "12346"),
        (123456.0, "1.23e5"),
        (math.nan, "NaN"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (None, "-"),
    ],
)
def test_values_have_four_digits_and_broken_ones_a_word(value: float | None, text: str) -> None:
    assert value_text(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (99, "99 s"),
        (100, "2 min"),
        (3 * 3600, "3.0 h"),
        (5 * 86400, "5 d"),
        (1.8e9, "-"),
    ],
)
def test_ages_have_one_unit(seconds: float, text: str) -> None:
    assert age_text(seconds) == text


def test_long_runs_are_counted_in_thousands() -> None:
    assert step_text(1200, 6000) == "1200/6000"
    assert step_text(241_000, 517_500) == "241k/518k"
    assert step_text(12, 0) == "12"


def test_sizes_have_decimal_units() -> None:
    assert [bytes_text(n) for n in (12, 23_100_000, 4.2e9)] == ["12 B", "23.1 MB", "4.2 GB"]


def test_directions_of_metrics_are_known() -> None:
    assert higher_is_better("val/si_sdr")
    assert higher_is_better("val/codebook/1/usage")
    assert higher_is_better("val/eval/sisdr")
    assert not higher_is_better("val/eval/stft")
    assert not higher_is_better("val/si_sdr_loss")
    assert not higher_is_better("loss/si_sdr")
    assert not higher_is_better("val/mel")
    assert not higher_is_better("val/diversity")
    assert higher_is_better("val/codebook/1/entropy")
    assert higher_is_better("val/codebook/2/diversity")
    assert higher_is_better("val/array/first_agreement")
    assert not higher_is_better("val/array/second_agreement")
    assert higher_is_better("val/array/probe/second")
    assert not higher_is_better("val/array/probe/first")
    assert higher_is_better("val/ratio")


def test_what_a_mode_expects_of_a_metric_is_its_better_direction() -> None:
    expected = {each.metric: each.rises for every in EXPECTATIONS.values() for each in every}
    del expected["loss/diversity"]  # the loss asks for the opposite
    assert len(expected) > 5
    assert {metric: higher_is_better(metric) for metric in expected} == expected


def test_a_name_that_is_too_wide_loses_its_first_parts() -> None:
    name = "val/array/apart/coherence_error"
    assert shorter_name(name, 31) == name
    assert shorter_name(name, 30) == "…/array/apart/coherence_error"
    assert shorter_name(name, 28) == "…/apart/coherence_error"
    assert shorter_name(name, 17) == "…/coherence_error"
    assert shorter_name(name, 16) == name  # cut, but no part of it would be whole
    assert shorter_name("loss", 2) == "loss"
