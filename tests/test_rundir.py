from __future__ import annotations

import getpass
import json
import math
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from codecctl.engine.rundir import (
    Lease,
    RunDirectory,
    RunState,
    list_checkpoints,
    list_runs,
    number,
    pending_requests,
    read_metrics,
    read_requests,
    read_rows,
    request,
    step_name,
    summarize_run,
    write_tags,
)
from codecctl.errors import CodecctlError, NotFoundError, UsageError


def test_reading_runs_needs_none_of_the_heavy_packages() -> None:
    code = (
        "import sys, codecctl.engine.rundir\n"
        "print([m for m in ('torch', 'numpy', 'h5py', 'soundfile', 'wandb') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_run_name_can_be_taken_once(tmp_path: Path) -> None:
    RunDirectory.create(tmp_path / "a").close()
    with pytest.raises(UsageError, match=r"a: a run of this name exists.*--resume"):
        RunDirectory.create(tmp_path / "a")


def test_rows_carry_schema_step_epoch_split_and_times(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "a")
    run.metric(3, "train", {"loss/mel": math.nan}, epoch=1, seconds=2.0, audio_seconds=24.0)
    run.close()

    (line,) = (tmp_path / "a" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    row = json.loads(line)
    assert abs(row.pop("time") - time.time()) < 60
    assert row == {
        "schema": 1,
        "step": 3,
        "epoch": 1,
        "split": "train",
        "seconds": 2.0,
        "audio_seconds": 24.0,
        "loss/mel": "NaN",
    }


def test_readers_see_one_row_per_step_and_split_after_a_resume(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "a")
    for step, value in ((1, 1.0), (2, 2.0), (3, 3.0)):
        run.metric(step, "train", {"x": value}, epoch=1, seconds=1.0, audio_seconds=8.0)
    run.close()
    again = RunDirectory.reopen(tmp_path / "a")
    again.metric(2, "val", {"x": 9.0}, epoch=1, seconds=1.0, audio_seconds=8.0)
    again.metric(2, "train", {"x": 2.5}, epoch=1, seconds=1.0, audio_seconds=8.0)
    again.close()

    assert [row["x"] for row in read_metrics(tmp_path / "a", "train")] == [1.0, 2.5, 3.0]
    assert [row["x"] for row in read_metrics(tmp_path / "a", "val")] == [9.0]


def test_events_go_to_the_rows_and_to_the_log(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "a")
    run.event("checkpoint", 5, "saved step-000000005", bytes=7)
    run.close()

    (row,) = read_rows(tmp_path / "a" / "events.jsonl")
    assert (row["kind"], row["step"], row["bytes"]) == ("checkpoint", 5, 7)
    stamp = number(row["time"])
    assert stamp is not None
    assert abs(time.time() - stamp) < 60
    log = (tmp_path / "a" / "train.log").read_text(encoding="utf-8")
    assert log.endswith("step 5: checkpoint: saved step-000000005\n")


def test_requests_wait_in_control_until_they_are_served(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "a")
    request(run.path, "stop")
    request(run.path, "save")
    assert run.requests() == ("save", "stop")
    run.served("save", 7)
    run.served("save", 7)
    assert pending_requests(run.path) == ("stop",)
    run.forget("stop")
    assert pending_requests(run.path) == ()
    (served,) = read_rows(run.path / "events.jsonl")
    assert (served["kind"], served["step"], served["request"]) == ("served", 7, "save")
    with pytest.raises(NotFoundError, match="no such run"):
        request(tmp_path / "b", "stop")


def test_a_request_says_who_asked_and_when_and_a_touched_file_its_owner(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "a")
    before = time.time()
    request(run.path, "save")
    (asked,) = read_requests(run.path)
    user = getpass.getuser()
    assert (asked.name, asked.by) == ("save", f"{user}@{socket.gethostname()}")
    assert before <= asked.time <= time.time()
    (run.path / "control" / "stop").touch()
    os.utime(run.path / "control" / "stop", (5.0, 5.0))
    touched = read_requests(run.path)[1]
    assert (touched.name, touched.by, touched.time) == ("stop", user, 5.0)
    run.served("save", 3)
    (event,) = read_rows(run.path / "events.jsonl")
    assert event["by"] == asked.by
    assert event["asked"] == asked.time
    assert str(event["message"]).startswith(f"save asked by {asked.by} ")


def test_a_run_below_a_regular_file_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    with pytest.raises(CodecctlError, match="runs/a: cannot make a folder here: File exists; set"):
        RunDirectory.create(tmp_path / "runs" / "a")


def test_a_file_that_the_disk_does_not_take_is_named(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "a")
    (tmp_path / "a" / "environment.json").mkdir()
    with pytest.raises(CodecctlError, match=r"environment\.json: cannot write: Is a directory"):
        run.write_json("environment.json", {})
    run.close()


def test_the_list_of_runs_has_states_steps_and_last_values(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path / "a")
    run.write_json("profile.json", {"name": "paired", "profile": {"mode": "paired"}})
    lease = Lease(run.path, RunState("running", step=3, max_steps=10))
    run.metric(3, "train", {"loss/mel": 0.5}, epoch=1, seconds=1.0, audio_seconds=8.0)
    run.metric(3, "val", {"val/mel": 0.7}, epoch=1, seconds=1.0, audio_seconds=8.0)
    write_tags(run.path, {"good", "b"})
    (tmp_path / "no-run").mkdir()

    (summary,) = list_runs(tmp_path)
    assert (summary.name, summary.profile, summary.mode) == ("a", "paired", "paired")
    assert (summary.status, summary.step, summary.max_steps) == ("running", 3, 10)
    assert summary.train["loss/mel"] == 0.5
    assert summary.validation["val/mel"] == 0.7
    assert summary.tags == ("b", "good")
    lease.release("finished", "")
    assert summarize_run(run.path).status == "finished"
    run.close()


def test_a_run_with_broken_files_is_still_listed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "profile.json").write_text("{", encoding="utf-8")
    (tmp_path / "a" / "state.json").write_text("[]", encoding="utf-8")
    (tmp_path / "a" / "metrics.jsonl").write_bytes(b"\xff\xfe\n")

    (summary,) = list_runs(tmp_path)
    assert (summary.status, summary.train) == ("failed", {})
    assert summary.state.message == "state.json is missing"


def test_checkpoints_are_listed_with_their_marks(tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    for step in (5, 10):
        (folder / step_name(step)).mkdir(parents=True)
        meta = {"step": step, "epoch": 1, "metrics": {"val/mel": 1.0 / step}}
        (folder / step_name(step) / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
    (folder / step_name(15)).mkdir()
    (folder / "last").write_text("step-000000010\n", encoding="utf-8")
    (folder / "best").write_text("step-000000010\n", encoding="utf-8")

    first, second = list_checkpoints(tmp_path)
    assert (first.step, first.is_last, first.is_best) == (5, False, False)
    assert (second.name, second.is_last, second.is_best) == ("step-000000010", True, True)
    assert second.metrics == {"val/mel": 0.1}
    assert second.bytes > 0
