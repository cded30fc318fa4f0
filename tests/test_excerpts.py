from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from codecctl.datasets.excerpts import read_excerpts, spread
from codecctl.datasets.store import Store


def test_windows_spread_from_the_first_to_the_last_sample() -> None:
    excerpts = spread(1000, frames=10, count=4)
    assert excerpts.starts == (0, 330, 660, 990)
    assert not excerpts.whole


def test_a_short_recording_is_read_as_a_whole() -> None:
    excerpts = spread(35, frames=10, count=4)
    assert excerpts.starts == (0, 10, 20, 30)
    assert excerpts.whole


def test_the_last_window_of_a_whole_recording_ends_with_it(make_store: Callable[..., Path]) -> None:
    audio = np.random.default_rng(0).uniform(-1, 1, (2, 350)).astype(np.float32)
    with Store.open(make_store({"a": audio}, dtype="float32", sample_rate=100)) as store:
        info = store.recordings[0]
        windows = list(read_excerpts(store, info, spread(info.frames, frames=100, count=9)))
    assert [window.shape for window in windows] == [(2, 100)] * 3 + [(2, 50)]
    np.testing.assert_array_equal(np.concatenate(windows, axis=1), audio)
