from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from codecctl.datasets.check import Finding, check_store
from codecctl.datasets.store import Store

from .check_scenes import ambisonic_scene, em32_scene, mono_noise

Maker = Callable[..., Path]


@pytest.fixture(scope="module")
def scene() -> np.ndarray:
    return em32_scene()


def check(folder: Path, array: str = "") -> tuple[Finding, ...]:
    """The findings about the only recording, listed as another array where one is given."""
    store = Store.open(folder)
    (row,) = store.recordings
    rows = [replace(row, array=array)] if array else [row]
    return check_store(store, recordings=rows).findings


def test_an_em32_in_a_diffuse_field_is_clean(make_store: Maker) -> None:
    for seed in range(3):
        assert check(make_store({"a": em32_scene(seed=seed)})) == ()


# Neighbors 37 degrees apart (6 and 8 stand 70, 5 and 25 are antipodes).
@pytest.mark.parametrize("pair", [(1, 3), (7, 8), (6, 8), (5, 25), (31, 32)])
def test_two_exchanged_capsules_are_named(
    make_store: Maker, scene: np.ndarray, pair: tuple[int, int]
) -> None:
    audio = scene.copy()
    a, b = pair[0] - 1, pair[1] - 1
    audio[[a, b]] = audio[[b, a]]
    (found,) = check(make_store({"a": audio}))
    assert (found.kind, found.channels) == ("swapped-channels", pair)
    assert found.text.startswith(f"channels {pair[0]} and {pair[1]} are exchanged")


def test_a_ring_of_three_is_put_in_order(make_store: Maker, scene: np.ndarray) -> None:
    audio = scene.copy()
    audio[[0, 1, 2]] = scene[[1, 2, 0]]
    (found,) = check(make_store({"a": audio}))
    assert found.channels == (1, 2, 3)
    assert "capsules 1, 2, 3 are in channels 3, 1, 2" in found.text


@pytest.mark.parametrize("inverted", [(4,), (3, 21, 30), (1, 2, 3, 4, 5, 6)])
def test_inverted_capsules_are_named(
    make_store: Maker, scene: np.ndarray, inverted: tuple[int, ...]
) -> None:
    audio = scene.copy()
    audio[[number - 1 for number in inverted]] *= -1
    found = check(make_store({"a": audio}))
    assert {one.kind for one in found} == {"inverted-channel"}
    assert tuple(one.channels[0] for one in found) == inverted


def test_a_capsule_with_a_signal_of_its_own_is_named(make_store: Maker, scene: np.ndarray) -> None:
    audio = scene.copy()
    audio[9] = np.roll(audio[9], 4000)  # same spectrum, another time
    (found,) = check(make_store({"a": audio}))
    assert (found.kind, found.channels) == ("odd-channel", (10,))


def test_hiss_is_found_at_the_top(make_store: Maker, scene: np.ndarray) -> None:
    audio = scene.copy()
    audio[9] += mono_noise(1)[0]
    (found,) = check(make_store({"a": audio}))
    assert (found.kind, found.channels) == ("noisy-channel", (10,))


@pytest.mark.parametrize(
    "change",
    ["reversed", *(pytest.param(name, marks=pytest.mark.long) for name in ("shifted", "shuffled"))],
)
def test_another_order_of_all_channels_is_a_wrong_array(
    make_store: Maker, scene: np.ndarray, change: str
) -> None:
    order = {
        "reversed": np.arange(31, -1, -1),
        "shifted": np.roll(np.arange(32), 1),
        "shuffled": np.random.default_rng(0).permutation(32),
    }[change]
    (found,) = check(make_store({"a": scene[order]}))
    assert found.kind == "wrong-array"
    assert "capsules in another order" in found.text


def test_dead_capsules_do_not_disturb_the_search(make_store: Maker, scene: np.ndarray) -> None:
    audio = scene.copy()
    audio[[0, 2]] = audio[[2, 0]]
    audio[11] = 0
    assert [(one.kind, one.channels) for one in check(make_store({"a": audio}))] == [
        ("dead-channel", (12,)),
        ("swapped-channels", (1, 3)),
    ]


def test_noise_without_a_field_says_nothing_about_the_array(make_store: Maker) -> None:
    assert check(make_store({"a": mono_noise(32)})) == ()


@pytest.mark.parametrize(
    ("gain", "text"),
    [(1.0, "equal samples"), (0.37, "r = 1.0000"), (0.5, "equal up to gain"), (-0.8, "inverted")],
)
def test_copies_of_a_channel_are_found(make_store: Maker, gain: float, text: str) -> None:
    audio = mono_noise(5)
    audio[3] = audio[1] * gain
    found = [one for one in check(make_store({"a": audio})) if one.kind == "duplicate-channels"]
    assert [one.channels for one in found] == [(2, 4)]
    assert text in found[0].text


def test_inverted_channels_of_any_small_array_are_found(make_store: Maker) -> None:
    audio = em32_scene()[:7]
    audio[4] *= -1
    (found,) = check(make_store({"a": audio}))
    assert (found.kind, found.channels) == ("inverted-channel", (5,))


def test_capsules_that_are_listed_as_ambisonics_are_a_wrong_array(make_store: Maker) -> None:
    (found,) = check(make_store({"a": em32_scene()[:25]}), array="ambisonic-ACN-SN3D")
    assert found.kind == "wrong-array"
    assert "these are capsules" in found.text


def test_sn3d_is_clean_and_n3d_is_told(make_store: Maker) -> None:
    assert check(make_store({"a": ambisonic_scene()}), array="ambisonic-ACN-SN3D") == ()
    (found,) = check(make_store({"a": ambisonic_scene(n3d=True)}), array="ambisonic-ACN-SN3D")
    assert (found.kind, found.severity) == ("wrong-normalization", "warning")
    assert found.measured == pytest.approx(4.8, abs=0.3)


def test_ambisonics_under_no_name_are_noted(make_store: Maker) -> None:
    (found,) = check(make_store({"a": ambisonic_scene()[:16]}))
    assert (found.kind, found.severity) == ("looks-ambisonic", "note")
    assert "order 3, SN3D" in found.text
