from __future__ import annotations

from pathlib import Path

import pytest

from codecctl.datasets.ingest_target import inspect_target, nearest_folder, remove_empty
from codecctl.errors import CodecctlError


def test_nothing_is_where_no_store_was_made(tmp_path: Path) -> None:
    target = inspect_target(tmp_path / "stores" / "s")
    assert (dict(target.stored), dict(target.listed), target.index_damaged) == ({}, {}, False)


@pytest.mark.parametrize(
    ("where", "fix"),
    [("stores", "remove it or set CODECCTL_HOME"), ("stores/s", "give another --name")],
)
def test_a_file_or_a_dangling_link_in_the_way_is_named(
    tmp_path: Path, where: str, fix: str
) -> None:
    (tmp_path / where).parent.mkdir(exist_ok=True)
    (tmp_path / where).symlink_to("nowhere")
    with pytest.raises(CodecctlError, match=f"{where} is a file; {fix}"):
        inspect_target(tmp_path / "stores" / "s")


def test_folders_that_were_made_for_nothing_are_removed(tmp_path: Path) -> None:
    store = tmp_path / "a" / "stores" / "s"
    there = nearest_folder(store)
    (store / "rec").mkdir(parents=True)
    remove_empty(store, down_to=there)
    assert there == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_folders_that_hold_something_stay(tmp_path: Path) -> None:
    store = tmp_path / "stores" / "s"
    (store / "rec").mkdir(parents=True)
    (store / "rec" / "a.h5").touch()
    remove_empty(store, down_to=tmp_path)
    assert (store / "rec" / "a.h5").exists()
