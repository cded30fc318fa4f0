"""Following run folders: growth, torn lines, truncation, deletion, broken files."""

from __future__ import annotations

import json
import math
import os
import shutil
from pathlib import Path
from typing import IO, Any

import pytest

from codecctl.dashboard.axis import Array, XAxis
from codecctl.dashboard.reader import RunsReader
from codecctl.dashboard.views import RunView

from .dashboard_runs import NOW, append


def make_run(
    folder: Path, name: str, *, steps: int = 3, started: float = NOW, **state: object
) -> Path:
    run = folder / name
    for part in ("checkpoints", "previews", "control"):
        (run / part).mkdir(parents=True)
    profile = {"mode": "paired", "data": {"items_per_epoch": 80, "batch_size": 8}, "trainer": {}}
    whole = {"schema": 1, "name": "paired", "profile": profile}
    (run / "profile.json").write_text(json.dumps(whole), encoding="utf-8")
    append(run / "metrics.jsonl", *(train_row(step, 1.0 - 0.1 * step) for step in range(steps)))
    values = {"status": "running", "heartbeat": NOW - 3, "step": steps, "max_steps": 100}
    whole_state = {"schema": 1, **values, "started": started, **state}
    (run / "state.json").write_text(json.dumps(whole_state), encoding="utf-8")
    return run


def train_row(step: int, loss: float) -> dict[str, object]:
    return {"step": step, "epoch": 1, "split": "train", "seconds": step * 1.0, "loss/mel": loss}


def only(reader: RunsReader, *, shown: bool = True, opened: bool = False) -> RunView:
    names = frozenset({"run"} if shown else ())
    (view,) = reader.poll(names, "run" if opened else "").runs
    return view


def values(view: RunView, name: str = "loss/mel") -> list[float]:
    found = view.train.series(name, XAxis.STEP, steps_per_epoch=0)[1]
    return [round(value, 3) for value in found.tolist()]


def reader_of(folder: Path) -> RunsReader:
    return RunsReader(folder, clock=lambda: NOW)


def test_a_folder_that_does_not_exist_holds_no_runs(tmp_path: Path) -> None:
    assert reader_of(tmp_path / "none").poll(frozenset()).runs == ()


def test_runs_come_newest_first_with_their_state_by_heartbeat(tmp_path: Path) -> None:
    make_run(tmp_path, "old", started=NOW - 1000, heartbeat=NOW - 25)
    make_run(tmp_path, "new", started=NOW - 10)
    make_run(tmp_path, "done", started=NOW - 2000, status="finished", heartbeat=NOW - 900)
    (tmp_path / "no-run").mkdir()
    runs = reader_of(tmp_path).poll(frozenset()).runs
    assert [(run.name, run.summary.status) for run in runs] == [
        ("new", "running"),
        ("old", "lost"),
        ("done", "finished"),
    ]
    assert runs[0].summary.age_seconds == 3.0
    assert runs[0].steps_per_epoch == 10.0


def test_a_run_gets_lost_without_any_file_changing(tmp_path: Path) -> None:
    make_run(tmp_path, "run")
    moment = NOW
    reader = RunsReader(tmp_path, clock=lambda: moment)
    assert only(reader).summary.status == "running"
    moment = NOW + 18
    assert only(reader).summary.status == "lost"


def test_scalars_are_read_in_full_only_for_runs_that_are_shown(tmp_path: Path) -> None:
    make_run(tmp_path, "run")
    reader = reader_of(tmp_path)
    hidden = only(reader, shown=False)
    assert hidden.train.num_rows == 0
    assert hidden.summary.train["loss/mel"] == 0.8
    assert values(only(reader)) == [1.0, 0.9, 0.8]


def test_a_growing_run_and_a_line_in_two_halves(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    reader = reader_of(tmp_path)
    before = only(reader)
    assert only(reader).train is before.train  # nothing new: the same table
    line = json.dumps({"schema": 1, "step": 3, "split": "train", "loss/mel": 0.7}).encode() + b"\n"
    with (run / "metrics.jsonl").open("ab") as file:
        file.write(line[:20])
    assert values(only(reader)) == [1.0, 0.9, 0.8]
    with (run / "metrics.jsonl").open("ab") as file:
        file.write(line[20:] + b"not json\n[1]\n")
    assert values(only(reader)) == [1.0, 0.9, 0.8, 0.7]


def test_a_resumed_run_replaces_the_rows_that_it_writes_again(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    reader = reader_of(tmp_path)
    only(reader)
    append(run / "metrics.jsonl", *(train_row(step, 5.0) for step in (1, 2, 3)))
    assert values(only(reader)) == [1.0, 5.0, 5.0, 5.0]


def test_a_file_that_was_cut_or_replaced_is_read_anew(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    reader = reader_of(tmp_path)
    only(reader)
    row = json.dumps({"schema": 1, "step": 0, "split": "train", "loss/mel": 9.0}) + "\n"
    (run / "metrics.jsonl").write_text(row, encoding="utf-8")
    assert values(only(reader)) == [9.0]
    other = tmp_path / "other"
    other.write_text(row.replace("9.0", "8.0") * 40, encoding="utf-8")
    other.replace(run / "metrics.jsonl")
    assert values(only(reader)) == [8.0]


def test_a_deleted_run_is_gone_and_one_of_the_same_name_starts_empty(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    reader = reader_of(tmp_path)
    only(reader, opened=True)
    shutil.rmtree(run)
    assert reader.poll(frozenset({"run"}), "run").runs == ()
    make_run(tmp_path, "run", steps=1)
    assert values(only(reader, opened=True)) == [1.0]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe"])
def test_an_unreadable_state_is_a_problem_not_an_end(tmp_path: Path, content: bytes) -> None:
    run = make_run(tmp_path, "run")
    (run / "state.json").write_bytes(content)
    view = only(reader_of(tmp_path))
    assert "state.json is missing or cannot be read" in view.problem
    assert values(view) == [1.0, 0.9, 0.8]


def test_a_run_of_nothing_but_a_broken_profile_is_listed(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "profile.json").write_bytes(b"{")
    view = only(reader_of(tmp_path), opened=True)
    assert view.name == "run"
    assert view.problem
    assert view.detail is not None
    assert view.detail.checkpoints == ()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_a_problem_of_its_run_alone(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    (run / "metrics.jsonl").chmod(0)
    make_run(tmp_path, "other")
    runs = reader_of(tmp_path).poll(frozenset({"run", "other"})).by_name()
    assert "Permission denied" in runs["run"].problem
    assert runs["other"].problem == ""


def test_a_directory_in_place_of_a_file_is_a_problem_of_its_run_alone(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    (run / "metrics.jsonl").unlink()
    (run / "metrics.jsonl").mkdir()
    make_run(tmp_path, "other")
    runs = reader_of(tmp_path).poll(frozenset({"run", "other"})).by_name()
    assert "directory" in runs["run"].problem
    assert runs["other"].train.num_rows == 3


def test_a_long_file_is_read_over_several_polls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path, "run", steps=0)
    row = '{"schema":1,"step":%d,"split":"train","loss/mel":1.0,"pad":"' + "x" * 200 + '"}\n'
    (run / "metrics.jsonl").write_text("".join(row % step for step in range(20_000)))
    monkeypatch.setattr("codecctl.dashboard.reader.BUDGET_SECONDS", 0.0)
    reader = reader_of(tmp_path)
    first = reader.poll(frozenset({"run"}))
    assert not first.complete
    assert 0 < first.runs[0].train.num_rows < 20_000
    snapshot = first
    while not snapshot.complete:
        snapshot = reader.poll(frozenset({"run"}))
    assert snapshot.runs[0].train.num_rows == 20_000


def test_the_page_of_a_run_holds_everything_that_the_run_left(tmp_path: Path) -> None:
    path = make_run(tmp_path, "run")
    append(path / "events.jsonl", {"time": NOW, "step": 0, "kind": "started", "message": "here"})
    append(path / "system.jsonl", {"time": NOW, "step": 1, "memory_mb": 100.0})
    for step, factor in ((0, 1.0), (2, 0.5), (2, 0.25)):  # validated again after a resume
        for item, scene in enumerate(("Woodland", "TrainStation", "Woodland")):
            row = {"step": step, "item": item, "scene": scene, "metric": "mel"}
            append(path / "validation.jsonl", {**row, "value": factor * item})
    checkpoint = path / "checkpoints" / "step-000000002"
    checkpoint.mkdir()
    (checkpoint / "meta.json").write_text('{"step": 2, "epoch": 1, "metrics": {"val/mel": 0.5}}')
    (path / "checkpoints" / "step-000000003").mkdir()  # not complete: no meta.json
    (path / "checkpoints" / "best").write_text("step-000000002")
    for name in ("reference", "step-000000000", "step-000000002"):
        (path / "previews" / name).mkdir()
        (path / "previews" / name / "item-000.wav").touch()
    (path / "previews" / "step-000000002" / "item-000.swap.wav").touch()
    (path / "control" / "save").touch()

    detail = only(reader_of(tmp_path), opened=True).detail
    assert detail is not None
    assert [event["kind"] for event in detail.events] == ["started"]
    assert detail.system.last("memory_mb") == 100.0
    assert [(c.step, c.is_best, c.is_last) for c in detail.checkpoints] == [(2, True, False)]
    assert [(p.step, p.item) for p in detail.previews] == [
        (0, "item-000"),
        (2, "item-000"),
        (2, "item-000.swap"),
    ]
    for preview in detail.previews:
        assert preview.reference.endswith("previews/reference/item-000.wav")
    assert [(s.scene, s.mean, s.num_items) for s in detail.scenes] == [
        ("TrainStation", 0.25, 1),
        ("Woodland", 0.25, 2),
    ]
    assert [asked.name for asked in detail.requests] == ["save"]


def test_polling_a_hundred_idle_runs_opens_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(100):
        make_run(tmp_path, f"run-{number}", steps=1, status="finished")
    reader = reader_of(tmp_path)
    reader.poll(frozenset())
    opened = []
    plain_open = Path.open

    def watched_open(self: Path, mode: str = "r") -> IO[Any]:
        opened.append(self)
        return plain_open(self, mode)

    monkeypatch.setattr(Path, "open", watched_open)
    assert len(reader.poll(frozenset()).runs) == 100
    assert opened == []


def test_a_file_that_is_torn_spoiled_cut_replaced_and_grows_is_followed_to_its_end(
    tmp_path: Path,
) -> None:
    run = make_run(tmp_path, "run", steps=0)
    metrics = run / "metrics.jsonl"
    reader = reader_of(tmp_path)

    def line(step: int, value: object) -> bytes:
        return json.dumps({"step": step, "split": "train", "loss/mel": value}).encode() + b"\n"

    def steps() -> tuple[list[float], list[float]]:
        view = only(reader)
        found: tuple[Array, Array] = view.train.series("loss/mel", XAxis.STEP, steps_per_epoch=0)
        return found[0].tolist(), found[1].tolist()

    with metrics.open("ab") as file:
        for second in range(5):  # a thousand rows a second, each poll in the middle of a line
            block = b"".join(line(1000 * second + i, 1.0) for i in range(1000))
            file.write(block[:-7])
            file.flush()
            assert len(steps()[0]) == 1000 * second + 999
            file.write(block[-7:])
            file.flush()
        file.write(b'{"step": 9, "spl\n\x00\xff\n[]\n' + line(5000, "NaN") + line(5001, "Infinity"))
    places, values = steps()
    assert places == list(range(5002))
    assert repr(values[-2:]) == "[nan, inf]"

    metrics.write_bytes(line(0, 7.0))  # cut
    assert steps() == ([0], [7.0])
    replacement = run / "new"
    replacement.write_bytes(b"".join(line(step, 8.0) for step in range(3)))
    replacement.replace(metrics)
    assert steps() == ([0, 1, 2], [8.0, 8.0, 8.0])
    with metrics.open("ab") as file:
        file.write(b"".join(line(3 + i, "NaN") for i in range(1000)))
    places, values = steps()
    assert len(places) == 1003
    assert all(math.isnan(value) for value in values[3:])


def test_a_run_of_a_newer_format_shows_what_can_be_read(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run", steps=0)
    row = {"schema": 9, "step": 1, "split": "train", "loss/mel": 1.0, "new": {"a": [1]}}
    (run / "metrics.jsonl").write_text(json.dumps(row) + "\n")
    (run / "state.json").write_text('{"schema": 9, "status": "sleeping", "step": [1], "x": {}}')
    view = only(reader_of(tmp_path))
    assert values(view) == [1.0]
    assert view.summary.status == "sleeping"
    assert view.summary.step == 0


def test_two_thousand_names_are_read_and_listed(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run", steps=0)
    for step in range(3):
        scalars: dict[str, object] = {f"loss/term{i:04d}": step + i for i in range(2000)}
        append(run / "metrics.jsonl", {"step": step, "split": "train", **scalars})
    view = only(reader_of(tmp_path))
    assert len(view.train.columns) == 2000
    assert view.train.last("loss/term1999") == 2001


def test_the_newest_warning_of_the_training_is_known_of_every_run(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    reader = reader_of(tmp_path)
    assert only(reader, shown=False).warning == ""
    for second, kind, message in ((1, "warning", "a"), (2, "warning", "b"), (3, "preview", "c")):
        append(run / "events.jsonl", {"time": second, "kind": kind, "message": message})
    assert only(reader, shown=False).warning == "2 b"


def test_a_validation_long_ago_is_remembered_until_the_file_is_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("codecctl.dashboard.reader._NEWS_BYTES", 200)
    metrics = make_run(tmp_path, "run") / "metrics.jsonl"
    append(metrics, {"step": 3, "split": "val", "val/mel": 0.5})
    append(metrics, *(train_row(step, 0.5) for step in range(4, 9)))
    reader = reader_of(tmp_path)
    assert only(reader, shown=False).summary.validation["val/mel"] == 0.5
    append(metrics, *(train_row(step, 0.25) for step in range(9, 19)))
    summary = only(reader, shown=False).summary
    assert (summary.train["step"], summary.validation["val/mel"]) == (18, 0.5)
    append(metrics, {"step": 18, "split": "val", "val/mel": 0.4})
    assert only(reader, shown=False).summary.validation["val/mel"] == 0.4
    metrics.write_bytes(b"")
    append(metrics, train_row(0, 1.0))
    summary = only(reader, shown=False).summary
    assert (summary.train["step"], summary.validation) == (0, {})
