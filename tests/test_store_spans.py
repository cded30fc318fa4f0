from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codecctl.datasets.store.spans import Scratch, expand, float_peak, grouped, parts_of, peak

RATE = 10


@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_a_span_is_its_integers_times_the_scale_of_each_second(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    start = data.draw(st.integers(0, 60))
    count = data.draw(st.integers(0, 100 - start))
    kind = data.draw(st.sampled_from(["<i2", "<i4"]))
    integers = rng.integers(-32768, 32768, count).astype(kind)
    scale = rng.random(10).astype(np.float32)
    out = np.empty(count, dtype=np.float32)
    parts = parts_of(start, count, RATE)
    expand(integers, scale, parts, out)
    expected = integers.astype(np.float32) * np.repeat(scale, RATE)[start : start + count]
    np.testing.assert_array_equal(out, expected)
    if count:
        exact = peak(integers, scale, parts, enough=np.inf)
        assert exact == np.abs(expected).max()
        enough = data.draw(st.floats(0.0, 32_768.0, width=32))
        quick = np.float32(peak(integers, scale, parts, enough=enough))
        assert quick == exact or enough <= quick <= exact
        assert (quick >= enough) == (exact >= enough)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, np.finfo(np.float32).max])
@pytest.mark.parametrize("second", [0, 1, 2])
def test_a_damaged_scale_is_seen_whatever_is_enough(bad: float, second: int) -> None:
    integers = np.arange(5, 30, dtype=np.int16)
    scale = np.ones(3, dtype=np.float32)
    scale[second] = bad
    assert not np.isfinite(peak(integers, scale, parts_of(5, 25, RATE), enough=1e-6))
    for start, count in ((8, 5), (18, 5)):  # two scales
        if second in (start // RATE, start // RATE + 1):
            assert not np.isfinite(
                peak(integers[:count], scale, parts_of(start, count, RATE), enough=1e-6)
            )


def test_a_negative_scale_counts_by_its_magnitude() -> None:
    integers = np.array([-3, 2], dtype=np.int16)
    assert peak(integers, np.array([-2.0], np.float32), parts_of(0, 2, RATE), enough=1.0) == 6.0


def test_the_largest_negative_integer_is_a_peak() -> None:
    integers = np.array([-32768, 5], dtype=np.int16)
    assert peak(integers, np.ones(1, np.float32), parts_of(0, 2, RATE), enough=100.0) == 32768.0


def test_the_peak_of_floats_is_not_finite_where_one_is_not() -> None:
    audio = np.array([0.5, -0.75, 0.25], dtype=np.float32)
    assert float_peak(audio) == 0.75
    for bad in (np.nan, np.inf, -np.inf):
        audio[1] = bad
        assert not np.isfinite(float_peak(audio))


def test_scratch_of_the_same_size_is_used_again() -> None:
    scratch = Scratch()
    scratch.fit(2, 5, np.dtype("<i2"))
    first = scratch.samples[1]
    scratch.views[1][:2] = b"\x02\x01"
    assert first[0] == 0x0102
    scratch.fit(2, 5, np.dtype("<i2"))
    assert scratch.samples[1] is first
    scratch.fit(2, 5, np.dtype("<i4"))
    assert scratch.samples[1].dtype == np.int32 and len(scratch.views[0]) == 20


def test_neighbours_within_reach_are_grouped_in_their_order() -> None:
    channels = (7, 3, 4, 9, 3)
    assert grouped(range(5), channels, reach=0) == [[1], [4], [2], [0], [3]]
    assert grouped(range(5), channels, reach=1) == [[1], [4, 2], [0], [3]]
    assert grouped(range(5), channels, reach=2) == [[1], [4, 2], [0, 3]]
    assert grouped(range(3), channels, reach=9) == [[1, 2, 0]]


def test_the_parts_of_a_span_cover_it_second_by_second() -> None:
    assert parts_of(13, 5, RATE) == ((slice(0, 5), 1),)
    assert parts_of(13, 7, RATE) == ((slice(0, 7), 1),)
    assert parts_of(13, 8, RATE) == [(slice(0, 7), 1), (slice(7, 8), 2)]
    assert parts_of(9, 21, RATE) == [
        (slice(0, 1), 0),
        (slice(1, 11), 1),
        (slice(11, 21), 2),
    ]
