from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codecctl.datasets import transfer as transfer_module
from codecctl.datasets.merge import Merged, run
from codecctl.datasets.merge_plan import command_of, plan_shards, plan_stores, shard_folders
from codecctl.datasets.shards import Shard, ShardNote, write_note
from codecctl.datasets.store import Store, read_index
from codecctl.errors import DataError, NotFoundError, UsageError

NAMES = ("Beach.1", "Beach.2", "Park.1", "Park.2", "door")


def noise(seed: int, *, seconds: float = 1.5) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (2, round(seconds * 8000))).astype("float32")


def audio(*names: str) -> dict[str, np.ndarray]:
    return {name: noise(NAMES.index(name)) for name in names}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the stores of all tests are kept, once they are made."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def stores(cache: Path, tmp_path: Path, make_store: Callable[..., Path]) -> Path:
    """Three parts of a store of five recordings, and the same in one piece."""
    if (cache / "stores").exists():
        return Path(shutil.copytree(cache / "stores", tmp_path / "stores"))
    parts = (("Beach.1", "door"), ("Beach.2", "Park.2"), ("Park.1",))
    for number, names in enumerate(parts, 1):
        shard = Shard("e", number, 3)
        folder = make_store(
            audio(*names), name=shard.folder_name, metadata={names[0]: {"Location": "here"}}
        )
        write_note(folder, ShardNote(shard, "plan", names))
    made = make_store(audio(*NAMES), name="whole").parent
    shutil.copytree(made, cache / "stores")
    return made


def merge_parts(stores: Path, *, fail_at: int = -1) -> Merged:
    """Join the parts of `e`; stop as if killed after so many changes of the disk."""
    done = 0

    def step(_: str) -> None:
        nonlocal done
        done += 1
        if done == fail_at:
            raise KeyboardInterrupt

    return run(
        lambda: plan_shards(stores, "e"),
        target=stores / "e",
        command=command_of(["e"]),
        locked=shard_folders(stores, "e"),
        on_bytes=lambda _: None,
        on_step=step,
    )


def merge_stores(target: Path, *folders: Path, move: bool = False) -> Merged:
    command = command_of([folder.name for folder in folders], name=target.name, move=move)
    return run(
        lambda: plan_stores(folders, target, move=move, command=command).merge,
        target=target,
        command=command,
        locked=folders if move else (),
        on_bytes=lambda _: None,
    )


def require_whole(stores: Path) -> None:
    assert sorted(path.name for path in stores.iterdir()) == ["e", "whole"]
    assert sorted(path.name for path in (stores / "e").iterdir()) == ["index.json", "rec"]
    with Store.open(stores / "e") as merged, Store.open(stores / "whole") as whole:
        assert merged.fingerprint == whole.fingerprint
        assert merged.verify() == []
        for name in NAMES:
            np.testing.assert_array_equal(
                merged.read(name, 0, 12_000, [0, 1]), whole.read(name, 0, 12_000, [0, 1])
            )
        assert dict(merged.metadata) == {
            name: {"Location": "here"} for name in ("Beach.1", "Beach.2", "Park.1")
        }


def test_parts_become_the_store_of_one_ingest_without_a_copy(stores: Path) -> None:
    before = {path.name: path.stat().st_ino for path in stores.glob("e.*/rec/*.h5")}
    merged = merge_parts(stores)
    assert merged.brought == ("Beach.1", "door", "Beach.2", "Park.2", "Park.1")
    require_whole(stores)
    assert {path.name: path.stat().st_ino for path in stores.glob("e/rec/*.h5")} == before


@pytest.mark.parametrize("fail_at", range(1, 11))
def test_a_merge_stopped_after_any_change_is_finished_by_the_next(
    stores: Path, fail_at: int
) -> None:
    with pytest.raises(KeyboardInterrupt):
        merge_parts(stores, fail_at=fail_at)
    merge_parts(stores)
    require_whole(stores)


def test_on_another_file_system_recordings_are_copied_and_read_back(
    stores: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(18, os.strerror(18))  # EXDEV

    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(KeyboardInterrupt):
        merge_parts(stores, fail_at=3)
    merge_parts(stores)
    require_whole(stores)


def test_a_copy_of_damaged_audio_is_refused_and_the_source_stays(
    stores: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = stores / "e.shard-2-of-3" / "rec" / "Park.2.h5"
    row = next(row for row in read_index(path.parents[1]).recordings if row.name == "Park.2")
    with path.open("r+b") as file:
        file.seek(row.audio_offset + 5)
        file.write(b"\x55\x55")
    monkeypatch.setattr(transfer_module, "_rename_or_link", lambda *_, **__: False)
    with pytest.raises(DataError, match=r"Park\.2\.h5: its copy is not what was ingested: Park\.2"):
        merge_parts(stores)
    assert path.exists()
    assert not (stores / "e" / "rec" / "Park.2.h5").exists()


def test_missing_and_unfinished_parts_are_named(stores: Path) -> None:
    shutil.rmtree(stores / "e.shard-2-of-3")
    (stores / "e.shard-3-of-3" / "shard.json").unlink()
    with pytest.raises(NotFoundError, match=r"2 of 3 parts are missing or not complete: 2, 3; run"):
        merge_parts(stores)
    assert not (stores / "e").exists()
    with pytest.raises(NotFoundError, match="no parts of it here"):
        plan_shards(stores, "other")


def test_parts_of_different_sources_rates_or_numbers_are_refused(
    stores: Path, make_store: Callable[..., Path]
) -> None:
    last = Shard("e", 3, 3)
    write_note(stores / last.folder_name, ShardNote(last, "other plan", ("Park.1",)))
    with pytest.raises(DataError, match="made of different files"):
        merge_parts(stores)
    write_note(stores / last.folder_name, ShardNote(last, "plan", ("Park.1",)))
    shutil.rmtree(stores / last.folder_name)
    make_store(audio("Park.1"), name=last.folder_name, sample_rate=4000)
    write_note(stores / last.folder_name, ShardNote(last, "plan", ("Park.1",)))
    with pytest.raises(UsageError, match=r"holds 4000 Hz int16, .* holds 8000 Hz int16"):
        merge_parts(stores)
    (stores / "e.shard-1-of-4").mkdir()
    with pytest.raises(DataError, match="found parts of 3 and of 4"):
        merge_parts(stores)


def test_a_part_joins_the_store_that_is_there_already(
    stores: Path, make_store: Callable[..., Path]
) -> None:
    merge_parts(stores)
    shard = Shard("e", 1, 1)
    folder = make_store({"Park.9": noise(9)}, name=shard.folder_name)
    write_note(folder, ShardNote(shard, "plan", ("Park.9",)))
    merge_parts(stores)
    assert [row.name for row in read_index(stores / "e").recordings] == sorted((*NAMES, "Park.9"))


def test_stores_are_joined_by_links_and_stay_as_they_are(
    stores: Path, make_store: Callable[..., Path]
) -> None:
    garden = make_store({"shed": noise(7)}, name="garden")
    before = (garden / "index.json").read_bytes()
    merged = merge_stores(stores / "both", stores / "whole", garden)
    assert sorted(merged.recordings) == sorted((*NAMES, "shed"))
    assert (garden / "index.json").read_bytes() == before
    assert (garden / "rec" / "shed.h5").samefile(stores / "both" / "rec" / "shed.h5")
    with Store.open(stores / "both") as store:
        assert store.verify() == []


def test_names_that_collide_and_exact_duplicates_are_said(
    stores: Path, make_store: Callable[..., Path]
) -> None:
    garden = make_store({"Beach.1": noise(20), "copy": noise(2)}, name="garden", dtype="int16")
    joining = plan_stores([stores / "whole", garden], stores / "c", move=False, command="")
    assert joining.left_out == ("garden/copy is the audio of whole/Park.1",)
    assert joining.renamed == ("garden/Beach.1 is Beach.1-garden in c",)
    merge_stores(stores / "c", stores / "whole", garden)
    with Store.open(stores / "c") as store, Store.open(garden) as source:
        assert store.verify() == []
        info = store.recording("Beach.1-garden")
        assert (info.scene, info.take, info.source_name) == ("Beach", "1-garden", "Beach.1.wav")
        np.testing.assert_array_equal(
            store.read("Beach.1-garden", 0, 12_000, [0, 1]),
            source.read("Beach.1", 0, 12_000, [0, 1]),
        )
        assert info.audio_hash == source.recording("Beach.1").audio_hash


def test_moved_stores_keep_only_what_the_new_one_has_already(
    stores: Path, make_store: Callable[..., Path]
) -> None:
    garden = make_store({"shed": noise(7), "copy": noise(2)}, name="garden")
    merged = merge_stores(stores / "c", stores / "whole", garden, move=True)
    assert not (stores / "whole").exists()
    assert [row.name for row in read_index(garden).recordings] == ["copy"]
    assert "keeps copy, which the new store has already" in merged.notes[0]
    with Store.open(stores / "c") as store:
        assert len(store.recordings) == 6
        assert store.verify() == []


def test_another_rate_or_a_name_that_is_taken_is_a_usage_error(
    stores: Path, make_store: Callable[..., Path]
) -> None:
    other = make_store({"x": noise(1)}, name="other", sample_rate=4000)
    with pytest.raises(UsageError, match="holds 4000 Hz int16"):
        merge_stores(stores / "c", stores / "whole", other)
    assert not (stores / "c").exists()
    with pytest.raises(UsageError, match="whole: exists; give another --name"):
        merge_stores(stores / "whole", stores / "e.shard-1-of-3", stores / "e.shard-2-of-3")


def test_a_begun_merge_is_finished_by_its_own_command_alone(stores: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        merge_parts(stores, fail_at=2)
    with pytest.raises(DataError, match=r"was begun; finish it: codecctl data merge e$"):
        merge_stores(stores / "e", stores / "whole", stores / "e.shard-1-of-3")


@pytest.mark.parametrize("content", ["{", '{"entries": 5}', "[]"])
def test_a_damaged_journal_is_named(stores: Path, content: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        merge_parts(stores, fail_at=1)
    journal = stores / "e" / ".merge" / "journal.json"
    json.loads(journal.read_bytes())
    journal.write_text(content)
    with pytest.raises(DataError, match=r"journal\.json: damaged"):
        merge_parts(stores)
