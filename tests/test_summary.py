from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codecctl.datasets.store import Store
from codecctl.datasets.summary import MOST_WINDOWS, Summary, excerpts_of, summarize

RATE = 8000
MakeStore = Callable[..., Path]


def _sine(gain: float, seconds: float) -> np.ndarray:
    wave = gain * np.sin(2 * np.pi * 1000 * np.arange(round(seconds * RATE)) / RATE)
    return np.repeat(wave[None], 2, axis=0).astype(np.float32)


def _summary(make_store: MakeStore, audio: dict[str, np.ndarray], **options: str) -> Summary:
    with Store.open(make_store(audio, **options)) as store:
        return summarize(store)


def test_a_full_scale_sine_has_three_decibels_less_than_full_scale(make_store: MakeStore) -> None:
    found = _summary(make_store, {"Beach.1": _sine(1.0, 2)})
    assert found.levels_db["Beach.1"] == pytest.approx(-3.01, abs=0.01)
    assert found.scenes[0].peak_db == pytest.approx(0, abs=0.01)
    assert found.whole
    assert found.peaks_exact


def test_a_scene_has_the_power_of_its_recordings_weighted_by_length(make_store: MakeStore) -> None:
    audio = {"Beach.1": _sine(1.0, 1), "Beach.2": _sine(0.0, 3), "Park.1": _sine(0.01, 1)}
    found = _summary(make_store, audio)
    beach, park = found.scenes
    assert (beach.scene, beach.recordings, beach.seconds) == ("Beach", 2, 4.0)
    assert beach.rms_db == pytest.approx(10 * math.log10(0.5 / 4), abs=0.01)
    assert beach.quiet_db == -math.inf
    assert beach.loud_db == pytest.approx(-3.01, abs=0.01)
    assert park.rms_db == pytest.approx(-43.01, abs=0.01)
    assert park.bands_db[5] == pytest.approx(-43.01, abs=0.02)


def test_quiet_and_loud_are_what_a_tenth_of_the_time_passes(make_store: MakeStore) -> None:
    """Ten half seconds in steps of 1 dB: the middles of the steps are 5, 15 ... 95 percent."""
    steps = [_sine(10 ** (-step / 20), 0.5) for step in range(10)]
    scene = _summary(make_store, {"a": np.concatenate(steps, axis=1)}).scenes[0]
    power = 0.5 * 10 ** (-np.arange(10) / 10)
    assert scene.loud_db == pytest.approx(10 * np.log10((power[0] + power[1]) / 2), abs=0.02)
    assert scene.quiet_db == pytest.approx(10 * np.log10((power[8] + power[9]) / 2), abs=0.02)


def test_silence_has_no_level(make_store: MakeStore) -> None:
    found = _summary(make_store, {"a": _sine(0.0, 1)})
    assert found.levels_db["a"] == found.scenes[0].peak_db == -math.inf
    assert math.isnan(found.arrays[0].correlation)


def test_arrays_of_a_mixed_store_are_told_apart(make_store: MakeStore) -> None:
    noise = np.random.default_rng(0).standard_normal((32, RATE)).astype(np.float32) * 0.1
    found = _summary(make_store, {"Park.1": noise, "Park.2": noise[:2], "Zoo.1": noise[:2]})
    assert [(row.array, row.scene) for row in found.scenes] == [
        ("em32", "Park"), ("unknown-2ch", "Park"), ("unknown-2ch", "Zoo"),
    ]  # fmt: skip
    em32, pair = found.arrays
    assert set(em32.coherence) == {"adjacent", "opposite"}
    assert max(abs(value) for value in em32.coherence["adjacent"]) < 0.2
    assert em32.expected["adjacent"][0] > 0.99
    assert pair.coherence == {}
    assert (em32.channels, pair.channels, len(pair.channel_levels_db)) == (32, 2, 2)


def test_levels_of_channels_and_components_are_of_the_array(make_store: MakeStore) -> None:
    audio = np.concatenate([_sine(0.1, 1), _sine(0.01, 1)])
    array = _summary(make_store, {"a": audio}).arrays[0]
    np.testing.assert_allclose(array.channel_levels_db, [-23.01, -23.01, -43.01, -43.01], atol=0.02)
    assert array.components == pytest.approx({1: 1.0, 2: 1.0}, abs=1e-6)


def test_what_is_read_of_a_large_store_is_bounded(make_store: MakeStore) -> None:
    with Store.open(make_store({"a": _sine(0.1, 60)})) as store:
        info = store.recordings[0]
        found = summarize(store)
    assert found.windows == 16
    assert not found.whole
    assert found.seconds_read == 8
    assert len(excerpts_of(info, 64).starts) * 64 == MOST_WINDOWS
    assert len(excerpts_of(info, 100_000).starts) == 2


def test_a_float_store_has_the_peak_of_its_windows(make_store: MakeStore) -> None:
    found = _summary(make_store, {"a": _sine(0.5, 1)}, dtype="float32")
    assert not found.peaks_exact
    assert found.scenes[0].peak_db == pytest.approx(-6.02, abs=0.01)


def test_each_recording_is_announced(make_store: MakeStore) -> None:
    done: list[None] = []
    with Store.open(make_store({"a": _sine(0.5, 1), "b": _sine(0.5, 1)})) as store:
        summarize(store, lambda: done.append(None))
    assert len(done) == 2


def test_integers_of_a_source_are_measured_as_what_they_mean(make_store: MakeStore) -> None:
    integers = np.rint(_sine(0.5, 1) * 2**23).astype(np.int32)
    found = _summary(make_store, {"a": integers}, dtype="pcm")
    assert found.scenes[0].peak_db == pytest.approx(-6.02, abs=0.01)
    assert found.levels_db["a"] == pytest.approx(-9.03, abs=0.01)
