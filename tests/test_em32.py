"""The capsule table of the em32."""

import numpy as np

from codecctl.datasets.em32 import (
    COLATITUDE_AZIMUTH_DEGREES,
    NUM_CAPSULES,
    capsule_directions,
    capsule_labels,
)


def _angles_degrees() -> np.ndarray:
    directions = capsule_directions()
    return np.degrees(np.arccos(np.clip(directions @ directions.T, -1, 1)))


def test_every_capsule_has_its_antipode_within_the_rounding_of_the_table() -> None:
    assert (_angles_degrees().max(axis=1) > 178.9).all()


def test_nearest_neighbors_stand_37_degrees_apart() -> None:
    angles = _angles_degrees() + 360 * np.eye(NUM_CAPSULES)
    nearest = angles.min(axis=1)
    assert nearest.min() > 36.5
    assert nearest.max() < 37.5


def test_the_directions_cancel_out() -> None:
    assert np.linalg.norm(capsule_directions().sum(axis=0)) < 0.05


def test_axes_are_front_left_up() -> None:
    directions = capsule_directions()
    assert directions[0] @ [1, 0, 0] > 0.9  # capsule 1 at the front
    assert directions[6] @ [0, 1, 0] > 0.9  # capsule 7 at 69 degrees to the left
    assert directions[4] @ [0, 0, 1] > 0.8  # capsule 5 near the top
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1.0)


def test_the_tetrahedron_of_the_seld_data_sets_is_capsules_6_10_26_22() -> None:
    elevation_azimuth = [
        (90 - COLATITUDE_AZIMUTH_DEGREES[number - 1][0], COLATITUDE_AZIMUTH_DEGREES[number - 1][1])
        for number in (6, 10, 26, 22)
    ]
    assert elevation_azimuth == [(35, 45), (-35, 315), (-35, 135), (35, 225)]


def test_labels_count_from_one() -> None:
    assert capsule_labels()[0] == "capsule1"
    assert capsule_labels()[-1] == "capsule32"
    assert len(set(capsule_labels())) == NUM_CAPSULES
