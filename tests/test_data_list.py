from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codecctl.commands.data_list import disk_bytes, list_stores

MakeStore = Callable[..., Path]


@pytest.fixture
def stores(make_store: MakeStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of stores of the working folder, with one store of two recordings."""
    monkeypatch.chdir(tmp_path)
    noise = np.random.default_rng(0).standard_normal((2, 36_000)).astype(np.float32) * 0.1
    return make_store({"Beach.1": noise, "door": noise[:1]}, name="yard", sample_rate=24_000).parent


def test_the_list_shows_size_hours_rate_type_and_corpora(
    stores: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    list_stores()
    head, row, disk = capsys.readouterr().out.splitlines()
    names = ["name", "recordings", "length", "rate", "dtype", "channels", "size", "corpora"]
    assert head.split() == names
    assert row.split()[:7] == ["yard", "2", "3", "s", "24000", "Hz", "int16"]
    assert row.endswith("corpus")
    assert disk.startswith("stores: ")
    assert disk.endswith("free")


def test_the_list_as_json_holds_bytes_of_recordings_and_of_the_disk(
    stores: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    list_stores(as_json=True)
    content = json.loads(capsys.readouterr().out)
    (store,) = content["stores"]
    assert store["bytes"] == sum(path.stat().st_size for path in stores.glob("yard/rec/*"))
    assert store["disk_bytes"] == disk_bytes(stores / "yard") == content["disk"]["used_by_stores"]
    assert store["corpora"] == ["corpus"]
    assert store["channels"] == "1, 2"
    assert 0 < content["disk"]["free"] < content["disk"]["total"]


def test_unfinished_and_damaged_stores_are_told_of_beside_the_sound_ones(
    stores: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(stores / "yard", stores / "half")
    (stores / "half" / "index.json").unlink()
    shutil.copytree(stores / "yard", stores / "broken")
    (stores / "broken" / "index.json").write_text("{")
    list_stores()
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 3
    assert "stores/half: an ingest that was not finished (2 recordings, " in err
    assert "run the same command again" in err
    assert "broken/index.json: damaged" in err


def test_a_store_that_is_being_written_names_the_process(
    stores: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (stores / "half" / "rec").mkdir(parents=True)
    lock = stores / "half" / ".ingest.lock"
    lock.write_text(json.dumps({"host": "node7", "pid": 123}))
    list_stores()
    assert "stores/half: being written by process 123 on node7" in capsys.readouterr().err
    os.utime(lock, (0, 0))
    list_stores()
    assert "an ingest that was not finished (0 recordings, " in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_what_may_not_be_read_is_named(stores: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (stores / "yard").chmod(0)
    try:
        list_stores()
        assert "stores/yard: cannot be read: Permission denied" in capsys.readouterr().err
    finally:
        (stores / "yard").chmod(0o755)


def test_a_folder_of_stores_that_is_a_file_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stores").write_text("")
    list_stores()
    assert "no store" in capsys.readouterr().out


def test_shards_that_wait_for_a_merge_are_counted(
    stores: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2):
        shard = stores / f"big.shard-{number}-of-3"
        (shard / "rec").mkdir(parents=True)
        if number == 1:
            (shard / "shard.json").write_text("{}")
    list_stores()
    out, err = capsys.readouterr()
    assert "big.shard" not in out
    assert "big: 1 of 3 shards wait for a merge; not finished: 2, 3" in err
    for number in (2, 3):
        (stores / f"big.shard-{number}-of-3").mkdir(exist_ok=True)
        (stores / f"big.shard-{number}-of-3" / "shard.json").write_text("{}")
    list_stores()
    assert "big: 3 of 3 shards wait for a merge: codecctl data merge big" in capsys.readouterr().err


def test_an_empty_folder_says_how_to_make_a_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    list_stores()
    assert "no store; make one with: codecctl data ingest FOLDER" in capsys.readouterr().out
    list_stores(as_json=True)
    assert json.loads(capsys.readouterr().out)["stores"] == []
