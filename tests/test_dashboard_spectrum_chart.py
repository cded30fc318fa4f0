"""Curves over frequency: where values and frequencies stand."""

from __future__ import annotations

import numpy as np
import pytest

from codecctl.dashboard.canvas import Canvas, curve_ink
from codecctl.dashboard.raster import BRAILLE
from codecctl.dashboard.spectrum_chart import Spectrum, draw_spectra

FREQUENCIES = np.arange(1, 256) * 24_000 / 512


def drawn(*spectra: Spectrum, top: float = 1.0, width: int = 60, height: int = 12) -> Canvas:
    """A chart of what lies between 47 Hz and 12 kHz."""
    return draw_spectra(
        "coherence", spectra, frequencies=FREQUENCIES, top=top, width=width, height=height
    )


def test_curves_lie_between_zero_and_the_top_with_their_letters_at_the_end() -> None:
    ones, halves = np.ones(255), np.full(255, 0.5)
    canvas = drawn(Spectrum(ones, 0, "A"), Spectrum(halves, 1, "B"))
    rows = list(canvas.rows())
    assert rows[0].rstrip() == "coherence"
    assert rows[1].startswith("1.0┤")
    assert rows[10].startswith("  0┤")
    for ink, letter, row in ((curve_ink(0), "A", 1), (curve_ink(1), "B", 6)):
        places = np.argwhere(canvas.inks == ink)
        assert set(places[:, 0].tolist()) == {row}
        assert set(places[:, 1].tolist()) == set(range(canvas.left, 60))
        assert chr(int(canvas.codes[row, 59])) == letter


def test_a_frequency_stands_where_its_logarithm_is() -> None:
    step = np.where(FREQUENCIES < 1000, 0.0, 1.0)
    canvas = drawn(Spectrum(step, 0))
    share = np.log10(1000 / FREQUENCIES[0]) / np.log10(FREQUENCIES[-1] / FREQUENCIES[0])
    column = canvas.left + share * (60 - canvas.left)
    up = np.flatnonzero(canvas.codes[1] > BRAILLE)
    assert up.min() == pytest.approx(column, abs=1.5)
    labels = list(canvas.rows())[-1]
    assert labels.index("1k") == pytest.approx(column, abs=2)
    assert labels.split() == ["100", "200", "500", "1k", "2k", "5k", "Hz"]


def test_a_point_is_the_mean_over_a_sixth_of_an_octave() -> None:
    """Neighbours of 0 and 1 are one curve at a half where a sixth of an octave holds many."""
    comb = (np.arange(255) % 2).astype(float)
    canvas = drawn(Spectrum(comb, 0), height=22, width=100)
    places = np.argwhere(canvas.inks[:, 80:] == curve_ink(0))  # above 5 kHz: 25 bins or more
    assert set(places[:, 0].tolist()) <= {10, 11, 12}


def test_the_axis_holds_the_highest_point_and_small_charts_have_a_title_alone() -> None:
    rows = list(drawn(Spectrum(np.linspace(0, 8, 255), 0, "A"), top=3.0).rows())
    assert [row.partition("┤")[0].strip() for row in rows if "┤" in row] == ["6", "4", "2", "0"]
    assert rows[1].endswith("A")
    for width, height in ((0, 0), (5, 2), (19, 20), (60, 4)):
        rows = list(drawn(Spectrum(np.ones(255), 0), width=width, height=height).rows())
        assert len(rows) == height
        assert not "".join(rows[1:]).strip()
