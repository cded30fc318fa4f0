"""The debiased moving average, against its formula."""

from __future__ import annotations

import math

import numpy as np
import pytest

from codecctl.dashboard.smoothing import smooth


def by_formula(values: list[float], weight: float) -> list[float]:
    """sum_k (1 - w) w^k x_(n-k) / (1 - w^n), one term after the other."""
    found = []
    for n in range(1, len(values) + 1):
        total = sum((1 - weight) * weight**k * values[n - 1 - k] for k in range(n))
        found.append(total / (1 - weight**n))
    return found


def test_hand_values_for_a_weight_of_one_half() -> None:
    # (1), (0.25*1 + 0.5*3)/0.75, (0.125*1 + 0.25*3 + 0.5*5)/0.875
    smoothed = smooth(np.array([1.0, 3.0, 5.0]), 0.5)
    assert smoothed.tolist() == pytest.approx([1.0, 1.75 / 0.75, 3.375 / 0.875])


@pytest.mark.parametrize("weight", [0.6, 0.97, 0.99, 0.999])
@pytest.mark.parametrize("count", [1, 63, 64, 65, 300])
def test_blocks_give_what_the_formula_gives(count: int, weight: float) -> None:
    values = np.random.default_rng(7).normal(3.0, 1.0, count)
    np.testing.assert_allclose(smooth(values, weight), by_formula(values.tolist(), weight), 1e-9)


def test_a_constant_stays_the_constant_from_its_first_value_on() -> None:
    np.testing.assert_allclose(smooth(np.full(1000, 0.7), 0.99), 0.7, rtol=1e-12)


def test_what_is_not_finite_leaves_a_gap_and_no_trace_behind_it() -> None:
    clean = smooth(np.array([1.0, 2.0, 4.0]), 0.6)
    broken = smooth(np.array([1.0, math.nan, 2.0, math.inf, -math.inf, 4.0]), 0.6)
    assert np.isnan(broken[[1, 3, 4]]).all()
    np.testing.assert_allclose(broken[[0, 2, 5]], clean)


def test_no_weight_and_no_values_change_nothing() -> None:
    values = np.array([3.0, 1.0])
    np.testing.assert_array_equal(smooth(values, 0.0), values)
    assert smooth(np.empty(0), 0.9).size == 0
