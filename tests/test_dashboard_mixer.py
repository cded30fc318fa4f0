"""A change of sides happens in step, without a click."""

from __future__ import annotations

import numpy as np

from codecctl.dashboard.mixer import FADE_SECONDS, Mixer

RATE = 1000
FADE = round(FADE_SECONDS * RATE)


def test_both_sides_stay_in_step_across_blocks_and_changes() -> None:
    ramp = np.linspace(0.1, 0.5, 200, dtype=np.float32)[None]
    mixer = Mixer((ramp, -ramp), sample_rate=RATE)
    heard = [mixer.fill(40), mixer.fill(40)]
    assert mixer.other() == 1
    heard += [mixer.fill(40), mixer.fill(40)]
    assert mixer.position == 160
    played = np.concatenate(heard)[:, 0]
    np.testing.assert_allclose(played[FADE:80], ramp[0, FADE:80])
    np.testing.assert_allclose(played[80 + FADE : 160], -ramp[0, 80 + FADE : 160])
    assert np.abs(np.diff(played)).max() < 2 * 0.5 / FADE  # no jump of two amplitudes


def test_it_goes_round_with_faded_ends() -> None:
    level = np.full((2, 100), 0.5, np.float32)
    mixer = Mixer((level, level), sample_rate=RATE, side=1)
    played = mixer.fill(250)
    assert played.shape == (250, 2)
    assert mixer.position == 50
    np.testing.assert_allclose(played[:100], played[100:200])
    assert played[0, 0] < 0.2
    assert played[99, 0] < 0.2
    np.testing.assert_allclose(played[FADE : 100 - FADE], 0.5)


def test_nothing_goes_beyond_full_scale() -> None:
    loud = np.full((1, 100), 3.0, np.float32)
    assert Mixer((loud, loud), sample_rate=RATE).fill(100).max() == 1.0
