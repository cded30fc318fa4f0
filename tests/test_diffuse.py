"""The closed forms against sums over directions, and against a rendered diffuse field."""

from __future__ import annotations

import numpy as np

from codecctl.datasets.diffuse import diffuse_coherence, diffuse_covariance
from codecctl.datasets.em32 import RADIUS_METERS, capsule_directions
from codecctl.datasets.sphere import array_response
from codecctl.datasets.synth.renderer import bed_directions

FREQUENCIES = np.array([100.0, 500.0, 1500.0, 3000.0, 5000.0])


def test_the_covariance_is_the_mean_over_all_directions() -> None:
    capsules = capsule_directions()[:8]
    directions = bed_directions(2000)
    heard = array_response(
        FREQUENCIES, directions, capsules=capsules, radius=RADIUS_METERS, order=20
    )
    mean = np.einsum("dif,djf->ijf", heard, heard.conj()) / len(directions)
    closed = diffuse_covariance(
        np.clip(capsules @ capsules.T, -1, 1), FREQUENCIES, radius=RADIUS_METERS, order=20
    )
    np.testing.assert_allclose(mean, closed, atol=0.01)


def test_coherence_is_one_at_the_same_place_and_at_low_frequencies() -> None:
    same = diffuse_coherence(np.array([1.0]), FREQUENCIES, radius=RADIUS_METERS, order=20)
    np.testing.assert_allclose(same, 1.0)
    low = diffuse_coherence(np.linspace(-1, 1, 5), np.array([1.0]), radius=RADIUS_METERS, order=4)
    np.testing.assert_allclose(low, 1.0, atol=1e-4)


def test_a_sphere_too_small_to_shade_gives_the_coherence_of_the_free_field_with_longer_ways() -> (
    None
):
    """To second order in kr, a rigid sphere acts as a free field 3/2 times as wide (Kuhn 1977).

    Free field: sin(kd)/(kd) = 1 - (kd)^2 / 6, with d^2 = 2 r^2 (1 - cosine).
    """
    cosine, radius, frequency = np.array([0.8, 0.0, -1.0]), 0.042, 60.0
    k = 2 * np.pi * frequency / 343
    wide = 1.5 * radius * np.sqrt(2 * (1 - cosine))
    found = diffuse_coherence(cosine, np.array([frequency]), radius=radius, order=6)[:, 0]
    np.testing.assert_allclose(1 - found, 1 - np.sinc(k * wide / np.pi), rtol=0.02)
