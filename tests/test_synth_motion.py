"""Where a sound is, and when what is heard now was made."""

import numpy as np
import pytest

from codecctl.datasets.sphere import SPEED_OF_SOUND
from codecctl.datasets.synth.motion import Motion, emission_times, static

CAR = Motion("driving", (-50, 5, -1), (50, 5, -1), speed=10.0, pause_seconds=4.0, phase_seconds=2.0)
WALK = Motion("walking", (-6, 3, 0), (6, 3, 0), speed=1.2, pause_seconds=0.0, phase_seconds=1.0)


def test_a_car_passes_moves_on_and_comes_again() -> None:
    positions = CAR.positions(np.array([3.0, 9.0, 3.0 + 14.0]))
    np.testing.assert_allclose(positions[:, 0], [0.0, 50.0, 0.0], atol=1e-9)


def test_a_car_is_silent_at_its_ends_and_between_passes() -> None:
    presence = CAR.presence(np.array([-2.0, 3.0, 8.0, 9.5]))
    np.testing.assert_allclose(presence, [0, 1, 0, 0], atol=1e-12)


def test_a_walker_turns_without_a_jump_and_never_exceeds_his_mean_speed_by_much() -> None:
    times = np.linspace(0, 60, 6001)
    places = WALK.positions(times)
    speed = np.linalg.norm(np.diff(places, axis=0), axis=1) / np.diff(times)
    assert speed.max() < 1.2 * np.pi / 2 * 1.001
    assert (WALK.presence(times) == 1).all()


def test_the_closest_point_lies_on_the_line_or_at_its_end() -> None:
    assert CAR.closest_meters() == pytest.approx(np.sqrt(26))
    assert static((3, 4, 0)).closest_meters() == pytest.approx(5)
    away = Motion("walking", (3, 0, 0), (9, 0, 0), speed=1, pause_seconds=0, phase_seconds=0)
    assert away.closest_meters() == pytest.approx(3)


def test_emission_solves_the_retarded_time_equation() -> None:
    arrivals = np.linspace(0, 6, 500)
    emitted = emission_times(CAR, arrivals)
    distance = np.linalg.norm(CAR.positions(emitted), axis=1)
    np.testing.assert_allclose(emitted + distance / SPEED_OF_SOUND, arrivals, atol=1e-9)


def test_the_image_in_the_floor_is_as_far_below_it_as_the_sound_is_above() -> None:
    image = CAR.mirrored(-1.6)
    assert image.start == pytest.approx((-50, 5, -2.2))
    assert image.closest_meters() > CAR.closest_meters()
