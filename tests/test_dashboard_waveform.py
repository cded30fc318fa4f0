"""Waveforms that one can read off by hand."""

from __future__ import annotations

import numpy as np
import pytest

from codecctl.dashboard.waveform import FLOOR_DB, peak_db, waveform_extent


def test_the_extent_of_a_waveform_keeps_its_extremes() -> None:
    audio = np.zeros(1000, np.float32)
    audio[250], audio[999] = 0.8, -0.6
    low, high = waveform_extent(audio, columns=10)
    assert np.flatnonzero(high > 0).tolist() == [2]
    assert np.flatnonzero(low < 0).tolist() == [9]
    assert (high.max(), low.min()) == pytest.approx((0.8, -0.6))


@pytest.mark.parametrize("samples", [0, 1, 3, 10])
def test_fewer_samples_than_columns_still_fill_every_column(samples: int) -> None:
    low, high = waveform_extent(np.full(samples, 0.5, np.float32), columns=7)
    assert low.shape == high.shape == (7,)
    assert set(high.tolist()) == ({0.5} if samples else {0.0})


def test_peaks_are_in_decibels_of_full_scale() -> None:
    assert peak_db(np.array([0.5, -1.0], np.float32)) == 0.0
    assert peak_db(np.array([0.1], np.float32)) == pytest.approx(-20.0, abs=1e-4)
    assert peak_db(np.zeros(4, np.float32)) == FLOOR_DB
