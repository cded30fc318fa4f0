"""Thinned series: the extremes, averages and divergences of all values."""

from __future__ import annotations

import numpy as np
import pytest

from codecctl.dashboard.axis import XAxis
from codecctl.dashboard.smoothing import smooth
from codecctl.dashboard.table import Table
from codecctl.dashboard.thinning import MOST_POINTS, Question, extent, points, prepare


def table_of(values: np.ndarray, *, pieces: int = 1, seconds: np.ndarray | None = None) -> Table:
    table = Table()
    for part in np.array_split(np.arange(values.size), pieces):
        table = table.add(
            [
                {"step": int(i), "a": float(values[i])}
                | ({} if seconds is None else {"seconds": float(seconds[i])})
                for i in part
            ]
        )
    return table


def question(weight: float = 0.0, window: tuple[float, float] | None = None) -> Question:
    return Question("a", XAxis.STEP, 0.0, weight, window)


def noise(count: int) -> np.ndarray:
    return np.random.default_rng(3).normal(size=count).astype(np.float32).astype(np.float64)


def test_a_short_series_is_drawn_as_it_is() -> None:
    values = noise(100)
    found = points(table_of(values), question(0.9))
    assert found.x.tolist() == list(range(100))
    assert found.values.tolist() == values.tolist()
    assert found.smoothed.tolist() == smooth(values, 0.9).tolist()


def test_no_extreme_of_a_long_series_is_lost_and_little_else_is_kept() -> None:
    values = noise(4 * MOST_POINTS)
    values[12_345], values[20_001], values[30_000] = 99.0, -99.0, np.nan
    found = points(table_of(values), question(0.9))
    assert found.x.size < 2 * MOST_POINTS
    assert {12_345, 20_001, 30_000} <= set(found.x.tolist())
    assert found.x[-1] == values.size - 1  # what the chart names as the newest value
    exact = smooth(values, 0.9)
    assert found.smoothed.tolist() == pytest.approx(
        exact[found.x.astype(int)].tolist(), nan_ok=True
    )
    for start in range(0, values.size, values.size // 100):  # what a column of dots spans
        stop = start + values.size // 100
        inside = (found.x >= start) & (found.x < stop)
        near = slice(max(0, start - 32), stop + 32)
        top = np.nanmax(found.smoothed[inside])
        assert np.nanmax(exact[near]) >= top - 1e-9
        assert top >= np.nanmax(exact[start + 32 : stop - 32]) - 1e-9


@pytest.mark.parametrize("weight", [0.0, 0.9, 0.99])
def test_rows_that_arrive_in_pieces_give_what_all_at_once_give(weight: float) -> None:
    values = noise(2 * MOST_POINTS + 77)
    values[5_000:9_500] = np.nan
    table = Table()
    for part in np.array_split(np.arange(values.size), 40):
        table = table.add([{"step": int(i), "a": float(values[i])} for i in part])
        found = points(table, question(weight))
    exact = smooth(values, weight)[found.x.astype(int)]
    assert found.values.tolist() == pytest.approx(values[found.x.astype(int)].tolist(), nan_ok=True)
    wanted = found.values if weight == 0 else exact
    assert np.allclose(found.smoothed, wanted, rtol=1e-12, atol=1e-12, equal_nan=True)
    assert np.nanmax(found.values) == np.nanmax(values)


def test_only_new_rows_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    values = noise(3 * MOST_POINTS)
    table = table_of(values)
    points(table, question(0.9))
    seen = []

    def counted(part: np.ndarray, weight: float) -> np.ndarray:
        seen.append(part.size)
        return smooth(part, weight)

    monkeypatch.setattr("codecctl.dashboard.thinning.smooth", counted)
    points(table, question(0.9))
    assert seen == []
    points(table.add([{"step": values.size, "a": 1.0}]), question(0.9))
    assert sum(seen) < 2_000


def test_rows_that_are_replaced_are_computed_again() -> None:
    values = noise(3 * MOST_POINTS)
    table = table_of(values)
    points(table, question())
    table = table.add([{"step": 20_000, "a": 50.0}])
    found = points(table, question())
    assert found.values.max() == 50.0
    assert found.values[found.x == 20_000].tolist() == [50.0]


def test_a_window_shows_every_value_within_it_and_one_beyond_each_end() -> None:
    values = noise(3 * MOST_POINTS)
    found = points(table_of(values), question(0.9, (100.0, 200.0)))
    assert found.x.tolist() == list(range(99, 202))
    assert found.smoothed.tolist() == pytest.approx(smooth(values, 0.9)[99:202].tolist())


def test_a_window_on_a_clock_that_was_set_back_is_cut_from_places_in_order() -> None:
    seconds = np.array([0.0, 10.0, 5.0, 6.0, 20.0])
    table = table_of(np.arange(5.0), seconds=seconds)
    found = points(table, Question("a", XAxis.TIME, 0.0, 0.0, (5.5, 7.0)))
    assert found.x.tolist() == [5, 6, 10]


def test_a_clock_that_was_set_back_still_gives_rising_places() -> None:
    seconds = np.array([0.0, 10.0, 5.0, 6.0])
    table = table_of(np.arange(4.0), seconds=seconds)
    found = points(table, Question("a", XAxis.TIME, 0.0, 0.0, None))
    assert found.x.tolist() == [0, 5, 6, 10]
    assert found.values.tolist() == [0, 2, 3, 1]


def test_the_extent_grows_with_the_rows() -> None:
    table = table_of(noise(10))
    assert extent(table, XAxis.STEP, steps_per_epoch=0) == (0, 9)
    assert extent(table, XAxis.TIME, steps_per_epoch=0) is None
    assert extent(table.add([{"step": 30, "a": 1}]), XAxis.STEP, steps_per_epoch=0) == (0, 30)


@pytest.mark.long
def test_a_long_series_is_computed_in_steps_and_what_is_kept_stays_small() -> None:
    values = noise(12 * MOST_POINTS)
    table = table_of(values)
    steps = list(prepare(table, question(0.9)))
    assert len(steps) >= 3
    assert list(prepare(table, question(0.9))) == []
    for weight in (0.0, 0.6, 0.97, 0.99):
        points(table, question(weight))
    asked = [key for key in table.memo if isinstance(key, Question)]
    assert asked == [question(0.97), question(0.99)]


@pytest.mark.long
def test_longer_chunks_keep_the_extremes_of_shorter_ones() -> None:
    values = noise(10 * MOST_POINTS)
    values[777], values[30_001], values[50_000] = 50.0, -50.0, np.nan
    table = Table()
    sizes = []
    for part in np.array_split(np.arange(values.size), 10):
        table = table.add([{"step": int(i), "a": float(values[i])} for i in part])
        sizes.append(points(table, question(0.9)).x.size)
    assert max(sizes) < 2 * MOST_POINTS  # however long the series gets
    found = points(table, question(0.9))
    assert {777, 30_001, 50_000} <= set(found.x.tolist())
    exact = smooth(values, 0.9)
    assert found.smoothed.tolist() == pytest.approx(
        exact[found.x.astype(int)].tolist(), nan_ok=True
    )
    for part in np.array_split(np.arange(values.size), 40):
        inside = (found.x >= part[0]) & (found.x <= part[-1])
        middle = exact[part[300:-300]]
        assert np.nanmax(found.smoothed[inside]) >= np.nanmax(middle) - 1e-9
        assert np.nanmin(found.smoothed[inside]) <= np.nanmin(middle) + 1e-9
