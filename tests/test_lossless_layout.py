"""Where the arrays of the predictor lie."""

from __future__ import annotations

import numpy as np
import pytest

from codecctl.engine.lossless.memory import LINE, zeros


@pytest.mark.parametrize("size", [1, 3, 8, 512])
def test_arrays_begin_with_a_line_of_the_cache_and_at_places_of_their_own(size: int) -> None:
    arrays = zeros((size, size), (size,), (2, size))
    places = [array.ctypes.data for array in arrays]
    assert [place % LINE for place in places] == [0, 0, 0]
    assert len({place % 4096 for place in places}) == 3
    assert [array.shape for array in arrays] == [(size, size), (size,), (2, size)]


def test_arrays_share_nothing() -> None:
    arrays = zeros((5, 3), (0, 3), (7,))
    for number, array in enumerate(arrays, start=1):
        array[:] = number
    assert [array.tolist() for array in arrays[1:]] == [[], [3.0] * 7]
    assert np.array_equal(arrays[0], np.ones((5, 3)))


def test_arrays_of_half_the_size_lie_as_well() -> None:
    arrays = zeros((5, 3), (2, 8), dtype=np.float32)
    assert [array.dtype for array in arrays] == [np.float32] * 2
    assert [array.ctypes.data % LINE for array in arrays] == [0, 0]
    arrays[0][:] = 1.0
    assert not arrays[1].any()
