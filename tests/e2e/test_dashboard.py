"""The dashboard on a run that a test ingested and trained: nothing about it is made up."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from textual.pilot import Pilot

from codecctl.dashboard.app import DashboardApp
from codecctl.dashboard.chart_grid import ChartGrid
from codecctl.dashboard.picture import Picture
from codecctl.dashboard.run_screen import TABS
from codecctl.engine.rundir import read_metrics

from ..dashboard_runs import screen_text, settle
from .training import TINY, run

pytestmark = pytest.mark.e2e

STEPS = 8


def codecctl(home: Path, *arguments: str) -> str:
    code, out, err = run(home, *arguments)
    assert code == 0, err
    return out


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of four scenes and a trained run."""
    home = tmp_path_factory.mktemp("home")
    (home / "wav").mkdir()
    time = np.arange(48_000) / 48_000
    for index, scene in enumerate(("Beach", "Park", "Woodland", "TrainStation")):
        tone = 0.2 * np.sin(2 * np.pi * (300 + 200 * index) * time)[:, None]
        noise = 0.02 * np.random.default_rng(index).normal(size=(48_000, 4))
        soundfile.write(home / "wav" / f"{scene}.1.wav", tone + noise, 48_000, subtype="PCM_24")
    codecctl(home, "data", "ingest", "wav")
    steps = (f"trainer.max_steps={STEPS}", "trainer.val_every_n_steps=4")
    codecctl(home, "train", *TINY, *steps, "--run", "trained")
    return home


@asynccontextmanager
async def opened(
    folder: Path, *, only: str = ""
) -> AsyncIterator[tuple[DashboardApp, Pilot[None]]]:
    app = DashboardApp(folder, only=only)
    async with app.run_test(size=(160, 50)) as pilot:
        await settle(app, pilot)
        yield app, pilot


async def test_the_list_shows_where_the_run_stands_and_draws_its_scalars(home: Path) -> None:
    rows = read_metrics(home / "runs" / "trained", "val")
    async with opened(home / "runs") as (app, _):
        text = screen_text(app)
        assert "1 run · 0 running" in text
        assert text.split("\n")[2].split()[2:5] == ["✓", "finished", f"{STEPS}/{STEPS}"]
        grid = app.screen.query_one(ChartGrid)
        chart = grid.charts()[0]
        assert chart.metric == "val/mel"
        assert chart.curves[0].values.tolist() == pytest.approx([row["val/mel"] for row in rows])
        assert {"loss/mel", "loss/similarity", "loss/diversity"} <= set(grid.metrics())


async def test_every_tab_holds_what_the_training_wrote(home: Path) -> None:
    async with opened(home / "runs", only="trained") as (app, pilot):
        seen = {}
        for number, name in enumerate(TABS, start=1):
            await pilot.press(str(number))
            await settle(app, pilot)
            seen[name] = screen_text(app)
        assert "loss/mel" in seen["curves"]
        assert " si_sdr " in seen["validation"]
        assert "Woodland" in seen["validation"]
        assert f"step-{STEPS:09d}" in seen["checkpoints"]
        assert "best" in seen["checkpoints"]
        for event in ("started", "validation", "checkpoint", "preview", "finished"):
            assert event in seen["events"]
        row = next(line for line in seen["profile"].split("\n") if " data.batch_size " in line)
        assert row.split()[1] == "2"
        assert row.split()[2:] == ["command", "line"]
        assert "memory_mb" in seen["system"]


async def test_previews_of_the_run_are_pictures_of_both_capsules(home: Path) -> None:
    async with opened(home / "runs", only="trained") as (app, pilot):
        await pilot.press(str(TABS.index("previews") + 1))
        await settle(app, pilot)
        text = screen_text(app)
        assert f"step {STEPS} (" in text
        assert "channel 1/2 · 24000 Hz" in text
        for name in ("#reference", "#reconstruction"):
            assert app.screen.query_one(name, Picture).size.height > 20
        assert text.count("0.20 s") == 3  # and the difference
        await pilot.press("c")
        await settle(app, pilot)
        assert "channel 2/2" in screen_text(app)


async def test_tokens_queue_and_store_are_those_of_the_training(home: Path) -> None:
    async with opened(home / "runs", only="trained") as (app, pilot):
        await pilot.press(str(TABS.index("previews") + 1))
        await settle(app, pilot)
        await pilot.press("v", "v")
        await settle(app, pilot)
        assert "codebook 2: capsules 1 and 2 agree in" in screen_text(app)
        await pilot.press("v")
        await settle(app, pilot)
        rows = [row for row in screen_text(app).split("\n") if ".1 " in row]
        assert any("preview" in row for row in rows)
        await pilot.press("o")
        await settle(app, pilot)
        await settle(app, pilot)
        text = screen_text(app)
        assert "4 recordings" in text
        assert " of 1.00 s · channel " in text


async def test_a_copy_that_is_deleted_while_open_is_reported(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "runs" / "trained", tmp_path / "copy")
    async with opened(tmp_path, only="copy") as (app, pilot):
        assert "finished" in screen_text(app)
        shutil.rmtree(tmp_path / "copy")
        await settle(app, pilot)
        assert "was deleted" in screen_text(app)


def test_the_text_snapshot_names_the_run_and_its_distance(home: Path) -> None:
    text = codecctl(home, "dashboard", "--once", "--width", "100", "--height", "40")
    assert "trained" in text
    assert "val/mel" in text
    assert "\x1b" not in text
