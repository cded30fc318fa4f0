"""What a diffuse field gives the capsules of a rigid sphere: sound from everywhere at once.

    C_ij(f) = sum_n |b_n(kr)|^2 (2n+1)/(4 pi)^2 P_n(u_i . u_j)

is the mean of H_i conj(H_j) over all directions of arrival (the addition theorem, applied to the
responses of `sphere`). It is real, and 1 on the diagonal where the array is small against the
wavelength. Recordings of a real diffuse field show the coherence C_ij / C_ii; more of it means
that sound comes from few directions, less that capsules hear something of their own (noise, wind).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from codecctl.datasets.sphere import SPEED_OF_SOUND, legendre, rigid_sphere_modes

Floats = npt.NDArray[np.float64]


def diffuse_covariance(cosine: Floats, frequencies: Floats, *, radius: float, order: int) -> Floats:
    """Mean product of the pressures at two places on the sphere, (..., F).

    Args:
        cosine: Cosine of the angle between the places, any shape.
        frequencies: Hz, (F,).
        radius: Meters.
        order: Highest mode; see `sphere`.
    """
    modes = rigid_sphere_modes(2 * np.pi * frequencies * radius / SPEED_OF_SOUND, order)
    n = np.arange(order + 1)[:, None]
    power = np.abs(modes) ** 2 * (2 * n + 1) / (4 * np.pi) ** 2
    total: Floats = np.tensordot(legendre(cosine, order), power, axes=(0, 0))
    return total


def diffuse_coherence(cosine: Floats, frequencies: Floats, *, radius: float, order: int) -> Floats:
    """Coherence of two places, (..., F), between -1 and 1; arguments as above."""
    both = diffuse_covariance(cosine, frequencies, radius=radius, order=order)
    alone = diffuse_covariance(np.ones(()), frequencies, radius=radius, order=order)
    coherence: Floats = both / alone
    return coherence
