"""The page of a run: its tabs, its requests, its end; driven by keys."""

from __future__ import annotations

import getpass
import json
import shutil
import socket
from pathlib import Path

import numpy as np
import pytest
import soundfile
from textual.pilot import Pilot
from textual.widgets import TabbedContent, Tabs

from codecctl.dashboard.app import DashboardApp
from codecctl.dashboard.checkpoints_table import CheckpointsTable, packed
from codecctl.dashboard.events_table import EventsTable
from codecctl.dashboard.picture import Picture
from codecctl.dashboard.run_screen import TABS, RunScreen
from codecctl.dashboard.runs_screen import RunsScreen
from codecctl.dashboard.runs_table import RunsTable

from .dashboard_runs import NOW, append, dashboard, make_run, screen_text, settle

pytestmark = pytest.mark.long


SIZE = (84, 26)


def write_preview(run: Path, step: str, level: float) -> None:
    time = np.arange(24_000) / 24_000
    audio = np.stack([np.sin(2 * np.pi * f * time) for f in (3_000.0, 9_000.0)], axis=1)
    for folder, factor in (("reference", 0.5), (step, level)):
        (run / "previews" / folder).mkdir(exist_ok=True)
        soundfile.write(run / "previews" / folder / "item-000.wav", factor * audio, 24_000)


async def open_run(app: DashboardApp, pilot: Pilot[None]) -> None:
    await settle(app, pilot)
    await pilot.press("enter")
    await settle(app, pilot)


async def open_tab(app: DashboardApp, pilot: Pilot[None], name: str) -> str:
    await pilot.press(str(TABS.index(name) + 1))
    await settle(app, pilot)
    return screen_text(app)


async def test_enter_opens_the_page_of_a_run_and_escape_closes_it(tmp_path: Path) -> None:
    make_run(tmp_path, "run")
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_run(app, pilot)
        assert isinstance(app.screen, RunScreen)
        assert "run ● running 40/80 (50%) · 20 s left · seen 3 s ago" in screen_text(app)
        await pilot.press("escape")
        await settle(app, pilot)
        assert isinstance(app.screen, RunsScreen)


async def test_the_arrows_move_the_crosshair_as_soon_as_a_run_is_open(tmp_path: Path) -> None:
    make_run(tmp_path, "run")
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await open_run(app, pilot)
        await settle(app, pilot)
        await pilot.press("left")
        await settle(app, pilot)
        assert app.screen.query_one(TabbedContent).active == "curves"
        assert "@3" in screen_text(app)
        await pilot.press("shift+tab")  # to the tabs; what is read meanwhile leaves the keys there
        await settle(app, pilot)
        assert isinstance(app.screen.focused, Tabs)


def test_a_metric_and_its_value_stay_in_one_line() -> None:
    assert packed(["mel 1", "time 0.5", "sdr 3", "a-long-name 7"], 15) == [
        "mel 1  time 0.5",
        "sdr 3",
        "a-long-name 7",
    ]
    assert packed(["mel 1", "sdr 3"], 3) == ["mel 1", "sdr 3"]
    assert packed([], 10) == []


async def test_checkpoints_show_what_tells_most_and_verdicts_their_color(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    metrics = {"val/time": 0.5, "val/mel/capsule1": 0.6, "val/mel": 1.0, "val/si_sdr": 3.0}
    meta = {"schema": 1, "step": 20, "epoch": 3, "metrics": metrics}
    (run / "checkpoints" / "step-000000020" / "meta.json").write_text(json.dumps(meta))
    words = {"verdict": "as expected", "claim": "near", "message": "near: as expected: it is"}
    append(run / "events.jsonl", {"time": NOW, "step": 20, "kind": "verdict", **words})
    app = dashboard(tmp_path, only="run")
    async with app.run_test(size=(130, 30)) as pilot:
        await settle(app, pilot)
        await pilot.press(str(TABS.index("checkpoints") + 1))
        await settle(app, pilot)
        row = app.screen.query_one(CheckpointsTable).get_row("step-000000020")
        assert row[-1].plain == "val/si_sdr 3  val/time 0.5  val/mel/capsule1 0.6"
        await pilot.resize_terminal(80, 24)  # without that column
        await settle(app, pilot)
        assert " val/si_sdr 3  val/time 0.5  val/mel/capsule1 0.6" in screen_text(app)
        await pilot.press(str(TABS.index("events") + 1))
        await settle(app, pilot)
        cells = app.screen.query_one(EventsTable).get_row_at(0)
        assert (cells[2].plain, cells[2].style) == ("verdict", "green")


async def test_every_tab_shows_its_part_of_the_run(tmp_path: Path) -> None:
    make_run(tmp_path, "run")
    app = dashboard(tmp_path, only="run")
    async with app.run_test(size=(160, 50)) as pilot:
        await settle(app, pilot)
        assert "loss/mel" in screen_text(app)
        text = await open_tab(app, pilot, "validation")
        row = next(line for line in text.split("\n") if line.startswith(" mel "))
        assert row.split()[:7] == ["mel", "2.000", "1.000", "20", "1.000", "-50%", "✓"]
        assert "TrainStation 2  Woodland 1" in row
        text = await open_tab(app, pilot, "previews")
        assert "no previews yet" in text
        text = await open_tab(app, pilot, "checkpoints")
        assert "step-000000020" in text
        assert "best" in text
        text = await open_tab(app, pilot, "events")
        assert text.index("warning") < text.index("started")  # the newest first
        assert text.count("codebook 2 uses 3 %") == 2  # in the table and in full below
        assert "more" in text
        text = await open_tab(app, pilot, "profile")
        row = next(line for line in text.split("\n") if "trainer.seed" in line)
        assert row.split() == ["trainer.seed", "7", "command", "line"]
        text = await open_tab(app, pilot, "system")
        assert "memory_mb" in text
        assert "512" in text


async def test_previews_are_read_when_their_tab_is_opened(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    write_preview(run, "step-000000000", 0.01)
    write_preview(run, "step-000000020", 0.5)
    app = dashboard(tmp_path, only="run")
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        text = await open_tab(app, pilot, "previews")
        assert "step 20 (2/2) ─● · item-000 (1/1) · channel 1/2 · 24000 Hz" in text
        assert text.count("peak -6.0 dB") == 2
        await pilot.press("left")
        await settle(app, pilot)
        text = screen_text(app)
        assert "step 0 (1/2)" in text
        assert "peak -40.0 dB" in text
        await pilot.press("c")
        await settle(app, pilot)
        assert "channel 2/2" in screen_text(app)
        picture = app.screen.query_one("#reference", Picture)
        assert picture.size.height > 10


async def test_a_deleted_run_says_so_and_the_way_back_works(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    make_run(tmp_path, "other", started=NOW - 5)
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await pilot.press("enter")
        await settle(app, pilot)
        shutil.rmtree(run)
        await settle(app, pilot)
        assert "was deleted" in screen_text(app)
        await pilot.press("escape")
        await settle(app, pilot)
        assert app.screen.query_one(RunsTable).row_count == 1


async def test_requests_are_written_after_yes_and_only_then(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        for key, name in (("w", "save"), ("X", "stop")):
            await pilot.press(key)
            await pilot.pause()
            assert "Ask run to save" in screen_text(app)
            await pilot.press("enter")
            await pilot.pause()
            assert not (run / "control" / name).exists()
            await pilot.press(key, "y")
            await settle(app, pilot)
            assert (run / "control" / name).exists()
        await pilot.press("enter")
        await settle(app, pilot)
        text = screen_text(app).split("\n")[1]
        who = f"asked by {getpass.getuser()}@{socket.gethostname()} at "
        assert f"save {who}" in text
        assert f"stop {who}" in text


async def test_nothing_is_asked_of_a_run_that_ended(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run", status="finished")
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await pilot.press("X")
        await pilot.pause()
        assert isinstance(app.screen, RunsScreen)
        assert list((run / "control").iterdir()) == []


async def test_without_color_nothing_but_the_terminal_palette_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    run = make_run(tmp_path, "run")
    write_preview(run, "step-000000000", 0.3)
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        assert app.native_ansi_color
        await pilot.press("enter")
        await settle(app, pilot)
        text = await open_tab(app, pilot, "previews")
        assert "█" in text
        styles = {
            segment.style
            for strip in app.screen.query_one("#reference", Picture)._lines or ()
            for segment in strip
            if segment.style is not None
        }
        assert all(style.color is None for style in styles)


async def test_events_are_searched_by_a_pattern(tmp_path: Path) -> None:
    make_run(tmp_path, "run")
    app = dashboard(tmp_path, only="run")
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await open_tab(app, pilot, "events")
        await pilot.press("slash", *"codebook [0-9]")
        await settle(app, pilot)
        text = screen_text(app)
        assert "warning" in text
        assert "started" not in text
        await pilot.press("escape")
        await settle(app, pilot)
        assert "started" in screen_text(app)


async def test_news_that_arrives_before_the_page_is_built_waits_for_it(tmp_path: Path) -> None:
    make_run(tmp_path, "run")
    app = dashboard(tmp_path)
    async with app.run_test(size=(84, 26)) as pilot:
        await settle(app, pilot)
        app.open_run("run")
        assert not app.screen.is_mounted
        app._show()
        await settle(app, pilot)
        await pilot.pause(0.05)
        assert "loss/mel" in screen_text(app)


async def test_the_log_is_followed_searched_and_changed_for_another_file(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    (run / "train.log").write_text("step 0: started\nstep 5: checkpoint\n", encoding="utf-8")
    (run / "crash.txt").write_text("Traceback", encoding="utf-8")
    app = dashboard(tmp_path, only="run")
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await pilot.press(str(TABS.index("log") + 1))
        await settle(app, pilot)
        assert "train.log · 2 lines · n: crash.txt" in screen_text(app)
        with (run / "train.log").open("a", encoding="utf-8") as file:
            file.write("step 9: checkpoint\n")
        await settle(app, pilot)
        assert "step 9: checkpoint" in screen_text(app)
        await pilot.press("slash", *"check", "enter")
        await settle(app, pilot)
        assert "step 0: started" not in screen_text(app)
        assert "2 lines · only check" in screen_text(app)
        await pilot.press("escape", "n")
        await settle(app, pilot)
        assert "crash.txt · 1 line · n: train.log" in screen_text(app)
        assert "Traceback" in screen_text(app)


async def test_a_checkpoint_leads_to_the_previews_of_the_nearest_step(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    for step in (0, 18, 40):
        write_preview(run, f"step-{step:09d}", 0.5)
    app = dashboard(tmp_path, only="run")
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await pilot.press(str(TABS.index("checkpoints") + 1))
        await settle(app, pilot)
        await pilot.press("enter")
        await settle(app, pilot)
        await settle(app, pilot)
        assert "step 18 (2/3)" in screen_text(app)


async def test_the_page_of_the_system_shows_the_load_of_each_gpu(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    for second in range(2):
        load = {"gpu0_load_percent": 87.0, "gpu1_load_percent": 12.5, "gpu1_celsius": 61.0}
        append(run / "system.jsonl", {"time": NOW + second, "step": second, **load})
    app = dashboard(tmp_path, only="run")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press(str(TABS.index("system") + 1), "slash", *"gpu")
        await settle(app, pilot)
        titles = screen_text(app)
    for name, value in (("gpu0_load_percent", "87"), ("gpu1_load_percent", "12.5")):
        assert any(name in line and value in line for line in titles.split("\n")), name
    assert "gpu1_celsius" in titles
