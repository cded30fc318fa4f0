from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from codecctl.engine.redraws import RedrawReport
from codecctl.engine.rows import Row
from codecctl.engine.rundir import RunDirectory, read_rows


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path / "a")


def events(run: RunDirectory) -> list[Row]:
    return read_rows(run.path / "events.jsonl")


def test_the_first_window_of_a_kind_is_told_once(run: RunDirectory) -> None:
    counts: Counter[tuple[str, str]] = Counter()
    report = RedrawReport(run, counts.copy)
    report.look(1, "train")
    counts["Beach.1", "silent"] += 3
    report.look(2, "train")
    counts["Beach.1", "silent"] += 1
    counts["Beach.1", "not finite"] += 1
    report.look(3, "train")

    assert [(row["kind"], row["step"], row["reason"]) for row in events(run)] == [
        ("warning", 2, "silent"),
        ("warning", 3, "not finite"),
    ]
    assert str(events(run)[0]["message"]).startswith("Beach.1: a window was silent")


def test_sums_come_with_a_validation_and_only_when_they_have_changed(run: RunDirectory) -> None:
    counts = Counter({("Beach.1", "silent"): 12, ("Park.1", "not finite"): 1})
    report = RedrawReport(run, counts.copy)
    report.look(8, "val")
    report.look(16, "val")
    said = report.total(16)

    assert said == "13 windows drawn again by this job: Beach.1 12 silent, Park.1 1 not finite"
    sums = [row for row in events(run) if "windows" in row]
    assert [(row["step"], row["windows"], row["message"]) for row in sums] == [(8, 13, said)]


def test_many_recordings_are_counted_and_the_worst_named(run: RunDirectory) -> None:
    counts = Counter({(f"Beach.{take}", "silent"): take for take in range(1, 8)})
    said = RedrawReport(run, counts.copy).total(5)
    assert said.startswith("28 windows drawn again by this job: Beach.7 7 silent, ")
    assert said.endswith("Beach.4 4 silent, 3 more")


def test_where_nothing_is_drawn_again_nothing_is_said(run: RunDirectory) -> None:
    assert RedrawReport(run, Counter).total(5) == ""
    assert events(run) == []
