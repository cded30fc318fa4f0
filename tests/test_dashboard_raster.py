"""Curves as dots: envelopes, joints, gaps, the braille alphabet."""

from __future__ import annotations

import math

import numpy as np

from codecctl.dashboard.raster import BRAILLE, Dots, Window, braille, curve_dots

UNIT = Window(0.0, 1.0, 0.0, 1.0)


def columns_of(dots: Dots) -> Dots:
    """Which dot columns hold a dot."""
    lit: Dots = dots.max(axis=0)
    return lit


def test_the_eight_dots_have_the_bits_of_the_unicode_chart() -> None:
    found = {}
    for row in range(4):
        for column in range(2):
            dots = np.zeros((4, 2), np.bool_)
            dots[row, column] = True
            found[row, column] = chr(int(braille(dots)[0, 0]))
    assert found == {
        (0, 0): "⠁", (1, 0): "⠂", (2, 0): "⠄", (3, 0): "⡀",
        (0, 1): "⠈", (1, 1): "⠐", (2, 1): "⠠", (3, 1): "⢀",
    }  # fmt: skip
    assert braille(np.ones((4, 2), np.bool_))[0, 0] == ord("⣿")
    assert braille(np.zeros((8, 4), np.bool_)).tolist() == [[BRAILLE] * 2] * 2


def test_a_diagonal_goes_from_corner_to_corner() -> None:
    dots = curve_dots(np.array([0.0, 1.0]), np.array([0.0, 1.0]), window=UNIT, width=2, height=1)
    # Four columns and rows: each column spans a quarter of the height, rounded to its rows.
    assert dots[3, 0]
    assert dots[0, 3]
    assert not dots[0, 0]
    assert not dots[3, 3]
    assert dots.any(axis=0).all()


def test_one_spike_among_twenty_thousand_points_reaches_the_top() -> None:
    x = np.linspace(0.0, 1.0, 20_000)
    y = np.full(20_000, 0.1)
    y[12_345] = 1.0
    dots = curve_dots(x, y, window=UNIT, width=40, height=10)
    column = int(x[12_345] * 80)
    assert dots[0, column]
    assert dots[0].sum() == 1
    assert dots[:, column].sum() > 30  # joined to the curve below


def test_a_nan_leaves_a_gap_between_the_pieces() -> None:
    x = np.arange(5.0)
    y = np.array([0.5, 0.5, math.nan, 0.5, 0.5])
    window = Window(0.0, 4.0, 0.0, 1.0)
    lit = columns_of(curve_dots(x, y, window=window, width=10, height=1))
    assert lit[:5].all()  # x 0 .. 1
    assert not lit[6:14].any()  # between 1 and 3: nothing on either side of the NaN
    assert lit[15:].all()


def test_a_lone_point_between_two_nans_is_one_dot_column() -> None:
    x = np.arange(3.0)
    y = np.array([math.nan, 0.5, math.inf])
    dots = curve_dots(x, y, window=Window(0.0, 2.0, 0.0, 1.0), width=10, height=1)
    assert np.flatnonzero(columns_of(dots)).tolist() == [10]


def test_few_points_are_joined_by_straight_lines() -> None:
    x = np.array([0.0, 10.0])
    y = np.array([0.3, 0.3])
    dots = curve_dots(x, y, window=Window(0.0, 10.0, 0.0, 1.0), width=20, height=2)
    assert dots.sum() == 40
    assert len(set(np.flatnonzero(dots.any(axis=1)))) == 1


def test_a_line_that_leaves_the_window_is_cut_at_its_edge() -> None:
    x = np.array([0.0, 1.0])
    y = np.array([0.0, 10.0])
    dots = curve_dots(x, y, window=UNIT, width=10, height=2)
    assert dots[:, 0].any()
    assert not dots[:, 5:].any()


def test_a_zoomed_window_still_shows_the_line_that_crosses_it() -> None:
    x = np.array([0.0, 100.0])
    y = np.array([0.5, 0.5])
    dots = curve_dots(x, y, window=Window(40.0, 60.0, 0.0, 1.0), width=10, height=1)
    assert dots.any(axis=0).all()
