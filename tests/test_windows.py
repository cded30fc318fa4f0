from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from codecctl.datasets.store import Store
from codecctl.datasets.windows import (
    CAPSULE_POLICIES,
    Window,
    draw_item,
    draw_items,
    fault,
    fault_of_peaks,
    usable_recordings,
)
from codecctl.errors import DataError, ProfileError


def test_capsules_follow_the_order_of_their_keys() -> None:
    keys = np.array([0.4, 0.1, 0.9, 0.2])
    assert CAPSULE_POLICIES["random_distinct"](keys, 3) == (1, 3, 0)
    assert CAPSULE_POLICIES["random_one"](keys, 1) == (1,)
    assert CAPSULE_POLICIES["all"](keys, 4) == (0, 1, 2, 3)


def test_an_unknown_policy_or_geometry_names_the_key() -> None:
    with pytest.raises(ProfileError, match=r"data\.capsules\.policy: found 'first', needed one of"):
        Window(frames=1, capsules=1, policy="first")
    with pytest.raises(ProfileError, match=r"geometry: found 'near', needed one of any, adj"):
        Window(frames=1, capsules=1, geometry="near")


@pytest.mark.parametrize(
    ("policy", "levels", "expected"),
    [
        ("random_distinct", [0.1, 0.1], ""),
        ("random_distinct", [0.1, -1e-6], "silent"),
        ("all", [0.1, -1e-6], ""),
        ("all", [1e-6, -1e-6], "silent"),
        ("all", [0.1, np.nan], "not finite"),
        ("random_distinct", [np.inf, 0.1], "not finite"),
        ("random_distinct", [-np.inf, 0.1], "not finite"),
    ],
)
def test_what_spoils_a_window(policy: str, levels: list[float], expected: str) -> None:
    audio = np.zeros((2, 5), dtype=np.float32)
    audio[:, 3] = levels
    assert fault(audio, window=Window(frames=5, capsules=2, policy=policy)) == expected
    peaks = np.abs(audio).max(axis=1)
    assert fault_of_peaks(peaks, window=Window(frames=5, capsules=2, policy=policy)) == expected


@pytest.mark.parametrize(
    ("policy", "capsules"), [("random_one", 1), ("random_distinct", 3), ("all", 4)]
)
@pytest.mark.parametrize("channels", [(4, 4, 4), (4, 7, 5)])
def test_a_batch_of_draws_equals_single_draws(
    make_store: Callable[..., Path], policy: str, capsules: int, channels: tuple[int, ...]
) -> None:
    if policy == "all":
        channels = (4, 4, 4)
    audio = {
        f"Park.{count}": np.ones((rows, 50 + count), dtype=np.float32)
        for count, rows in enumerate(channels)
    }
    with Store.open(make_store(audio, sample_rate=10)) as store:
        window = Window(frames=20, capsules=capsules, policy=policy)
        infos = [store.recordings[row % 3] for row in range(40)]
        numbers = np.random.default_rng(0).random((40, 9))
        expected = [
            draw_item(info, row, window=window) for info, row in zip(infos, numbers, strict=True)
        ]
        assert draw_items(infos, numbers, window=window) == expected


@pytest.mark.parametrize("geometry", ["adjacent", "opposite"])
def test_a_batch_of_draws_by_place_equals_single_draws(
    make_store: Callable[..., Path], geometry: str
) -> None:
    audio = {"Park.1": np.ones((32, 50), dtype=np.float32)}
    with Store.open(make_store(audio, sample_rate=10)) as store:
        window = Window(frames=20, capsules=3, geometry=geometry)
        infos = [store.recordings[0]] * 20
        numbers = np.random.default_rng(0).random((20, 34))
        expected = [
            draw_item(info, row, window=window) for info, row in zip(infos, numbers, strict=True)
        ]
        assert draw_items(infos, numbers, window=window) == expected
        apart = [replace(item, channels=()) for item in expected]
        plain = draw_items(infos, numbers, window=Window(frames=20, capsules=3))
        assert [replace(item, channels=()) for item in plain] == apart  # the same seconds


def test_recordings_of_an_unknown_array_are_left_out_where_place_matters(
    make_store: Callable[..., Path],
) -> None:
    audio = {
        f"Park.{take}": np.ones((channels, 50), dtype=np.float32)
        for take, channels in ((1, 32), (2, 4))
    }
    window = Window(frames=20, capsules=2, geometry="adjacent")
    with Store.open(make_store(audio, sample_rate=10)) as store:
        usable = usable_recordings(store, ["Park.1", "Park.2"], window=window)
        assert [info.name for info in usable.recordings] == ["Park.1"]
        (sentence,) = usable.left_out
        assert sentence == (
            "Park.2: found 4 channels of array unknown-4ch, needed em32 (32 channels) for "
            "data.capsules.geometry = adjacent"
        )
        with pytest.raises(DataError, match=r"no recording can be used: Park\.2: found 4 channels"):
            usable_recordings(store, ["Park.2"], window=window)


@pytest.mark.parametrize(("policy", "capsules"), [("all", 2), ("random_one", 1)])
def test_place_means_nothing_where_no_set_is_drawn(policy: str, capsules: int) -> None:
    with pytest.raises(ProfileError, match="needed 'any', or random_distinct and at least 2"):
        Window(frames=1, capsules=capsules, policy=policy, geometry="opposite")
