"""Real spherical harmonics in the order and normalization of ambisonics (ACN, SN3D).

ACN: component (n, m) stands at n^2 + n + m; m < 0 are the sines of azimuth. SN3D: the components
of an order, squared, sum to 1 in every direction, and there is no Condon-Shortley phase, so that
ACN 1, 2, 3 are y, z, x of the unit vector (Nachbar et al., ambiX, 2011).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MAX_ORDER = 10


def unit_vector(azimuth_degrees: float, elevation_degrees: float) -> Floats:
    """Direction, (3,): x front, y left, z up; azimuth anticlockwise from above, 90 = left."""
    azimuth, elevation = math.radians(azimuth_degrees), math.radians(elevation_degrees)
    level = math.cos(elevation)
    return np.array([level * math.cos(azimuth), level * math.sin(azimuth), math.sin(elevation)])


def sn3d(directions: Floats, order: int) -> Floats:
    """Real spherical harmonics, (D, (order + 1)^2) in ACN order, SN3D.

    Args:
        directions: Unit vectors, (D, 3).
        order: Highest n, up to `MAX_ORDER`.
    """
    assert 0 <= order <= MAX_ORDER, order
    x, y, z = directions.T
    azimuth = np.arctan2(y, x)
    legendre = _associated_legendre(np.clip(z, -1.0, 1.0), order)
    values = np.empty((len(directions), (order + 1) ** 2))
    for n in range(order + 1):
        values[:, n * n + n] = legendre[n, 0]
        for m in range(1, n + 1):
            norm = math.sqrt(2 * math.factorial(n - m) / math.factorial(n + m))
            values[:, n * n + n + m] = norm * legendre[n, m] * np.cos(m * azimuth)
            values[:, n * n + n - m] = norm * legendre[n, m] * np.sin(m * azimuth)
    return values


def order_of_channels(channels: int) -> int | None:
    """The ambisonic order that has so many components, None where none has."""
    order = math.isqrt(channels) - 1
    return order if 0 <= order <= MAX_ORDER and (order + 1) ** 2 == channels else None


def max_re_weights(order: int) -> Floats:
    """Factors of the orders that focus the energy of a beam most, (order + 1,).

    P_n(cos(137.9 deg / (N + 1.51))), Zotter and Frank, All-Round Ambisonic Panning and Decoding,
    J. Audio Eng. Soc. 60(10), 2012, equation 10.
    """
    cosine = math.cos(math.radians(137.9 / (order + 1.51)))
    return _associated_legendre(np.array([cosine]), order)[:, 0, 0]


def _associated_legendre(cosine: Floats, order: int) -> Floats:
    """P_n^m without the Condon-Shortley phase, (order + 1, order + 1, D); 0 for m > n."""
    sine = np.sqrt(1 - cosine**2)
    values = np.zeros((order + 1, order + 1, len(cosine)))
    values[0, 0] = 1.0
    for m in range(order + 1):
        if m > 0:
            values[m, m] = (2 * m - 1) * sine * values[m - 1, m - 1]
        if m < order:
            values[m + 1, m] = (2 * m + 1) * cosine * values[m, m]
        for n in range(m + 2, order + 1):
            below = (n + m - 1) * values[n - 2, m]
            values[n, m] = ((2 * n - 1) * cosine * values[n - 1, m] - below) / (n - m)
    return values
