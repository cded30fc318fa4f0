from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from codecctl.datasets.split import Split, split
from codecctl.datasets.store import Store

TRAIN = ["Beach", "BusyStreet", "Park"]
VALIDATION = ["Woodland", "TrainStation"]


@pytest.fixture
def divide(make_store: Callable[..., Path]) -> Callable[..., Split]:
    def run(names: Sequence[str], *, seed: int = 42, test_scenes: Sequence[str] = ()) -> Split:
        with Store.open(make_store(noise(names), sample_rate=10)) as store:
            return of(store, seed=seed, test_scenes=test_scenes)

    return run


def noise(names: Sequence[str]) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    return {name: 0.1 * generator.standard_normal((1, 10), np.float32) for name in names}


def of(store: Store, *, seed: int, test_scenes: Sequence[str] = ()) -> Split:
    return split(
        store, train_scenes=TRAIN, val_scenes=VALIDATION, test_scenes=test_scenes, seed=seed
    )


def test_scenes_decide_and_others_are_left_out(divide: Callable[..., Split]) -> None:
    names = [f"{scene}.1" for scene in [*TRAIN, *VALIDATION, "QuietStreet"]]
    assert divide(names) == Split(
        ("Beach.1", "BusyStreet.1", "Park.1"), ("TrainStation.1", "Woodland.1"), ""
    )


def test_case_and_spaces_do_not_matter(divide: Callable[..., Split]) -> None:
    found = divide(["Busy Street.1", "beach.1", "Park.1", "train-station.1", "Woodland.1"])
    assert found.train == ("Busy Street.1", "Park.1", "beach.1")
    assert found.validation == ("Woodland.1", "train-station.1")


def test_a_side_that_lacks_some_scenes_is_kept_and_said(divide: Callable[..., Split]) -> None:
    found = divide(["Beach.1", "Park.1", "Woodland.1"])
    assert (found.train, found.validation) == (("Beach.1", "Park.1"), ("Woodland.1",))
    assert found.note == "store scenes has no recording of BusyStreet, TrainStation"


def test_without_validation_scenes_a_lot_decides_and_says_so(
    make_store: Callable[..., Path],
) -> None:
    names = [f"Beach.{take}" for take in range(10)]
    with Store.open(make_store(noise(names), sample_rate=10)) as store:
        found = of(store, seed=42)
        assert found == of(store, seed=42)
        assert len({of(store, seed=seed).validation for seed in range(8)}) > 4
    assert sorted(found.train + found.validation) == names
    assert len(found.validation) == 2
    assert found.note == (
        "store scenes has no recording of Woodland, TrainStation: 2 of 10 recordings, drawn with "
        "seed 42, validate instead"
    )


def test_recordings_without_a_scene_are_split_too(divide: Callable[..., Split]) -> None:
    found = divide(["cafe", "forest", "street"])
    assert len(found.validation) == 1 and len(found.train) == 2


def test_one_recording_trains_and_validates_and_says_so(divide: Callable[..., Split]) -> None:
    found = divide(["Beach.1"])
    assert found.train == found.validation == ("Beach.1",)
    assert found.note.endswith("only one recording: it trains and validates")


def test_test_scenes_are_never_drawn(divide: Callable[..., Split]) -> None:
    found = divide(["Beach.1", "Beach.2", "Park.1", "Park.2"], test_scenes=["park"])
    assert sorted(found.train + found.validation) == ["Beach.1", "Beach.2"]


def test_what_is_kept_for_tests_is_named(divide: Callable[..., Split]) -> None:
    found = divide(["Beach.1", "Woodland.1", "Park.1"], test_scenes=["PARK"])
    assert found.sides == {
        "training": ("Beach.1",),
        "validation": ("Woodland.1",),
        "test": ("Park.1",),
    }


def test_copies_stay_together_in_a_lot_and_nothing_else_trains_on_itself(
    make_store: Callable[..., Path],
) -> None:
    audio = noise(["a", "b", "c"])
    audio["copy"] = audio["a"]
    with Store.open(make_store(audio, sample_rate=10)) as store:
        for seed in range(6):
            found = of(store, seed=seed)
            assert ("a" in found.train) == ("copy" in found.train)
            assert not found.on_itself
    twice = {name: audio[name] for name in ("a", "copy")}
    with Store.open(make_store(twice, name="twice", sample_rate=10)) as store:
        found = of(store, seed=0)
    assert found.on_itself
    assert found.note.endswith("only recordings of one take or sound: it trains and validates")
