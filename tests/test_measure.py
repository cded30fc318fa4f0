"""Values worked out by hand for noise and sines, and the field of a rendered diffuse bed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codecctl.datasets.bands import octave_centers
from codecctl.datasets.excerpts import spread
from codecctl.datasets.measure import Measured, measure, pairs_of
from codecctl.datasets.store import Store
from codecctl.datasets.summary import diffuse_expectation
from codecctl.datasets.synth.array import BLOCK, FixedDirections
from codecctl.datasets.synth.renderer import bed_directions

RATE = 8000
MakeStore = Callable[..., Path]


def _measured(make_store: MakeStore, audio: np.ndarray, rate: int = RATE) -> Measured:
    folder = make_store({"a": audio.astype(np.float32)}, dtype="float32", sample_rate=rate)
    with Store.open(folder) as store:
        info = store.recordings[0]
        return measure(store, info, spread(info.frames, frames=rate // 2, count=64))


def _noise(channels: int, seconds: float, seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal((channels, round(seconds * RATE)))


def test_white_noise_has_three_decibels_more_in_each_octave(make_store: MakeStore) -> None:
    found = _measured(make_store, _noise(2, 16))
    # 0.01 over 0 to 4000 Hz: an octave of center f is f / sqrt(2) wide.
    expected = 0.01 * octave_centers(RATE) / np.sqrt(2) / 4000
    np.testing.assert_allclose(found.band_powers / expected, 1, atol=0.25)
    np.testing.assert_allclose(found.band_powers[4:] / expected[4:], 1, atol=0.05)


def test_a_sine_is_in_its_octave_alone(make_store: MakeStore) -> None:
    sine = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(2 * RATE) / RATE)[None]
    found = _measured(make_store, sine)
    assert found.band_powers[5] == pytest.approx(0.125, rel=1e-3)
    assert np.delete(found.band_powers, 5).max() < 1e-6
    assert found.window_powers == pytest.approx([0.125] * 4)
    assert found.peak == pytest.approx(0.5)


def test_the_bands_of_a_recording_shorter_than_a_segment_keep_its_power(
    make_store: MakeStore,
) -> None:
    sine = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(600) / RATE)[None]
    assert _measured(make_store, sine).band_powers[5] == pytest.approx(0.125, rel=0.02)


def test_equal_channels_are_one_component_and_independent_ones_are_many(
    make_store: MakeStore,
) -> None:
    one = _measured(make_store, np.repeat(_noise(1, 1), 4, axis=0))
    assert one.correlation == pytest.approx(1.0)
    assert one.components[0] == pytest.approx(1.0)
    four = _measured(make_store, _noise(4, 16))
    assert four.correlation < 0.01
    np.testing.assert_allclose(four.components, 0.25, atol=0.01)


def test_the_sign_does_not_hide_a_likeness(make_store: MakeStore) -> None:
    noise = _noise(1, 1)
    assert _measured(make_store, np.concatenate([noise, -noise])).correlation == pytest.approx(1)


def test_silence_has_no_likeness_and_no_power(make_store: MakeStore) -> None:
    found = _measured(make_store, np.zeros((32, RATE)))
    assert np.isnan(found.correlation)
    assert np.isnan(found.coherence["adjacent"]).all()
    assert found.components.sum() == found.peak == found.channel_powers.sum() == 0


def test_the_peak_of_an_int16_store_is_exact_though_windows_miss_it(make_store: MakeStore) -> None:
    audio = np.full((2, 40 * RATE), 0.01, dtype=np.float32)
    audio[1, 12_345] = -0.875
    with Store.open(make_store({"a": audio})) as store:
        found = measure(store, store.recordings[0], spread(40 * RATE, frames=100, count=2))
    assert found.peak == pytest.approx(0.875, rel=1e-6)
    assert found.window_powers == pytest.approx([1e-4, 1e-4], rel=1e-3)


def test_an_em32_has_sixteen_opposite_pairs_and_sixty_nearest_neighbors() -> None:
    pairs = pairs_of("em32", 32)
    assert {kind: len(found) for kind, found in pairs.items()} == {"adjacent": 60, "opposite": 16}
    assert [1, 19] in (pairs["opposite"] + 1).tolist()
    assert pairs_of("unknown-32ch", 32) == {}


def test_a_rendered_diffuse_field_has_the_coherence_of_theory(make_store: MakeStore) -> None:
    """Sixty independent noises from all around, on the rigid sphere of the renderer."""
    rate, directions = 48_000, bed_directions(60)
    gains = np.ones((60, len(FixedDirections.frequencies(rate))))
    array = FixedDirections(directions, gains=gains, sample_rate=rate)
    generator = np.random.default_rng(0)
    blocks = [
        array.process(generator.standard_normal((60, BLOCK)).astype(np.float32)) for _ in range(12)
    ]
    found = _measured(make_store, 0.01 * np.concatenate(blocks[1:], axis=1), rate)
    expected = diffuse_expectation("em32", 32, octave_centers(rate))
    for kind in ("adjacent", "opposite"):
        np.testing.assert_allclose(
            found.coherence[kind][3:9], expected[kind][3:9], atol=0.06, err_msg=kind
        )
