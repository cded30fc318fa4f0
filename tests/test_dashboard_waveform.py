"""Spectrograms and waveforms of signals that one can compute by hand."""

from __future__ import annotations

import numpy as np
import pytest

from codecctl.dashboard.spectrum import (
    FLOOR_DB,
    peak_db,
    spectrogram_db,
    waveform_extent,
)

RATE = 24_000


def sine(frequency: float, *, level: float = 1.0, seconds: float = 1.0) -> np.ndarray:
    time = np.arange(int(RATE * seconds)) / RATE
    return (level * np.sin(2 * np.pi * frequency * time)).astype(np.float32)


@pytest.mark.parametrize("frequency", [300.0, 3_100.0, 6_100.0, 11_600.0])
def test_a_sine_lights_the_row_of_its_frequency(frequency: float) -> None:
    rows = 24  # of 500 Hz each
    picture = spectrogram_db(sine(frequency), sample_rate=RATE, columns=40, rows=rows)
    assert picture.shape == (rows, 40)
    loudest = rows - 1 - picture.argmax(axis=0)  # the highest frequency comes first
    assert set(loudest.tolist()) == {int(frequency // 500)}


@pytest.mark.parametrize("level", [1.0, 0.1])
def test_the_level_of_a_sine_is_its_amplitude(level: float) -> None:
    picture = spectrogram_db(sine(3_000.0, level=level), sample_rate=RATE, columns=10, rows=20)
    assert picture.max() == pytest.approx(20 * np.log10(level), abs=0.5)


def test_a_click_is_bright_in_its_column_and_silence_is_at_the_floor() -> None:
    audio = np.zeros(RATE, np.float32)
    audio[RATE // 2] = 1.0
    picture = spectrogram_db(audio, sample_rate=RATE, columns=50, rows=10)
    lit = np.flatnonzero(picture.max(axis=0) > FLOOR_DB)
    assert 24 in lit
    assert lit.min() >= 22
    assert lit.max() <= 26


@pytest.mark.parametrize("samples", [1, 100, 511, 512, 513, 2_000])
@pytest.mark.parametrize(("columns", "rows"), [(1, 1), (7, 30), (200, 1000)])
def test_short_clips_and_odd_sizes_give_whole_pictures(
    samples: int, columns: int, rows: int
) -> None:
    audio = np.ones(samples, np.float32)
    picture = spectrogram_db(audio, sample_rate=RATE, columns=columns, rows=rows)
    assert picture.shape == (rows, columns)
    assert np.isfinite(picture).all()
    if samples >= 2_000:
        assert (picture.max(axis=0) > FLOOR_DB).all()


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
