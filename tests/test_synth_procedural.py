"""Built-in sounds and spectra."""

import numpy as np
import pytest

from codecctl.datasets.synth.procedural import PROCEDURAL
from codecctl.datasets.synth.scenes import SCENES
from codecctl.datasets.synth.spectrum import decibels, equalized, shaped_noise

RATE = 48_000


@pytest.mark.parametrize("kind", sorted(PROCEDURAL))
def test_a_sound_has_unit_power_no_seam_and_no_excessive_peaks(kind: str) -> None:
    sound = PROCEDURAL[kind](np.random.default_rng(0), 3 * RATE, RATE)
    assert sound.shape == (3 * RATE,)
    assert np.mean(sound**2) == pytest.approx(1.0, rel=1e-6)
    assert np.abs(sound).max() < 45
    steps = np.abs(np.diff(sound))
    assert np.abs(sound[0] - sound[-1]) <= 1.5 * steps.max()


@pytest.mark.parametrize("kind", sorted(PROCEDURAL))
def test_a_sound_does_not_stand_beside_zero(kind: str) -> None:
    sound = PROCEDURAL[kind](np.random.default_rng(0), 3 * RATE, RATE)
    assert abs(sound.mean()) < 0.02  # -34 dB of its level; babble had 0.24 in a rendered scene


def test_every_scene_uses_sounds_that_exist() -> None:
    kinds = {role.kind for scene in SCENES.values() for role in scene.roles}
    kinds |= {scene.bed_kind for scene in SCENES.values()}
    assert kinds <= set(PROCEDURAL)
    assert len(SCENES) == 8


def test_birds_sing_between_2_and_8_khz_and_wind_blows_below_500_hz() -> None:
    def share(kind: str, low: float, high: float) -> float:
        sound = PROCEDURAL[kind](np.random.default_rng(1), 4 * RATE, RATE)
        power = np.abs(np.fft.rfft(sound)) ** 2
        hertz = np.fft.rfftfreq(len(sound), 1 / RATE)
        return float(power[(hertz > low) & (hertz < high)].sum() / power.sum())

    assert share("birds", 500, 8000) > 0.97
    assert share("wind", 0, 500) > 0.95


def test_lines_through_points_are_straight_over_log_frequency() -> None:
    line = decibels([(100, 0.0), (400, -12.0)], np.array([0.0, 100.0, 200.0, 400.0, 9000.0]))
    np.testing.assert_allclose(line, [0, 0, -6, -12, -12])


def test_an_equalized_sound_has_the_wanted_spectrum_and_keeps_its_rhythm() -> None:
    rng = np.random.default_rng(2)
    rhythm = np.tile(np.repeat([1.0, 0.1], RATE // 2), 2)
    source = rng.standard_normal(2 * RATE) * rhythm
    points = ((50, 0.0), (500, -3.0), (5000, -33.0))
    result = equalized(source, points=points, sample_rate=RATE)
    power = np.abs(np.fft.rfft(result)) ** 2
    hertz = np.fft.rfftfreq(len(result), 1 / RATE)

    def level(center: float) -> float:
        band = (hertz > center / 1.1) & (hertz < center * 1.1)
        return float(10 * np.log10(power[band].mean()))

    assert level(500) - level(5000) == pytest.approx(30, abs=1)
    assert level(100) - level(500) == pytest.approx(
        float(np.diff(decibels(points, np.array([500.0, 100.0])))[0]), abs=1.5
    )
    loud, quiet = (np.std(result[at : at + RATE // 4]) for at in (RATE // 8, 5 * RATE // 8))
    assert loud / quiet > 5


def test_shaped_noise_is_drawn_from_its_generator() -> None:
    points = ((100, 0.0), (1000, -20.0))
    first, second = (
        shaped_noise(np.random.default_rng(3), 1000, points=points, sample_rate=RATE)
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
