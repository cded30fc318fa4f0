"""Paired differences against values by hand and against scipy."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from codecctl.engine.paired_statistics import (
    ALL_SCENES,
    compare,
    difference,
    hodges_lehmann,
    item_values,
    signed_rank_p,
)
from codecctl.engine.rows import Row


def test_six_items_that_all_get_better() -> None:
    pairs = [(1.0, 0.9), (2.0, 1.8), (3.0, 2.7), (4.0, 3.6), (5.0, 4.5), (6.0, 5.4)]
    found = difference("mel", ALL_SCENES, pairs, higher_better=False)
    assert (found.count, found.wins, found.losses, found.win_rate) == (6, 6, 0, 1.0)
    assert found.first == 3.5
    assert found.mean == pytest.approx(-0.35)
    assert found.center == pytest.approx(-0.35)
    assert found.p == 2 / 2**6  # of 64 orders of signs, two are as one-sided
    assert (found.low, found.high) == pytest.approx((-0.6, -0.1))  # means[0] and means[-1]
    assert found.is_significant


def test_five_items_can_never_be_sure() -> None:
    found = difference("mel", ALL_SCENES, [(1.0, 0.5)] * 5, higher_better=False)
    assert found.p == 2 / 2**5
    assert (found.low, found.high) == (-math.inf, math.inf)
    assert not found.is_significant


def test_equal_pairs_win_half_and_say_nothing() -> None:
    found = difference("mel", ALL_SCENES, [(1.0, 1.0), (1.0, 2.0), (1.0, 0.0)], higher_better=True)
    assert (found.wins, found.losses, found.win_rate, found.p) == (1, 1, 0.5, 1.0)
    assert difference("mel", ALL_SCENES, [(1.0, 1.0)], higher_better=True).p == 1.0


def test_values_that_are_not_finite_are_left_out_and_none_is_nan() -> None:
    pairs = [(math.nan, 1.0), (1.0, math.inf), (1.0, 2.0)]
    assert difference("mel", ALL_SCENES, pairs, higher_better=True).count == 1
    empty = difference("mel", ALL_SCENES, [], higher_better=True)
    assert math.isnan(empty.mean)
    assert math.isnan(empty.win_rate)
    assert empty.p == 1.0


@pytest.mark.oracle
@pytest.mark.parametrize("count", [3, 8, 20, 40])
def test_the_test_is_that_of_scipy(count: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    change = np.random.default_rng(count).normal(0.3, 1.0, count)
    wanted = stats.wilcoxon(change, method="exact").pvalue
    assert signed_rank_p(change) == pytest.approx(wanted, rel=1e-9)


def test_ties_are_exact_over_all_signs() -> None:
    change = np.array([1.0, 1.0, -1.0, 2.0, 2.0, 3.0])
    ranks = np.array([2.0, 2.0, 2.0, 4.5, 4.5, 6.0])
    sums = [np.dot(ranks, signs) for signs in itertools.product((0, 1), repeat=len(change))]
    here = ranks[change > 0].sum()
    extreme = min(here, ranks.sum() - here)
    assert signed_rank_p(change) == pytest.approx(2 * np.mean([each <= extreme for each in sums]))


def test_the_interval_holds_what_the_test_does_not_reject() -> None:
    change = np.random.default_rng(5).normal(0.4, 1.0, 15)
    _, low, high = hodges_lehmann(change)
    for shift, rejected in ((low, False), (high, False), (low - 1e-6, True), (high + 1e-6, True)):
        inside = shift + (1e-6 if shift == low else -1e-6 if shift == high else 0.0)
        assert (signed_rank_p(change - inside) <= 0.05) is rejected


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    chance = np.random.default_rng(11)
    covered = 0
    for _ in range(400):
        _, low, high = hodges_lehmann(chance.standard_t(3, size=12) + 1.0)
        covered += low <= 1.0 <= high
    assert 0.93 <= covered / 400 <= 0.985


def test_items_of_a_step_are_read_with_later_rows_in_place_of_earlier_ones() -> None:
    rows: list[Row] = [
        {"step": 5, "item": 0, "scene": "Beach", "metric": "mel", "value": 1.0},
        {"step": 5, "item": 0, "scene": "Beach", "metric": "mel", "value": 2.0},
        {"step": 5, "item": 1, "scene": "Park", "metric": "mel", "value": "NaN"},
        {"step": 6, "item": 0, "scene": "Beach", "metric": "mel", "value": 9.0},
        {"step": 5, "item": 0, "metric": 3, "value": 9.0},
    ]
    found = item_values(rows, 5)["mel"]
    assert found["Beach", "0"] == 2.0
    assert math.isnan(found["Park", "1"])
    assert len(found) == 2


def test_checkpoints_are_compared_on_common_items_over_all_and_by_scene() -> None:
    first = {"mel": {("Beach", "0"): 1.0, ("Park", "1"): 2.0, ("Park", "2"): 3.0}, "old": {}}
    second = {"mel": {("Beach", "0"): 0.5, ("Park", "1"): 2.5, ("Park", "9"): 0.0}}
    found = compare(first, second, higher_better={"mel": False})
    assert [(each.scene, each.count, each.wins) for each in found] == [
        (ALL_SCENES, 2, 1),
        ("Beach", 1, 1),
        ("Park", 1, 0),
    ]
