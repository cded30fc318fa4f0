"""The sides that a profile means for a store."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from codecctl.datasets.folds import Method, make_folds
from codecctl.datasets.rated import at_rate
from codecctl.datasets.split_file import new_split, read_split, write_split
from codecctl.datasets.store import Store
from codecctl.engine.profile import load_profile
from codecctl.engine.profile.schema_data import Data
from codecctl.engine.sides import sides_of
from codecctl.errors import DataError, NotFoundError, ProfileError

from .small_stores import RATE, noise, write_small_store

NAMES = [f"{scene}.{take}" for scene in ("Beach", "Park", "Woodland") for take in (1, 2)]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_small_store(tmp_path_factory.mktemp("sides") / "yard", noise(NAMES))
    with Store.open(folder) as store:
        for name, method in (("one", Method()), ("two", Method(folds=2))):
            write_split(folder, new_split(name, method, store, make_folds(store, method)))
    return folder


@pytest.fixture
def store(template: Path, tmp_path: Path) -> Iterator[Store]:
    with Store.open(Path(shutil.copytree(template, tmp_path / "yard"))) as opened:
        yield opened


def data(*overrides: str) -> Data:
    return load_profile("paired", list(overrides)).profile.data


def test_without_a_split_the_scenes_decide(store: Store) -> None:
    sides = sides_of(data(), store)
    assert sides.validation == ("Woodland.1", "Woodland.2")
    assert sides.train == ("Beach.1", "Beach.2", "Park.1", "Park.2")


def test_a_split_replaces_the_scenes(store: Store) -> None:
    assert sides_of(data("data.split=one"), store) == read_split(store.path, "one").folds[0]
    folds = read_split(store.path, "two").folds
    assert [sides_of(data(f"data.split=two:{fold}"), store) for fold in (1, 2)] == list(folds)


def test_a_store_read_at_another_rate_has_the_same_sides(store: Store) -> None:
    settings = data("data.split=two:1")
    assert sides_of(settings, at_rate(store, 2 * RATE)) == sides_of(settings, store)


def test_a_split_that_is_not_there_is_not_found(store: Store) -> None:
    with pytest.raises(NotFoundError, match="store yard: no split three; have: one, two; make one"):
        sides_of(data("data.split=three"), store)
    with pytest.raises(ProfileError, match="two has 2 folds; needed one of two:1 to two:2"):
        sides_of(data("data.split=two"), store)


def test_sides_that_share_audio_are_refused(tmp_path: Path) -> None:
    audio = noise(NAMES)
    audio["Woodland.2"][0, RATE : 2 * RATE] = audio["Park.1"][0, 2 * RATE : 3 * RATE]
    with (
        Store.open(write_small_store(tmp_path / "leaky", audio)) as store,
        pytest.raises(DataError, match=r"Park\.1 second 2 and Woodland\.2 second 1: the same audi"),
    ):
        sides_of(data(), store)


def test_the_only_recording_trains_and_validates_and_says_so(tmp_path: Path) -> None:
    with Store.open(write_small_store(tmp_path / "lone", noise(["Beach.1"]))) as store:
        sides = sides_of(data(), store)
    assert sides.train == sides.validation == ("Beach.1",)
    assert sides.note.endswith("it trains and validates")
