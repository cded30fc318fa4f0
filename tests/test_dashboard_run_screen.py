"""The page of a run: its tabs, its requests, its end; driven by keys."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from textual.pilot import Pilot

from codecctl.dashboard.app import DashboardApp
from codecctl.dashboard.picture import Picture
from codecctl.dashboard.run_screen import TABS, RunScreen
from codecctl.dashboard.runs_screen import RunsScreen
from codecctl.dashboard.runs_table import RunsTable

NOW = 1_800_000_000.0
SIZE = (84, 26)


def append(path: Path, *rows: dict[str, object]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(json.dumps({"schema": 1, **row}) + "\n" for row in rows))


def train_row(step: int, loss: object) -> dict[str, object]:
    return {
        "step": step,
        "epoch": 1 + step // 10,
        "split": "train",
        "seconds": step * 0.5,
        "audio_seconds": step * 8.0,
        "loss/mel": loss,
        "loss/total": 2.0,
        "lr/generator": 3e-4,
        "speed/step_seconds": 0.5,
    }


def make_run(
    folder: Path, name: str, *, started: float = NOW, steps: int = 40, **state: object
) -> Path:
    run = folder / name
    for part in ("checkpoints/step-000000020", "previews", "control"):
        (run / part).mkdir(parents=True)
    profile = {"mode": "paired", "trainer": {"seed": 7, "best_metric": "val/mel"}}
    provenance = {"trainer": "trainer/demo.toml", "trainer.seed": "override trainer.seed=7"}
    whole = {"schema": 1, "name": "paired", "profile": profile, "provenance": provenance}
    (run / "profile.json").write_text(json.dumps(whole), encoding="utf-8")
    append(run / "metrics.jsonl", *(train_row(step, math.exp(-step / 20)) for step in range(steps)))
    for step, mel in ((0, 2.0), (20, 1.0)):
        validation: dict[str, object] = {"step": step, "epoch": 1, "split": "val"}
        append(run / "metrics.jsonl", {**validation, "val/mel": mel, "val/si_sdr": step / 10})
        for item, scene in enumerate(("Woodland", "TrainStation")):
            row: dict[str, object] = {"step": step, "item": item, "scene": scene}
            append(run / "validation.jsonl", {**row, "metric": "mel", "value": mel + item})
    append(
        run / "events.jsonl",
        {"time": NOW, "step": 0, "kind": "started", "message": "on a test"},
        {"time": NOW + 9, "step": 20, "kind": "warning", "message": "codebook 2 uses 3 %\nmore"},
    )
    append(run / "system.jsonl", {"time": NOW, "step": 0, "memory_mb": 512.0, "step_seconds": 0.5})
    meta = {"schema": 1, "step": 20, "epoch": 3, "metrics": {"val/mel": 1.0}}
    (run / "checkpoints" / "step-000000020" / "meta.json").write_text(json.dumps(meta))
    (run / "checkpoints" / "best").write_text("step-000000020")
    values = {"status": "running", "heartbeat": NOW - 3, "step": steps, "max_steps": 80, "epoch": 4}
    whole_state = {"schema": 1, **values, "started": started, **state}
    (run / "state.json").write_text(json.dumps(whole_state), encoding="utf-8")
    return run


def write_preview(run: Path, step: str, level: float) -> None:
    time = np.arange(24_000) / 24_000
    audio = np.stack([np.sin(2 * np.pi * f * time) for f in (3_000.0, 9_000.0)], axis=1)
    for folder, factor in (("reference", 0.5), (step, level)):
        (run / "previews" / folder).mkdir(exist_ok=True)
        soundfile.write(run / "previews" / folder / "item-000.wav", factor * audio, 24_000)


def dashboard(folder: Path, *, only: str = "") -> DashboardApp:
    return DashboardApp(folder, only=only, clock=lambda: NOW)


async def settle(app: DashboardApp, pilot: Pilot[None]) -> None:
    """Read what there is now, and wait until it is on the screen."""
    await pilot.pause()
    app.poll()
    while app.is_reading:
        await app.workers.wait_for_complete()
        await pilot.pause()
    await app.workers.wait_for_complete()  # previews
    await pilot.pause()


def screen_text(app: DashboardApp) -> str:
    """What a user sees, line by line."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())


async def open_tab(app: DashboardApp, pilot: Pilot[None], name: str) -> str:
    await pilot.press(str(TABS.index(name) + 1))
    await settle(app, pilot)
    return screen_text(app)


async def test_enter_opens_the_page_of_a_run_and_escape_closes_it(tmp_path: Path) -> None:
    make_run(tmp_path, "run")
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await pilot.press("enter")
        await settle(app, pilot)
        assert isinstance(app.screen, RunScreen)
        assert "run ● running 40/80 (50%) · 20 s left · seen 3 s ago" in screen_text(app)
        await pilot.press("escape")
        await settle(app, pilot)
        assert isinstance(app.screen, RunsScreen)


async def test_every_tab_shows_its_part_of_the_run(tmp_path: Path) -> None:
    make_run(tmp_path, "run")
    app = dashboard(tmp_path, only="run")
    async with app.run_test(size=(160, 50)) as pilot:
        await settle(app, pilot)
        assert "loss/mel" in screen_text(app)
        text = await open_tab(app, pilot, "validation")
        row = next(line for line in text.split("\n") if line.startswith(" mel "))
        assert row.split()[:7] == ["mel", "2", "1", "20", "1", "-50%", "✓"]
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
        assert "save asked · stop asked" in screen_text(app)


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
