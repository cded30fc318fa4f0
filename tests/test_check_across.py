from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from codecctl.datasets.check import Finding, check_store
from codecctl.datasets.store import Store

from .check_scenes import RATE, mono_noise

Maker = Callable[..., Path]


def loudness(seed: int, seconds: float) -> np.ndarray:
    """Level that changes a few times a second, (T,)."""
    rng = np.random.default_rng(seed)
    steps = rng.uniform(0.2, 1.0, round(seconds * 5))
    return np.interp(np.arange(round(seconds * RATE)) / RATE * 5, np.arange(len(steps)), steps)


def check(folder: Path) -> list[Finding]:
    return list(check_store(Store.open(folder)).findings)


def test_the_same_audio_under_two_scenes_is_told_once(make_store: Maker) -> None:
    one, other = mono_noise(3), mono_noise(3, seed=7)
    (found,) = check(make_store({"Beach.1": one, "Park.2": one.copy(), "Park.3": other}))
    assert (found.kind, found.severity) == ("duplicate-recording", "warning")
    assert (found.recording, found.others) == ("Beach.1", ("Park.2",))
    assert "(scenes Beach and Park) hold the same audio, sample for sample" in found.text


def test_equal_seconds_are_found_wherever_they_stand(make_store: Maker) -> None:
    one, other = mono_noise(2, seconds=6), mono_noise(2, seconds=6, seed=7)
    other[:, RATE : 3 * RATE] = one[:, 3 * RATE : 5 * RATE]
    (found,) = check(make_store({"Beach.1": one, "Park.2": other}))
    assert found.kind == "duplicate-recording"
    assert "4 seconds of single channels in common" in found.text


def test_silence_and_constants_are_no_shared_audio(make_store: Maker) -> None:
    one, other = mono_noise(2, seconds=20), mono_noise(2, seconds=20, seed=7)
    for audio in (one, other):
        audio[:, : 5 * RATE] = 0
    kinds = {found.kind for found in check(make_store({"Beach.1": one, "Park.2": other}))}
    assert kinds == {"silent-stretch"}


def test_a_copy_with_another_gain_cut_and_noise_is_found_by_its_level(make_store: Maker) -> None:
    whole = mono_noise(2, seconds=40) * loudness(0, 40)
    start = 7 * RATE + 1234
    copy = whole[:, start : start + 30 * RATE] * 0.3 + mono_noise(2, seconds=30, seed=9) * 0.01
    others = {
        f"Park.{n}": (mono_noise(2, seconds=40, seed=n) * loudness(n, 40)).astype(np.float32)
        for n in range(3, 6)
    }
    audio = {"Beach.1": whole.astype(np.float32), "Woodland.2": copy.astype(np.float32), **others}
    (found,) = check(make_store(audio))
    assert (found.recording, found.others) == ("Beach.1", ("Woodland.2",))
    assert "level curves that run alike" in found.text
    assert "offset of +7." in found.text or "offset of -7." in found.text


def test_a_recording_far_from_its_scene_is_told(make_store: Maker) -> None:
    audio = {f"Beach.{n}": mono_noise(1, seconds=2, seed=n) for n in range(1, 6)}
    audio["Beach.3"] *= 0.05
    (found,) = check(make_store(audio))
    assert (found.kind, found.recording) == ("scene-outlier", "Beach.3")
    assert found.measured is not None and abs(found.measured + 26) < 0.5


def test_two_products_of_a_take_are_a_note(make_store: Maker) -> None:
    store = Store.open(make_store({"Beach.1": mono_noise(2), "Beach.2": mono_noise(3, seed=3)}))
    rows = [replace(row, take="1") for row in store.recordings]
    (found,) = check_store(store, recordings=rows).findings
    assert (found.kind, found.severity, found.recording) == ("two-products", "note", "")
    assert found.others == ("Beach.1", "Beach.2")


def test_the_exchanged_files_of_eigenscape_are_explained(make_store: Maker) -> None:
    store = Store.open(make_store({"Park.6": mono_noise(25)}))
    (row,) = store.recordings
    raw = replace(row, source_name="Park-06-Raw.wav")
    found = check_store(store, recordings=[raw]).findings
    assert [one.severity for one in found if one.kind == "published-fault"] == ["note"]
    assert any("Park-06 and Park-08" in one.text for one in found)


def test_missing_takes_are_a_note(make_store: Maker) -> None:
    scenes = ("Beach", "BusyStreet", "Park", "QuietStreet", "Woodland")
    audio = {f"{scene}.1": mono_noise(1, seconds=1, seed=n) for n, scene in enumerate(scenes)}
    (found,) = check(make_store(audio))
    assert (found.kind, found.severity) == ("missing-takes", "note")
    assert found.text.startswith("59 of the 64 takes")
