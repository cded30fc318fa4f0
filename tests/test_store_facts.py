from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codecctl.commands.store_facts import check_state, fitting_profiles, split_states
from codecctl.datasets.store import Store

MakeStore = Callable[..., Path]


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return Store.open(make_store({"a": np.zeros((1, 8000), np.float32)}))


def test_a_store_that_was_never_checked_has_no_verdict(store: Store) -> None:
    assert check_state(store) is None


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"verdict": 3}'])
def test_a_damaged_verdict_is_no_verdict(store: Store, text: str) -> None:
    (store.path / "check.json").write_text(text)
    state = check_state(store)
    assert state is not None
    assert state.stale
    assert state.verdict in ("unreadable", "unknown")


def test_a_verdict_on_another_state_of_the_store_is_stale(store: Store) -> None:
    for fingerprint, stale in ((store.fingerprint, False), ("xxh3-128:00", True)):
        content = {"fingerprint": fingerprint, "verdict": "ok", "created": "today"}
        (store.path / "check.json").write_text(json.dumps(content))
        state = check_state(store)
        assert state is not None
        assert (state.verdict, state.created, state.stale) == ("ok", "today", stale)


def test_a_damaged_split_is_listed_as_such(store: Store) -> None:
    assert split_states(store) == []
    (store.path / "splits").mkdir()
    (store.path / "splits" / "five.json").write_text("{")
    (state,) = split_states(store)
    assert (state.name, state.changed) == ("five", "damaged")
    assert "damaged" in state.text


def test_profiles_that_do_not_fit_say_why(store: Store) -> None:
    fits, misfits = fitting_profiles(store.path)
    assert "paired" not in fits
    assert "found 1 channel at most" in misfits["paired"]


def test_lossless_profiles_fit_stores_of_integers_as_long_as_a_chunk(
    make_store: Callable[..., Path],
) -> None:
    kinds = {
        "floats": make_store({"A.1": np.zeros((2, 4000), np.float32)}, name="floats"),
        "whole": make_store({"A.1": np.zeros((2, 1100), np.int32)}, name="whole", dtype="pcm"),
        "short": make_store({"A.1": np.zeros((2, 900), np.int32)}, name="short", dtype="pcm"),
    }
    found = {name: fitting_profiles(folder) for name, folder in kinds.items()}
    assert found["floats"][1]["lossless-8bit"] == "found int16, needed pcm"
    assert "lossless-8bit" in found["whole"][0]  # 2200 symbols of both channels
    assert found["short"][1]["lossless-8bit"] == "found 1800 symbols at most, needed 2048"
