"""Removing a store takes what belongs to it and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from codecctl.datasets.folds import Method, make_folds
from codecctl.datasets.ingest_lock import StoreLock
from codecctl.datasets.removal import belongings, remove_store, rename_store
from codecctl.datasets.split_file import named_split, new_split, write_split
from codecctl.datasets.stage import stage
from codecctl.datasets.store import Store
from codecctl.errors import NotFoundError, UsageError

from .small_stores import noise, write_small_store


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("removal") / "yard"
    write_small_store(folder, noise(["Beach.1", "Beach.2", "Park.1"]))
    with Store.open(folder) as store:
        write_split(folder, new_split("one", Method(), store, make_folds(store, Method())))
    return folder


@pytest.fixture
def yard(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "stores" / "yard"))


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_store_goes_with_everything_that_ingests_and_stages_left(yard: Path) -> None:
    for name in (".index.tmp-host-1", "rec/.Park.9.tmp-host-1", "check.json", "shard.json"):
        (yard / name).write_text("x")
    for passing in (".staging", ".merge"):
        (yard / passing / "rec").mkdir(parents=True)
        (yard / passing / "rec/Park.9.h5").write_text("half")
        (yard / passing / "journal.json").write_text("{}")
    found = remove_store(yard)
    assert (found.num_recordings, found.strangers) == (3, ())
    assert found.size > 3000
    assert not yard.exists()
    assert yard.parent.is_dir()


def test_a_staged_copy_goes_and_its_source_stays(yard: Path, tmp_path: Path) -> None:
    before = files(yard)
    copy = stage(yard, tmp_path / "local").path
    remove_store(copy)
    assert not copy.exists()
    assert files(yard) == before


def test_files_of_others_stay_and_are_named(yard: Path) -> None:
    others = ["notes.txt", "rec/Beach.1.txt", "rec/mine.h5", "splits/old/one.json", "papers/a.pdf"]
    for name in others:
        (yard / name).parent.mkdir(exist_ok=True)
        (yard / name).write_text("x")
    found = remove_store(yard)
    assert sorted(str(path.relative_to(yard)) for path in found.strangers) == sorted(others)
    assert files(yard) == sorted(others)
    with pytest.raises(UsageError, match="yard: is no store; nothing is removed"):
        remove_store(yard)


def test_a_damaged_recording_that_the_index_lists_goes(yard: Path) -> None:
    (yard / "rec/Park.1.h5").write_bytes(b"no recording")
    remove_store(yard)
    assert not yard.exists()


def test_what_a_killed_removal_or_ingest_left_can_be_removed(yard: Path) -> None:
    (yard / "index.json").unlink()
    assert belongings(yard).num_recordings == 3
    remove_store(yard)
    assert not yard.exists()


def test_what_is_no_store_is_refused(yard: Path, tmp_path: Path) -> None:
    (tmp_path / "music/rec").mkdir(parents=True)
    (tmp_path / "music/rec/song.h5").write_text("x")
    (tmp_path / "link").symlink_to(yard)
    for path, sentence in (("music", "is no store"), ("link", "is a link to .*yard; name that")):
        with pytest.raises(UsageError, match=sentence):
            remove_store(tmp_path / path)
    with pytest.raises(NotFoundError, match="no such folder"):
        remove_store(tmp_path / "gone")
    assert (tmp_path / "music/rec/song.h5").exists()
    assert len(files(yard)) == 5


def test_a_store_that_is_written_stays(yard: Path) -> None:
    before = files(yard)
    with StoreLock(yard):
        with pytest.raises(UsageError, match="another process writes this store"):
            remove_store(yard)
        with pytest.raises(UsageError, match="another process writes this store"):
            rename_store(yard, "garden")
    assert files(yard) == before


def test_a_renamed_store_is_the_same_store(yard: Path) -> None:
    with Store.open(yard) as store:
        before = store.fingerprint, named_split(store, "one")
    garden = rename_store(yard, "garden")
    assert garden == yard.with_name("garden")
    assert not yard.exists()
    assert files(garden)[0] == "index.json"
    with Store.open(garden) as store:
        assert (store.fingerprint, named_split(store, "one")) == before
        assert store.name == "garden"


def test_a_name_that_is_taken_is_refused(yard: Path) -> None:
    other = yard.with_name("garden")
    other.mkdir()
    with pytest.raises(UsageError, match="garden: is there already"):
        rename_store(yard, "garden")
    assert list(other.iterdir()) == []
    assert Store.open(yard).name == "yard"
