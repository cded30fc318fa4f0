"""`codecctl data remove` and `data rename` ask first and spare what a run reads."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from codecctl.app import app
from codecctl.errors import NotFoundError, UsageError

from .small_stores import noise, write_small_store


@pytest.fixture
def yard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return write_small_store(Path("stores/yard"), noise(["Beach.1"]))


def data(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What is said on stderr; stdout stays empty."""
    app(["data", *arguments], standalone_mode=False)
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


def write_run(name: str, store: Path, *, status: str) -> None:
    run = Path("runs") / name
    run.mkdir(parents=True)
    (run / "profile.json").write_text("{}")
    (run / "environment.json").write_text(json.dumps({"store": {"path": str(store.resolve())}}))
    state = {"status": status, "pid": 7, "host": "node3", "heartbeat": time.time()}
    (run / "state.json").write_text(json.dumps(state))


def test_nothing_goes_where_nobody_can_be_asked(
    yard: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match="stores/yard: not removed; say --yes where nobody can"):
        data(capsys, "remove", "yard")
    assert (yard / "index.json").is_file()
    assert data(capsys, "remove", "yard", "--yes").startswith("stores/yard: removed, 1 recordings,")
    assert not yard.exists()


def test_strangers_and_runs_are_told_of(yard: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (yard / "notes.txt").write_text("x")
    write_run("night", yard, status="finished")
    said = data(capsys, "remove", "yard", "-y").splitlines()
    assert said[1:] == [
        "stores/yard: left stores/yard/notes.txt: no files of a store",
        "runs that cannot go on without it: night",
    ]


def test_a_store_that_a_run_reads_stays(yard: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run("night", yard, status="running")
    sentence = r"run night trains on it \(process 7 on node3\); stop it first: codecctl runs stop"
    with pytest.raises(UsageError, match=sentence):
        data(capsys, "remove", "yard", "--yes")
    with pytest.raises(UsageError, match=sentence):
        data(capsys, "rename", "yard", "garden")
    assert (yard / "index.json").is_file()


def test_a_half_finished_store_can_go(yard: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (yard / "index.json").unlink()
    assert "removed, 1 recordings" in data(capsys, "remove", "yard", "--yes")
    with pytest.raises(NotFoundError, match="yard: no store of this name or path"):
        data(capsys, "remove", "yard", "--yes")


def test_a_renamed_store_tells_which_runs_know_it_by_its_old_name(
    yard: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run("night", yard, status="finished")
    assert data(capsys, "rename", "yard", "garden").splitlines() == [
        "stores/yard: is stores/garden now",
        "runs that know it by its old place go on with data.store=garden: night",
    ]
    with pytest.raises(UsageError, match="'a/b': needed letters, digits"):
        data(capsys, "rename", "garden", "a/b")
    assert Path("stores/garden/index.json").is_file()
