from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codecctl.commands.data_merge import merge
from codecctl.datasets.shards import Shard, ShardNote, write_note
from codecctl.errors import DataError, NotFoundError, UsageError


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (1, 8000)).astype("float32")


@pytest.fixture
def stores(
    make_store: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Two parts of `e`, and a store `garden`; the working folder is theirs."""
    for number in (1, 2):
        shard = Shard("e", number, 2)
        folder = make_store({f"Beach.{number}": noise(number)}, name=shard.folder_name)
        write_note(folder, ShardNote(shard, "plan", (f"Beach.{number}",)))
    monkeypatch.chdir(tmp_path)
    return make_store({"shed": noise(3), "copy": noise(1)}, name="garden").parent


def test_parts_are_joined_and_a_second_time_there_is_nothing_to_do(
    stores: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    merge(["e"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("stores/e: 2 recordings, 2 s, ")
    assert lines[0].endswith("; 2 brought")
    assert lines[1] == "next: codecctl data verify e"
    assert sorted(path.name for path in stores.iterdir()) == ["e", "garden"]
    merge(["e"])
    assert "2 recordings; no shards wait to be joined" in capsys.readouterr().out


def test_stores_are_joined_and_what_is_renamed_or_left_out_is_said(
    stores: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    merge(["e"])
    capsys.readouterr()
    merge(["e", "garden"], name="both", as_json=True)
    out, err = capsys.readouterr()
    content = json.loads(out)
    assert content["brought"] == ["Beach.1", "Beach.2", "shed"]
    assert content["left_out"] == ["garden/copy is the audio of e/Beach.1"]
    assert "left out: garden/copy is the audio of e/Beach.1" in err
    with pytest.raises(UsageError, match="both: exists; give another --name"):
        merge(["e", "garden"], name="both")


def test_moving_takes_the_old_store_away(stores: Path, capsys: pytest.CaptureFixture[str]) -> None:
    merge(["e"])
    merge(["e", "garden"], name="both", move=True)
    assert sorted(path.name for path in stores.iterdir()) == ["both", "garden"]
    assert "garden: keeps copy, which the new store has already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "options", "message"),
    [
        (["e"], {"name": "x"}, "join several stores"),
        (["e"], {"move": True}, "join several stores"),
        (["garden", "e"], {}, "needed --name"),
        (["garden", "garden"], {"name": "x"}, "needed each store once"),
        (["garden", "e.shard-1-of-2"], {"name": "garden"}, "needed each store once"),
        (["a/b"], {}, "needed the name of a whole store"),
        (["e.shard-1-of-2"], {}, "needed the name of a whole store"),
        (["garden", "e.shard-1-of-2"], {"name": ".x"}, "needed the name of a whole store"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(
    stores: Path, words: list[str], options: dict[str, object], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        merge(words, **options)  # type: ignore[arg-type]  # every one has its type


def test_missing_stores_and_parts_are_not_found(stores: Path) -> None:
    with pytest.raises(NotFoundError, match="no parts of it here"):
        merge(["x"])
    with pytest.raises(NotFoundError, match="no store of this name"):
        merge(["garden", "x"], name="y")
    (stores / "e.shard-2-of-2" / "shard.json").unlink()
    with pytest.raises(NotFoundError, match="1 of 2 parts are missing or not complete: 2; run"):
        merge(["e"])


@pytest.mark.parametrize("target", ["nowhere", "shed.h5"])
def test_a_link_that_leads_nowhere_is_damage_of_the_store(stores: Path, target: str) -> None:
    merge(["e"])
    file = stores / "garden/rec/shed.h5"
    file.unlink()
    file.symlink_to(target)
    with pytest.raises(DataError, match=r"shed\.h5: .* ingest it again, then merge again"):
        merge(["e", "garden"], name="both")
