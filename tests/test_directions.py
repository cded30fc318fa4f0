"""Maps of the sphere: a plane wave stands where it comes from."""

from __future__ import annotations

import numpy as np
import pytest

from codecctl.datasets.directions import can_aim, direction_maps, map_angles, strongest
from codecctl.datasets.em32 import RADIUS_METERS, capsule_directions
from codecctl.datasets.harmonics import max_re_weights, sn3d, unit_vector
from codecctl.datasets.sphere import array_response

RATE = 24_000
COLUMNS, ROWS = 36, 12


def em32_wave(azimuth: float, elevation: float, *, seconds: float = 0.5) -> np.ndarray:
    """White noise of power 1 from a direction, as the capsules hear it, (32, T)."""
    frames = round(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(0).normal(size=frames))
    frequencies = np.fft.rfftfreq(frames, 1 / RATE).astype(np.float64)
    response = array_response(
        frequencies,
        unit_vector(azimuth, elevation)[None],
        capsules=capsule_directions(),
        radius=RADIUS_METERS,
    )[0]
    return np.fft.irfft(response * spectrum, frames).astype(np.float32)


def angle_degrees(one: tuple[float, float], other: tuple[float, float]) -> float:
    return float(np.degrees(np.arccos(np.clip(unit_vector(*one) @ unit_vector(*other), -1, 1))))


@pytest.mark.parametrize("place", [(0.0, 0.0), (90.0, 0.0), (-135.0, 30.0), (40.0, -50.0)])
def test_a_plane_wave_is_loudest_where_it_comes_from(place: tuple[float, float]) -> None:
    levels = direction_maps(
        em32_wave(*place), array="em32", sample_rate=RATE, columns=COLUMNS, rows=ROWS
    ).whole
    assert angle_degrees(strongest(levels), place) < 11  # half a diagonal of a cell
    # A beam passes its look direction at 0 dB: white noise of power 1 between 700 and 7000 Hz.
    assert levels.max() == pytest.approx(10 * np.log10(6300 / 12_000), abs=0.5)
    assert levels.max() - np.median(levels) > 15


def test_ambisonics_say_the_same() -> None:
    noise = np.random.default_rng(1).normal(size=RATE // 2)
    audio = (sn3d(unit_vector(90, 0)[None], 2)[0][:, None] * noise).astype(np.float32)
    levels = direction_maps(
        audio, array="ambisonic2", sample_rate=RATE, columns=COLUMNS, rows=ROWS
    ).whole
    assert angle_degrees(strongest(levels), (90, 0)) < 11
    assert levels.max() == pytest.approx(10 * np.log10(6300 / 12_000), abs=0.5)


@pytest.mark.parametrize("size", [(36, 13), (77, 38), (12, 8)])
def test_a_map_of_any_size_has_the_pattern_of_the_beam(size: tuple[int, int]) -> None:
    columns, rows = size
    noise = np.random.default_rng(2).normal(size=RATE // 4)
    wave = unit_vector(-70, 35)
    audio = (sn3d(wave[None], 2)[0][:, None] * noise).astype(np.float32)
    found = direction_maps(
        audio, array="ambisonic2", sample_rate=RATE, columns=columns, rows=rows
    ).whole
    azimuth, elevation = map_angles(columns, rows)
    looks = np.array([[unit_vector(a, e) for a in azimuth.tolist()] for e in elevation.tolist()])
    cosine = looks @ wave
    shares = max_re_weights(2) * (1, 3, 5)
    pattern = shares[0] + shares[1] * cosine + shares[2] * (3 * cosine**2 - 1) / 2
    wanted = 20 * np.log10(np.maximum(np.abs(pattern) / shares.sum(), 1e-9))
    near = wanted > -30
    difference = (found - wanted)[near]
    assert difference.max() - difference.min() < 0.01  # apart from the level of the noise


def test_each_octave_has_the_direction_of_what_sounds_in_it() -> None:
    frames = RATE // 2
    frequencies = np.fft.rfftfreq(frames, 1 / RATE)
    audio = np.zeros((9, frames), np.float32)
    for seed, (edge, place) in enumerate(((707.1, 90.0), (1414.2, -90.0), (2828.4, 0.0))):
        spectrum = np.fft.rfft(np.random.default_rng(seed).normal(size=frames))
        spectrum[(frequencies < edge) | (frequencies >= 2 * edge)] = 0
        wave = np.fft.irfft(spectrum, frames)
        audio += sn3d(unit_vector(place, 0)[None], 2)[0][:, None] * wave
    maps = direction_maps(
        audio, array="ambisonic2", sample_rate=RATE, columns=COLUMNS, rows=ROWS + 1
    )
    assert maps.centers == (1000.0, 2000.0, 4000.0)
    places = [strongest(levels) for levels in maps.octaves]
    assert [azimuth for azimuth, _ in places] == pytest.approx([90, -90, 0], abs=5)
    assert [elevation for _, elevation in places] == pytest.approx([0, 0, 0])
    # Noise of power 1 up to 12 kHz: an octave holds its width of it.
    widths = np.array([707.1, 1414.2, 2828.4])
    assert maps.octaves.max(axis=(1, 2)) == pytest.approx(10 * np.log10(widths / 12_000), abs=0.4)


def test_the_map_has_left_on_the_left_and_up_above() -> None:
    azimuth, elevation = map_angles(4, 2)
    assert azimuth.tolist() == [135, 45, -45, -135]
    assert elevation.tolist() == [45, -45]


def test_silence_and_short_clips_have_a_map() -> None:
    for frames in (10, 5000):
        silence = np.zeros((32, frames), np.float32)
        maps = direction_maps(silence, array="em32", sample_rate=RATE, columns=COLUMNS, rows=ROWS)
        assert maps.whole.max() == -140
        assert maps.octaves.shape == (3, ROWS, COLUMNS)
        assert maps.octaves.max() == -140


def test_which_arrays_can_aim() -> None:
    assert can_aim("em32", 32)
    assert can_aim("ambisonic4", 25)
    assert not can_aim("em32", 2)
    assert not can_aim("ambisonic", 1)
    assert not can_aim("unknown", 32)
    assert not can_aim("", 2)
