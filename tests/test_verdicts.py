"""Trends of synthetic series, and the words that follow from them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from codecctl.engine.rows import Row
from codecctl.engine.verdicts import (
    AS_EXPECTED,
    EXPECTATIONS,
    NOT_AS_EXPECTED,
    UNDECIDED,
    judge,
    trend,
    verdict_lines,
)


def noise(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(count)


def rows(metric: str, values: list[float], *, split: str = "val", every: int = 100) -> list[Row]:
    return [
        {"step": every * index, "split": split, metric: value} for index, value in enumerate(values)
    ]


def word_of(metric: str, values: list[float], *, split: str = "val") -> str:
    (found,) = (
        verdict
        for verdict in judge(rows(metric, values, split=split), mode="paired")
        if verdict.expectation.metric == metric
    )
    return found.word


def test_a_line_has_its_slope_and_no_doubt() -> None:
    found = trend([0, 100, 200, 300, 400], [1.0, 0.8, 0.6, 0.4, 0.2])
    assert found is not None
    assert (found.slope, found.low, found.high) == pytest.approx((-2.0, -2.0, -2.0))
    assert (found.count, found.first, found.last) == (5, 1.0, 0.2)


def test_one_wild_value_does_not_decide() -> None:
    values = [float(value) for value in range(10)]
    values[4] = -1000.0
    found = trend([100.0 * step for step in range(10)], values)
    assert found is not None
    assert found.slope == pytest.approx(10.0)
    assert found.low > 0


def test_the_interval_of_five_values_is_that_of_all_their_slopes() -> None:
    """The chance of no inversion among five is 1/120, of at most one 5/120: nothing is cut off."""
    values = [0.0, 1.0, 3.0, 2.0, 5.0]
    found = trend([0, 1000, 2000, 3000, 4000], values)
    assert found is not None
    assert (found.low, found.high) == (-1.0, 3.0)
    fewer = trend([0, 1000, 2000, 3000], [0.0, 1.0, 2.0, 3.0])
    assert fewer is not None
    assert (fewer.low, fewer.high) == (-math.inf, math.inf)


@pytest.mark.oracle
def test_slope_and_interval_are_close_to_those_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    steps = np.arange(24.0)
    values = 0.05 * steps + noise(24, seed=3)
    found = trend(steps.tolist(), values.tolist())
    expected = stats.theilslopes(values, steps)
    assert found is not None
    assert found.slope == pytest.approx(1000 * expected.slope)
    assert found.low == pytest.approx(1000 * expected.low_slope, abs=15)
    assert found.high == pytest.approx(1000 * expected.high_slope, abs=15)


def test_series_without_a_trend_are_undecided_in_most_cases() -> None:
    """White noise as in rows of batches, and noise with a memory as of a slow optimizer."""
    steps = list(range(400))
    white = slow = 0
    for seed in range(100):
        values = noise(400, seed)
        kept = np.convolve(values, 0.9 ** np.arange(100))[:400]  # correlation of 0.9
        for series, is_white in ((values, True), (kept, False)):
            found = trend(steps, series.tolist())
            assert found is not None
            decided = found.low > 0 or found.high < 0
            white += decided and is_white
            slow += decided and not is_white
    assert white <= 10 and slow <= 15


def test_a_weak_trend_in_many_rows_is_found() -> None:
    values = -0.003 * np.arange(400) + noise(400, seed=1)
    assert word_of("loss/similarity", values.tolist(), split="train") == AS_EXPECTED


@pytest.mark.parametrize(
    ("metric", "split", "values", "word"),
    [
        ("val/code_agreement", "val", [0.1, 0.2, 0.3, 0.35, 0.4], AS_EXPECTED),
        ("val/code_agreement", "val", [0.4, 0.3, 0.2, 0.15, 0.1], NOT_AS_EXPECTED),
        ("val/code_agreement", "val", [0.1, 0.2, 0.3, 0.4], UNDECIDED),
        ("val/second_code_difference", "val", [0.9, 0.8, 0.9, 0.8, 0.9, 0.8], UNDECIDED),
        ("val/mel/capsule2", "val", [1.0, 0.5, 0.3, 0.25, 0.24], AS_EXPECTED),
        ("loss/similarity", "train", [1.0, 0.5, 0.3, 0.25, 0.24], AS_EXPECTED),
        ("loss/similarity", "train", [0.0] * 6, UNDECIDED),
        ("loss/diversity", "train", [-1.0, -2.0, -3.0, -4.0, -5.0], NOT_AS_EXPECTED),
        ("loss/diversity", "train", [-5.0, -4.0, -3.0, -2.0, -1.0], AS_EXPECTED),
        ("loss/diversity", "train", [], UNDECIDED),
    ],
)
def test_a_verdict_is_the_sign_of_the_interval(
    metric: str, split: str, values: list[float], word: str
) -> None:
    assert word_of(metric, values, split=split) == word


def test_a_curve_that_falls_fast_and_then_stays_has_fallen() -> None:
    curve = np.exp(-np.arange(300) / 20) + 0.01 * noise(300, seed=2)
    assert word_of("loss/similarity", curve.tolist(), split="train") == AS_EXPECTED


def test_every_expectation_of_the_document_has_a_line() -> None:
    verdicts = judge([], mode="paired")
    assert [verdict.expectation for verdict in verdicts] == list(EXPECTATIONS["paired"])
    assert {verdict.word for verdict in verdicts} == {UNDECIDED}
    assert verdicts[0].text == (
        "first token is similar for the same content: undecided: val/code_agreement has 0 values, "
        "needed 5"
    )
    assert judge([], mode="mono") == ()


def test_a_line_has_the_slope_its_interval_and_the_remark() -> None:
    values = [-1.0, -2.0, -3.0, -4.0, -5.0]
    verdict = judge(rows("loss/diversity", values, split="train"), mode="paired")[-1]
    assert verdict.text == (
        "diversity loss becomes less negative: not as expected: loss/diversity -1 -> -5, slope -10 "
        "in 1000 steps, 95 % -10 to -10 (the loss itself asks for more negative values)"
    )
    assert verdict.row() == {
        "claim": "diversity loss becomes less negative",
        "metric": "loss/diversity",
        "split": "train",
        "expected": "rises",
        "verdict": NOT_AS_EXPECTED,
        "slope": -10.0,
        "low": -10.0,
        "high": -10.0,
        "values": 5,
        "first": -1.0,
        "last": -5.0,
    }


def test_an_interval_without_ends_is_one_that_json_can_hold() -> None:
    verdict = judge(rows("loss/diversity", [-1.0, -2.0], split="train"), mode="paired")[-1]
    assert (verdict.row()["low"], verdict.row()["high"]) == ("-Infinity", "Infinity")


def test_rows_of_the_other_split_and_values_that_are_no_numbers_do_not_count() -> None:
    good = rows("loss/similarity", [5.0, 4.0, 3.0, 2.0, 1.0], split="train")
    bad: list[Row] = [
        *rows("loss/similarity", [9.0] * 9),
        {"step": 1000, "split": "train", "loss/similarity": "NaN"},
        {"step": None, "split": "train", "loss/similarity": 1.0},
    ]
    verdict = judge(good + bad, mode="paired")[6]
    assert verdict.trend is not None and verdict.trend.count == 5


def test_claims_with_too_few_values_share_one_line_at_the_end() -> None:
    rows: list[Row] = [
        {"step": step, "split": "val", "val/mel/capsule1": 1.0 - 0.1 * step} for step in range(6)
    ]
    lines = verdict_lines(judge(rows, mode="paired"))
    assert len(lines) == 2
    assert lines[0].startswith("first channel is reconstructed well: as expected")
    assert lines[1].startswith("too early to judge (0 values, needed 5): first token is similar")
    assert lines[1].endswith("diversity loss becomes less negative")
