"""Plane waves on the capsules: where they come from can be read off again."""

import numpy as np
import pytest

from codecctl.datasets.em32 import RADIUS_METERS, capsule_directions
from codecctl.datasets.sphere import array_response, bin_frequencies, rigid_sphere_modes
from codecctl.datasets.synth.array import (
    BLOCK,
    DELAY,
    FILTER_TAPS,
    GRAIN_HOP,
    FixedDirections,
    MovingDirections,
)

RATE = 48_000


def _directions(count: int, seed: int) -> np.ndarray:
    points = np.random.default_rng(seed).standard_normal((count, 3))
    directions: np.ndarray = points / np.linalg.norm(points, axis=1, keepdims=True)
    return directions


def _plain_gains(directions: np.ndarray) -> np.ndarray:
    return np.ones((len(directions), len(FixedDirections.frequencies(RATE))))


def _intensity_direction(capsules: np.ndarray) -> np.ndarray:
    """Direction of arrival from the active intensity at the center, 300 to 2000 Hz.

    Encodes pressure and the three first-order components with the mode strengths taken out;
    knows nothing of steering or of the renderer.
    """
    spectra = np.fft.rfft(capsules * np.hanning(capsules.shape[1]), axis=1)
    frequencies = bin_frequencies(capsules.shape[1], RATE)
    band = (frequencies > 300) & (frequencies < 2000)
    modes = rigid_sphere_modes(2 * np.pi * frequencies[band] * RADIUS_METERS / 343, 1)
    harmonics = np.concatenate([np.ones((32, 1)), np.sqrt(3) * capsule_directions()], axis=1)
    encoded = np.linalg.pinv(harmonics) @ spectra[:, band]  # (4, F)
    pressure = encoded[0] / modes[0]
    velocity = encoded[1:] / modes[1]
    intensity = (np.conj(pressure) * velocity).real.sum(axis=1)
    direction: np.ndarray = intensity / np.linalg.norm(intensity)
    return direction


@pytest.mark.parametrize("seed", range(6))
def test_the_direction_of_a_plane_wave_is_recovered_within_two_degrees(seed: int) -> None:
    direction = _directions(1, seed)
    signal = np.random.default_rng(seed).standard_normal((1, BLOCK)).astype(np.float32)
    array = FixedDirections(direction, gains=_plain_gains(direction), sample_rate=RATE)
    found = _intensity_direction(array.process(signal))
    assert np.degrees(np.arccos(np.clip(found @ direction[0], -1, 1))) < 2.0


def test_capsules_hear_the_exact_response_of_a_rigid_sphere() -> None:
    direction = _directions(1, 7)
    impulse = np.zeros((1, BLOCK), dtype=np.float32)
    impulse[0, 100] = 1.0
    array = FixedDirections(direction, gains=_plain_gains(direction), sample_rate=RATE)
    heard = np.roll(array.process(impulse), -100 - DELAY, axis=1)
    frequencies = bin_frequencies(BLOCK, RATE)
    exact = array_response(
        frequencies, direction, capsules=capsule_directions(), radius=RADIUS_METERS
    )[0]
    passed = frequencies < 20_000
    error = np.abs(np.fft.rfft(heard) - exact)[:, passed]
    assert 20 * np.log10(error.max()) < -60


def test_blocks_join_without_a_seam() -> None:
    directions = _directions(3, 1)
    signals = np.random.default_rng(1).standard_normal((3, 2 * BLOCK)).astype(np.float32)
    shifted = np.roll(signals, 777, axis=1)
    shifted[:, :777] = 0

    def process(audio: np.ndarray) -> np.ndarray:
        array = FixedDirections(directions, gains=_plain_gains(directions), sample_rate=RATE)
        return np.concatenate([array.process(part) for part in np.split(audio, 2, axis=1)], axis=1)

    np.testing.assert_allclose(process(shifted)[:, 777:], process(signals)[:, :-777], atol=2e-5)


def test_a_moving_wave_that_stands_still_equals_a_fixed_one() -> None:
    direction = _directions(1, 2)
    signal = np.random.default_rng(2).standard_normal(2 * BLOCK + GRAIN_HOP).astype(np.float32)
    fixed = FixedDirections(direction, gains=_plain_gains(direction), sample_rate=RATE)
    moving = MovingDirections(sample_rate=RATE)
    num_grains = BLOCK // GRAIN_HOP
    expected, found = [], []
    for start in (0, BLOCK):
        expected.append(fixed.process(signal[None, start : start + BLOCK]))
        moving.add(
            signal[start : start + BLOCK + GRAIN_HOP],
            directions=np.repeat(direction, num_grains, axis=0),
            gains=np.ones((num_grains, len(moving.frequencies))),
        )
        found.append(moving.finish())
    settled = slice(GRAIN_HOP + FILTER_TAPS, None)  # the first grain fades in
    reference = np.concatenate(expected, axis=1)[:, settled]
    error = np.concatenate(found, axis=1)[:, settled] - reference
    assert np.std(error) < 1e-3 * np.std(reference)


def test_a_turning_wave_is_found_where_it_is_at_each_moment() -> None:
    moving = MovingDirections(sample_rate=RATE)
    azimuth = np.radians(np.linspace(20, 60, BLOCK // GRAIN_HOP))
    directions = np.stack([np.cos(azimuth), np.sin(azimuth), 0 * azimuth], axis=1)
    signal = np.random.default_rng(3).standard_normal(BLOCK + GRAIN_HOP).astype(np.float32)
    gains = np.ones((len(azimuth), len(moving.frequencies)))
    moving.add(signal, directions=directions, gains=gains)
    heard = moving.finish()
    early, late = (_intensity_direction(heard[:, at : at + 2048]) for at in (512, 6144))
    # Grains stand at 512 (k + 1) samples; the middles of the two windows are 1536 and 7168.
    for found, degrees in ((early, 20 + 40 / 15 * 2), (late, 20 + 40 / 15 * 13)):
        assert np.degrees(np.arctan2(found[1], found[0])) == pytest.approx(degrees, abs=4)
