from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from codecctl.commands.runs import app
from codecctl.engine.rundir import Lease, RunDirectory, RunState, pending_requests
from codecctl.errors import NotFoundError, UsageError


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CODECCTL_HOME", str(tmp_path))
    run = RunDirectory.create(tmp_path / "runs" / "first")
    run.write_json(
        "profile.json", {"name": "paired", "overrides": ["model=tiny"], "profile": {"mode": "m"}}
    )
    run.metric(3, "train", {"loss/mel": 0.5}, epoch=1, seconds=1.0, audio_seconds=2.0)
    run.metric(3, "val", {"val/mel": 0.25}, epoch=1, seconds=1.0, audio_seconds=2.0)
    run.event("started", 0, "at step 0")
    run.close()
    Lease(run.path, RunState("running", step=3, max_steps=9)).release("stopped", "by a request")
    return run.path


def _say(*arguments: str) -> str:
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_without_runs_the_next_command_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODECCTL_HOME", str(tmp_path))
    assert "no run; start one with: codecctl train --profile paired" in _say("list")


def test_the_list_is_a_table_and_json(run: Path) -> None:
    head, row = _say("list").splitlines()
    assert head.split() == ["name", "status", "step", "age", "val/mel", "profile", "tags"]
    assert row.split()[:3] == ["first", "stopped", "3/9"]
    assert row.split()[-2:] == ["0.25", "paired"]
    (entry,) = json.loads(_say("list", "--json"))["runs"]
    assert (entry["name"], entry["mode"], entry["validation"]["val/mel"]) == ("first", "m", 0.25)


def test_one_run_is_shown_with_values_events_and_overrides(run: Path) -> None:
    shown = _say("show", "first")
    for wanted in ("stopped at step 3 of 9", "model=tiny", "by a request", "at step 0", "0.25"):
        assert wanted in shown
    content = json.loads(_say("show", "first", "--json"))
    assert content["events"][0]["kind"] == "started"
    assert content["overrides"] == ["model=tiny"]


def test_a_run_that_trains_can_be_asked_to_stop_and_not_be_removed(run: Path) -> None:
    with pytest.raises(UsageError, match="first: found a run that is stopped, needed a running"):
        _say("stop", "first")
    lease = Lease(run, RunState("running"))
    _say("stop", "first")
    assert pending_requests(run) == ("stop",)
    _say("stop", "--save", "first")
    assert pending_requests(run) == ("save", "stop")
    with pytest.raises(UsageError, match=r"is training; stop it first: codecctl runs stop first"):
        _say("remove", "first", "--yes")
    lease.release("stopped", "")


def test_a_run_is_removed_when_someone_agreed(run: Path) -> None:
    with pytest.raises(UsageError, match="say --yes where nobody can be asked"):
        _say("remove", "first")
    assert run.is_dir()
    _say("remove", "first", "--yes")
    assert list(run.parent.iterdir()) == []
    with pytest.raises(NotFoundError, match="first: no run of this name"):
        _say("show", "first")


def test_tags_are_added_dropped_and_filtered_by(run: Path) -> None:
    assert _say("tag", "first", "good", "long") == "good long\n"
    assert _say("tag", "first", "--drop", "good") == "long\n"
    assert _say("tag", "first") == "long\n"
    assert "first" in _say("list", "--tag", "long")
    assert "first" not in _say("list", "--tag", "good")


def test_values_of_the_wrong_type_break_neither_the_list_nor_a_run(run: Path) -> None:
    (run / "state.json").write_text('{"status": "running", "heartbeat": "x", "started": "y"}')
    (run / "checkpoints" / "last").write_bytes(b"\xff\xfe")
    for name, row in (("events", {"time": 1e300, "kind": 5}), ("metrics", {"step": [1]})):
        with (run / f"{name}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
    assert _say("list").splitlines()[1].split()[:2] == ["first", "lost"]
    assert "lost at step 0" in _say("show", "first")


def test_the_verdicts_of_a_paired_run_are_shown(run: Path) -> None:
    (run / "profile.json").write_text('{"name": "paired", "profile": {"mode": "paired"}}')
    appended = RunDirectory.reopen(run)
    for step in range(4, 9):
        values = {"loss/similarity": 1.0 / step}
        appended.metric(step, "train", values, epoch=1, seconds=1.0, audio_seconds=2.0)
    appended.close()
    lines = [line for line in _say("show", "first").splitlines() if "similarity loss" in line]
    assert [line.split(": ")[1] for line in lines] == ["as expected"]
    verdicts = json.loads(_say("show", "first", "--json"))["verdicts"]
    assert verdicts[6]["metric"] == "loss/similarity" and verdicts[6]["slope"] < 0
