"""What the dashboard may change: after a question, and never where it must not."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from codecctl.dashboard.app import DashboardApp
from codecctl.dashboard.confirm_screen import ConfirmScreen
from codecctl.dashboard.runs_screen import RunsScreen
from codecctl.dashboard.steering import refusal
from codecctl.dashboard.views import RunView
from codecctl.engine.rundir import read_tags, summarize_run

from .dashboard_runs import NOW, dashboard, make_run, screen_text, settle

pytestmark = pytest.mark.long


SIZE = (100, 30)


def view(path: Path, status: str) -> RunView:
    run = RunView(summarize_run(path))
    return replace(run, summary=replace(run.summary, status=status))


def test_only_a_run_that_trains_answers_and_only_one_that_does_not_is_deleted(
    tmp_path: Path,
) -> None:
    path = make_run(tmp_path, "run")
    assert refusal(view(path, "running"), "save") == ""
    assert refusal(view(path, "lost"), "stop") == "run is lost: nobody would answer"
    assert refusal(view(path, "running"), "remove") == "run is running: stop it first, with X"
    assert refusal(view(path, "finished"), "remove") == ""
    assert refusal(view(path, "finished"), "tag") == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_folder_that_may_not_be_written_is_refused_with_the_way_out(tmp_path: Path) -> None:
    path = make_run(tmp_path, "run")
    for place in (path / "control", path, tmp_path):
        place.chmod(0o500)
    try:
        for status, what in (("running", "save"), ("finished", "tag"), ("finished", "remove")):
            assert "may not be written by you; its owner can" in refusal(view(path, status), what)
    finally:
        for place in (tmp_path, path, path / "control"):
            place.chmod(0o700)


def test_only_a_run_that_stopped_in_a_folder_of_runs_is_resumed(tmp_path: Path) -> None:
    path = make_run(tmp_path / "runs", "run")
    other = make_run(tmp_path / "kept", "run")
    for status in ("stopped", "failed", "lost"):
        assert refusal(view(path, status), "resume") == ""
    assert refusal(view(path, "running"), "resume") == "run is running: it needs no resuming"
    assert "--resume trainer.max_steps=N" in refusal(view(path, "finished"), "resume")
    assert "is not a folder `runs`" in refusal(view(other, "stopped"), "resume")


async def test_a_resumed_training_that_cannot_start_is_told_with_its_last_line(
    tmp_path: Path,
) -> None:
    run = make_run(tmp_path / "runs", "run", status="stopped")
    app = dashboard(tmp_path / "runs")
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await pilot.press("R")
        await pilot.pause()
        assert "from its last checkpoint?" in screen_text(app)
        await pilot.press("enter")
        await settle(app, pilot)
        assert not (run / "resume.log").exists()
        await pilot.press("R", "y")
        await pilot.pause()
        await pilot.press("R")  # still starting: refused, so that nothing is started twice
        await pilot.pause()
        assert isinstance(app.screen, RunsScreen)
        for _ in range(600):
            told = [note.message for note in app._notifications]
            if any("resuming ended with exit code" in text for text in told):
                break
            await pilot.pause(0.1)
        last = (run / "resume.log").read_text(encoding="utf-8").strip().splitlines()[-1]
        assert f"run: resuming ended with exit code 3: {last}" in told
        assert sum("is being resumed" in text for text in told) == 1


async def test_tags_are_added_and_taken_away_in_one_line(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await pilot.press("T", *"night keep", "enter")
        await settle(app, pilot)
        assert read_tags(run) == ("keep", "night")
        await pilot.press("T")
        await pilot.pause()
        assert "Tags of run: keep night." in screen_text(app)
        await pilot.press(*"-night", "enter")
        await settle(app, pilot)
        assert read_tags(run) == ("keep",)
        await pilot.press("T", *"more", "escape")
        await settle(app, pilot)
        assert read_tags(run) == ("keep",)


async def test_a_run_is_deleted_after_yes_and_only_then(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run", status="finished")
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await pilot.press("D")
        await pilot.pause()
        assert "with all checkpoints and previews" in screen_text(app)
        await pilot.press("enter")
        await settle(app, pilot)
        assert run.is_dir()
        await pilot.press("D", "y")
        await settle(app, pilot)
        assert list(tmp_path.iterdir()) == []
        assert "0 runs" in screen_text(app)


@pytest.mark.parametrize("key", ["w", "T"])
async def test_a_dashboard_that_may_not_steer_asks_nothing(tmp_path: Path, key: str) -> None:
    run = make_run(tmp_path, "run")
    app = DashboardApp(tmp_path, clock=lambda: NOW, may_steer=False)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(app, pilot)
        await pilot.press(key)
        await pilot.pause()
        assert "read-only: nothing is changed from here" in screen_text(app)
        assert list((run / "control").iterdir()) == []
        assert isinstance(app.screen, RunsScreen)


async def test_a_long_question_is_shown_to_its_end(tmp_path: Path) -> None:
    app = dashboard(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(ConfirmScreen("word " * 40 + "last?"))
        await pilot.pause()
        assert "last?" in screen_text(app)
