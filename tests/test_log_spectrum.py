from __future__ import annotations

import numpy as np
import pytest

from codecctl.log_spectrum import FLOOR_DB, log_frequencies, log_spectrogram_db

RATE = 24_000


def _picture(audio: np.ndarray, columns: int = 20, rows: int = 24) -> np.ndarray:
    return log_spectrogram_db(
        audio.astype(np.float32), sample_rate=RATE, columns=columns, rows=rows
    )


@pytest.mark.parametrize("frequency", [70.0, 440.0, 5000.0])
def test_a_full_scale_sine_is_zero_decibels_in_its_row(frequency: float) -> None:
    picture = _picture(np.sin(2 * np.pi * frequency * np.arange(RATE) / RATE))
    row = int(np.searchsorted(log_frequencies(RATE, 24), frequency)) - 1
    assert int(picture.max(axis=1).argmax()) == 23 - row
    assert picture.max() == pytest.approx(0, abs=1.5)


def test_rows_are_equal_parts_of_an_octave_from_fifty_hertz() -> None:
    edges = log_frequencies(RATE, 24)
    assert (edges[0], edges[-1]) == (50, RATE / 2)
    np.testing.assert_allclose(np.diff(np.log2(edges)), np.log2(240) / 24)


def test_a_click_is_seen_in_its_column_however_long_the_clip() -> None:
    audio = np.zeros(60 * RATE)
    audio[30 * RATE + 700] = 1.0
    loud = np.flatnonzero(_picture(audio, columns=40).max(axis=0) > FLOOR_DB)
    assert loud.tolist() in ([20], [19, 20])


@pytest.mark.parametrize("length", [1, 100, 2000])
def test_a_clip_shorter_than_the_picture_fills_it(length: int) -> None:
    picture = _picture(0.1 * np.ones(length) * (-1.0) ** np.arange(length), columns=60)
    assert picture.shape == (24, 60)
    assert picture.max(axis=0).min() > FLOOR_DB


def test_silence_is_the_floor() -> None:
    assert (_picture(np.zeros(RATE)) == FLOOR_DB).all()
