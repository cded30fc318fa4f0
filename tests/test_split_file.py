"""Splits that are kept with a store."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from codecctl.datasets.folds import Method, make_folds
from codecctl.datasets.split_file import (
    AGAIN,
    MADE,
    UNCHANGED,
    StoredSplit,
    named_split,
    new_split,
    read_split,
    remove_split,
    split_names,
    split_path,
    state_of,
    write_split,
)
from codecctl.datasets.store import Store
from codecctl.errors import DataError, NotFoundError, ProfileError, UsageError

from .small_stores import noise, write_small_store


def names(takes: int) -> list[str]:
    return [f"{scene}.{take}" for scene in ("Beach", "Park") for take in range(takes)]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_store(tmp_path_factory.mktemp("splits") / "scenes", noise(names(6)))


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "scenes"))


def kept(
    folder: Path, name: str = "halves", method: Method | None = None
) -> tuple[StoredSplit, str]:
    method = method or Method(folds=2)
    with Store.open(folder) as store:
        return write_split(folder, new_split(name, method, store, make_folds(store, method)))


def test_what_is_written_is_read(folder: Path) -> None:
    method = Method(validation=0.25, test=("Park",), seed=3)
    split, done = kept(folder, "a.b", method)
    assert done == MADE
    assert read_split(folder, "a.b") == split
    assert split_names(folder) == ("a.b",)
    assert list(split_path(folder, "a.b").parent.iterdir()) == [split_path(folder, "a.b")]


def test_the_same_split_again_changes_no_byte(folder: Path) -> None:
    kept(folder)
    path = split_path(folder, "halves")
    content = json.loads(path.read_bytes())
    path.write_text(json.dumps({**content, "created": "2001-01-01T00:00:00Z"}))
    before = path.read_bytes()
    assert kept(folder)[1] == UNCHANGED
    assert path.read_bytes() == before


def test_a_name_is_not_given_twice(folder: Path) -> None:
    kept(folder)
    with pytest.raises(UsageError, match="was made 2 folds by recording, seed 42, asked for 3 fo"):
        kept(folder, method=Method(folds=3))
    remove_split(folder, "halves")
    assert kept(folder, method=Method(folds=3))[1] == MADE
    with pytest.raises(NotFoundError, match="no split thirds; have: halves"):
        remove_split(folder, "thirds")
    with pytest.raises(UsageError, match="needed letters, digits"):
        kept(folder, "../halves")


def test_a_fold_is_chosen_by_its_number(folder: Path) -> None:
    split, _ = kept(folder)
    with Store.open(folder) as store:
        assert named_split(store, "halves:2") == split.folds[1]
        with pytest.raises(ProfileError, match="has 2 folds; needed one of halves:1 to halves:2"):
            named_split(store, "halves")
        for number in ("0", "3", "x"):
            with pytest.raises(NotFoundError, match=f"no fold {number} of split halves; have"):
                named_split(store, f"halves:{number}")
        with pytest.raises(NotFoundError, match="no split third; have: halves; make one with"):
            named_split(store, "third:1")
        with pytest.raises(NotFoundError, match=r"no split \.\./halves"):
            named_split(store, "../halves")
    kept(folder, "one", Method())
    with Store.open(folder) as store:
        assert named_split(store, "one") == named_split(store, "one:1")


def test_recordings_that_came_later_are_said_and_not_used(folder: Path) -> None:
    kept(folder, "one", Method())
    write_small_store(folder, noise(names(7)))
    with Store.open(folder) as store:
        sides = named_split(store, "one")
        assert state_of(store, read_split(folder, "one")) == "new: Beach.6, Park.6"
    assert sides.note == (
        "store scenes: 2 recordings came after split one was made and are not used: Beach.6, Park.6"
    )
    assert "Beach.6" not in sides.train + sides.validation + sides.test
    assert kept(folder, "one", Method())[1] == AGAIN
    assert "Beach.6" in read_split(folder, "one").recordings


@pytest.mark.parametrize(("takes", "seed", "what"), [(5, 0, "gone"), (6, 1, "changed")])
def test_a_split_of_other_recordings_is_refused(
    folder: Path, takes: int, seed: int, what: str
) -> None:
    kept(folder, "one", Method())
    write_small_store(folder, noise(names(takes), seed=seed))
    with Store.open(folder) as store:
        with pytest.raises(DataError, match="gone or changed; split again: codecctl data split sc"):
            named_split(store, "one")
        assert state_of(store, read_split(folder, "one")).startswith(f"{what}: Beach.")


def test_a_damaged_file_is_one_clear_error(folder: Path) -> None:
    kept(folder)
    path = split_path(folder, "halves")
    good = json.loads(path.read_bytes())
    fold = good["folds"][0]
    for bad in (
        b"{",
        b"[]",
        b"[" * 100_000,
        json.dumps({**good, "schema": 2}).encode(),
        json.dumps({**good, "folds": []}).encode(),
        json.dumps({**good, "folds": [3]}).encode(),
        json.dumps({**good, "folds": [{**fold, "train": []}]}).encode(),
        json.dumps({**good, "folds": [{**fold, "train": ["Cafe.1"]}]}).encode(),
        json.dumps({**good, "method": {"by": "scene"}}).encode(),
        json.dumps({**good, "recordings": None}).encode(),
    ):
        path.write_bytes(bad)
        with pytest.raises(DataError, match="damaged, no split"):
            read_split(folder, "halves")
