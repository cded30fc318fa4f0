from __future__ import annotations

import numpy as np
import pytest

from codecctl.datasets.harmonics import max_re_weights, order_of_channels, sn3d, unit_vector


def _directions(count: int, seed: int) -> np.ndarray:
    points = np.random.default_rng(seed).standard_normal((count, 3))
    directions: np.ndarray = points / np.linalg.norm(points, axis=1, keepdims=True)
    return directions


def test_the_first_components_are_those_of_the_unit_vector() -> None:
    directions = _directions(5, 0)
    x, y, z = directions.T
    np.testing.assert_allclose(sn3d(directions, 1), np.stack([np.ones(5), y, z, x], axis=1))


def test_components_of_an_order_squared_sum_to_one() -> None:
    squares = sn3d(_directions(20, 1), 6) ** 2
    for n in range(7):
        np.testing.assert_allclose(squares[:, n * n : (n + 1) ** 2].sum(axis=1), 1.0)


@pytest.mark.oracle
def test_they_equal_the_complex_harmonics_of_scipy() -> None:
    special = pytest.importorskip("scipy.special")
    directions = _directions(10, 2)
    ours = sn3d(directions, 4)
    colatitude = np.arccos(directions[:, 2])
    azimuth = np.arctan2(directions[:, 1], directions[:, 0])
    for n in range(5):
        to_sn3d = np.sqrt(4 * np.pi / (2 * n + 1))
        for m in range(n + 1):
            theirs = special.sph_harm_y(n, m, colatitude, azimuth) * to_sn3d * (-1) ** m
            root = np.sqrt(2) if m else 1.0
            np.testing.assert_allclose(ours[:, n * n + n + m], root * theirs.real, atol=1e-12)
            if m:
                np.testing.assert_allclose(ours[:, n * n + n - m], root * theirs.imag, atol=1e-12)


def test_left_and_up_are_where_the_conventions_say() -> None:
    np.testing.assert_allclose(unit_vector(90, 0), [0, 1, 0], atol=1e-15)
    np.testing.assert_allclose(unit_vector(0, 90), [0, 0, 1], atol=1e-15)


def test_the_focus_weights_are_those_of_the_paper() -> None:
    # 137.9 / 2.51 = 54.94 degrees, of which the cosine is 0.5744.
    np.testing.assert_allclose(max_re_weights(1), [1.0, 0.5744], atol=1e-4)


def test_only_square_channel_counts_have_an_order() -> None:
    assert [order_of_channels(count) for count in (0, 1, 2, 4, 16, 25, 26, 32)] == [
        None, 0, None, 1, 3, 4, None, None,
    ]  # fmt: skip
