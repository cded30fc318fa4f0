"""The rigid-sphere response against closed forms and limits."""

import numpy as np
import pytest

from codecctl.datasets.em32 import RADIUS_METERS, capsule_directions
from codecctl.datasets.sphere import (
    SPEED_OF_SOUND,
    array_response,
    bin_frequencies,
    legendre,
    mode_filters,
    response_of_angle,
    rigid_sphere_modes,
    spherical_hankel2,
    sum_of_modes,
)


def _directions(count: int, seed: int = 0) -> np.ndarray:
    points = np.random.default_rng(seed).standard_normal((count, 3))
    directions: np.ndarray = points / np.linalg.norm(points, axis=1, keepdims=True)
    return directions


@pytest.mark.oracle
@pytest.mark.parametrize("form", ["difference", "wronskian"])
def test_modes_equal_both_closed_forms(form: str) -> None:
    special = pytest.importorskip("scipy.special")
    kr = np.linspace(0.01, 18.5, 400)
    n = np.arange(31)[:, None]
    bessel, bessel_slope = special.spherical_jn(n, kr), special.spherical_jn(n, kr, True)
    hankel = bessel - 1j * special.spherical_yn(n, kr)
    slope = bessel_slope - 1j * special.spherical_yn(n, kr, True)
    if form == "difference":
        expected = 4 * np.pi * 1j**n * (bessel - bessel_slope / slope * hankel)
    else:
        expected = 4 * np.pi * 1j**n * -1j / (kr**2 * slope)
    np.testing.assert_allclose(rigid_sphere_modes(kr, 30), expected, atol=2e-13, rtol=0)


@pytest.mark.oracle
def test_hankel_recurrence_equals_scipy() -> None:
    special = pytest.importorskip("scipy.special")
    x = np.array([0.02, 0.5, 3.0, 9.2, 18.5])
    n = np.arange(32)[:, None]
    expected = special.spherical_jn(n, x) - 1j * special.spherical_yn(n, x)
    np.testing.assert_allclose(spherical_hankel2(x, 30), expected, rtol=1e-11)


def test_at_rest_only_the_first_mode_is_left_and_it_is_four_pi() -> None:
    modes = rigid_sphere_modes(np.array([0.0]), 5)[:, 0]
    assert modes[0] == 4 * np.pi
    assert not modes[1:].any()


def test_long_waves_do_not_notice_the_sphere() -> None:
    response = response_of_angle(
        np.array([-1.0, 0.0, 1.0]), np.array([0.0, 1.0]), radius=RADIUS_METERS
    )
    np.testing.assert_allclose(response, 1.0, atol=2e-3)


def test_short_waves_double_at_the_front_and_fade_at_the_side_of_the_shadow() -> None:
    kr = 18.0
    frequency = np.array([kr * SPEED_OF_SOUND / (2 * np.pi * RADIUS_METERS)])
    front, side = np.abs(
        response_of_angle(np.cos(np.radians([0.0, 150.0])), frequency, radius=RADIUS_METERS)
    )[:, 0]
    assert abs(front - 2.0) < 0.05
    assert side < 0.4


def test_the_capsule_that_faces_the_source_hears_it_first() -> None:
    # Long waves on a rigid sphere: the phase leads by 3/2 kr cos(angle) (monopole and dipole).
    frequency = np.array([100.0])
    kr = 2 * np.pi * frequency[0] * RADIUS_METERS / SPEED_OF_SOUND
    cosine = np.array([-1.0, 0.3, 1.0])
    phase = np.angle(response_of_angle(cosine, frequency, radius=RADIUS_METERS)[:, 0])
    np.testing.assert_allclose(phase, 1.5 * kr * cosine, atol=0.02 * kr)


@pytest.mark.parametrize(
    ("order", "at_12_khz", "at_24_khz"),
    # Upper bounds of the truncation error in dB, averaged over directions and capsules.
    [
        (4, 0, 0.5),
        (10, -12, -0.3),
        (16, -65, -3),
        (20, -110, -13),
        (24, -150, -40),
        (30, -200, -90),
    ],
)
def test_order_30_is_needed_at_24_khz(order: int, at_12_khz: float, at_24_khz: float) -> None:
    frequencies, capsules = np.array([12_000.0, 24_000.0]), capsule_directions()
    directions = _directions(40)

    def response(highest: int) -> np.ndarray:
        return array_response(
            frequencies, directions, capsules=capsules, radius=RADIUS_METERS, order=highest
        )

    exact = response(50)
    error = (np.abs(response(order) - exact) ** 2).sum((0, 1)) / (np.abs(exact) ** 2).sum((0, 1))
    error_db = 10 * np.log10(error)
    assert error_db[0] < at_12_khz
    assert error_db[1] < at_24_khz


def test_an_order_of_ten_is_not_enough_at_24_khz() -> None:
    frequency, cosine = np.array([24_000.0]), np.linspace(-1, 1, 50)
    exact = response_of_angle(cosine, frequency, radius=RADIUS_METERS, order=40)
    short = response_of_angle(cosine, frequency, radius=RADIUS_METERS, order=10)
    assert np.linalg.norm(short - exact) > 0.5 * np.linalg.norm(exact)


def test_filters_cut_in_time_keep_the_response_up_to_20_khz() -> None:
    filters = mode_filters(48_000, radius=RADIUS_METERS, taps=384, delay=96)
    frequencies = bin_frequencies(2048, 48_000)
    cosine = np.cos(np.linspace(0, np.pi, 25))
    cut = sum_of_modes(cosine, np.fft.rfft(filters, 2048))
    cut *= np.exp(2j * np.pi * frequencies / 48_000 * 96)
    exact = response_of_angle(cosine, frequencies, radius=RADIUS_METERS)
    passed = frequencies <= 20_000
    error = np.abs(cut - exact)[:, passed].max()
    assert 20 * np.log10(error) < -70


def test_legendre_polynomials_equal_their_formulas() -> None:
    x = np.linspace(-1, 1, 11)
    values = legendre(x, 3)
    np.testing.assert_allclose(values[2], (3 * x**2 - 1) / 2, atol=1e-15)
    np.testing.assert_allclose(values[3], (5 * x**3 - 3 * x) / 2, atol=1e-15)
    assert legendre(x, 0).shape == (1, 11)
