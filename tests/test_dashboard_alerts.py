"""Alerts: one for each change, for the worse or the better, none for what was so before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from codecctl.dashboard.alerts import Alert, Watch
from codecctl.dashboard.run_screen import RunScreen
from codecctl.dashboard.views import RunView, Snapshot
from codecctl.engine.rundir import Row, RunState, RunSummary

from .dashboard_runs import append, dashboard, make_run, screen_text, settle


def run(
    status: str = "running", *, train: Row | None = None, validation: Row | None = None
) -> RunView:
    summary = RunSummary(
        path=Path("run"),
        profile="paired",
        mode="paired",
        state=RunState(status=status, message="out of memory\nmore"),
        status=status,
        step=7,
        max_steps=9,
        epoch=1,
        age_seconds=30.0,
        train=train or {"loss/total": 1.0},
        validation=validation or {},
        tags=(),
    )
    return RunView(summary)


def after(first: RunView, second: RunView) -> list[Alert]:
    watch = Watch()
    assert watch.news(Snapshot((first,))) == []
    found = watch.news(Snapshot((second,)))
    assert watch.news(Snapshot((second,))) == []  # told once
    return found


@pytest.mark.parametrize(
    ("second", "text", "severity"),
    [
        (run(train={"loss/total": "NaN"}), "the loss is not finite any more", "error"),
        (run("lost"), "stalled: no heartbeat for 30 s", "error"),
        (run("failed"), "failed: out of memory", "error"),
        (run("finished"), "finished at step 7", "information"),
        (run("stopped"), "stopped at step 7", "information"),
        (
            replace(run(), warning="12.5 codebook 2 collapses\nmore"),
            "codebook 2 collapses",
            "warning",
        ),
    ],
)
def test_a_change_is_told_once(second: RunView, text: str, severity: str) -> None:
    (alert,) = after(run(), second)
    assert (alert.run, alert.text, alert.severity) == ("run", text, severity)


def test_a_better_validation_is_told_and_a_worse_one_is_not() -> None:
    watch = Watch()
    values = (0.5, 0.6, 0.4, 0.45)
    found = [watch.news(Snapshot((run(validation={"val/mel": value}),))) for value in values]
    assert [[alert.text for alert in alerts] for alerts in found] == [
        [],
        [],
        ["new best val/mel 0.4, was 0.5"],
        [],
    ]


def test_of_decibels_the_higher_one_is_better() -> None:
    first, second = (
        replace(run(validation={"val/si_sdr": value}), best_metric="val/si_sdr")
        for value in (3.0, 5.0)
    )
    assert [alert.text for alert in after(first, second)] == ["new best val/si_sdr 5, was 3"]


def test_what_was_so_at_the_first_look_is_no_news() -> None:
    first = replace(run("lost", train={"loss/total": "NaN"}), warning="1.0 low")
    assert Watch().news(Snapshot((first,))) == []


@pytest.mark.long
async def test_alerts_are_listed_the_newest_first_and_lead_to_their_run(tmp_path: Path) -> None:
    for name in ("one", "two"):
        make_run(tmp_path, name)
    app = dashboard(tmp_path)
    async with app.run_test(size=(90, 24)) as pilot:
        await settle(app, pilot)
        for name, step in (("one", 1.0), ("two", 2.0)):
            values = {"step": 60, "epoch": 4, "split": "train", "loss/total": "NaN"}
            append(tmp_path / name / "metrics.jsonl", values)
            await settle(app, pilot)
            assert len(app.told) == step
        await pilot.press("exclamation_mark")
        await settle(app, pilot)
        text = screen_text(app)
        assert "2 alerts" in text
        told = [line.split()[3] for line in text.split("\n") if "not finite any more" in line]
        assert told == ["two", "one"]
        await pilot.press("down", "enter")
        await settle(app, pilot)
        assert isinstance(app.screen, RunScreen)
        assert app.screen.run_name == "one"
