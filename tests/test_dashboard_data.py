"""The pages of stores, driven by keys, and the ways between runs and stores."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from textual.pilot import Pilot

from codecctl.dashboard.app import DashboardApp
from codecctl.dashboard.run_screen import TABS, RunScreen
from codecctl.dashboard.runs_screen import RunsScreen
from codecctl.dashboard.store_reading import list_stores
from codecctl.dashboard.store_screen import STORE_TABS, StoreScreen
from codecctl.dashboard.stores_screen import StoresScreen

from .dashboard_runs import make_run, screen_text, settle
from .preview_files import write_item
from .small_stores import write_small_store

pytestmark = pytest.mark.long


RATE = 8000
SIZE = (100, 30)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of two scenes, one with a dead channel, and a damaged one."""
    folder = tmp_path_factory.mktemp("data")
    audio = {}
    for index, scene in enumerate(("Beach", "Park")):
        sound = 0.05 * np.random.default_rng(index).normal(size=(4, 3 * RATE))
        sound[2] *= index  # a dead channel of the beach
        audio[f"{scene}.1"] = sound.astype(np.float32)
    write_small_store(folder / "stores" / "small", audio, rate=RATE)
    (folder / "stores" / "broken").mkdir()
    (folder / "stores" / "broken" / "index.json").write_text("{")
    return folder / "stores"


@pytest.fixture
def runs(tmp_path: Path, stores: Path) -> Iterator[Path]:
    """A run that was started on the store."""
    run = make_run(tmp_path / "runs", "run")
    said = {"store": {"path": str(stores / "small"), "fingerprint": "x"}}
    (run / "environment.json").write_text(json.dumps(said))
    profile = json.loads((run / "profile.json").read_text())
    profile["profile"]["data"] = {"rate": RATE}
    (run / "profile.json").write_text(json.dumps(profile))
    item = {"recording": "Park.1", "start": RATE, "channels": [3, 1]}
    (run / "validation_items.json").write_text(json.dumps([item]))
    write_item(run, 20, channels=2)
    before = {path: path.stat().st_mtime_ns for path in stores.rglob("*")}
    yield tmp_path / "runs"
    assert {path: path.stat().st_mtime_ns for path in stores.rglob("*")} == before


async def press(app: DashboardApp, pilot: Pilot[None], *keys: str) -> str:
    for key in keys:
        await pilot.press(key)
    await settle(app, pilot)
    await app.workers.wait_for_complete()
    await pilot.pause()
    return screen_text(app)


def told(app: DashboardApp) -> str:
    return "\n".join(str(notice.message) for notice in app._notifications)


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_the_list_leads_to_a_store_and_its_tabs(
    runs: Path, stores: Path, size: tuple[int, int]
) -> None:
    app = DashboardApp(runs, stores=stores)
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        text = await press(app, pilot, "d")
        assert isinstance(app.screen, StoresScreen)
        assert text.split("\n")[0] == f" data 2 stores · {stores}"[: size[0]].rstrip()
        rows = [line.split() for line in text.split("\n") if line.startswith(" small ")]
        assert rows[0][:6] == ["small", str(RATE), "int16", "2", "0.002", "4"]
        assert "broken: cannot be read" in text
        text = await press(app, pilot, "down", "enter")
        assert isinstance(app.screen, StoreScreen)
        assert "Beach.1 · 0.00 to 1.00 of 3.00 s · channel 1/4 · 8000 Hz int16 · RMS -26." in text
        assert all(len(line) <= size[0] for line in text.split("\n"))
        assert "← → Time" in text
        assert text.split("\n")[-2].split() == ["0", "1.00", "s"]  # the whole picture is there
        text = await press(app, pilot, "2")
        assert "levels in dBFS; all samples read" in text
        assert "never checked; k checks it now" in await press(app, pilot, "3")
        assert " run " in await press(app, pilot, "4")
        await press(app, pilot, "escape")
        await press(app, pilot, "escape")
        assert isinstance(app.screen, RunsScreen)


async def test_any_second_of_any_channel_is_looked_at(runs: Path, stores: Path) -> None:
    app = DashboardApp(runs, stores=stores)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        app.open_store(stores / "small")
        await press(app, pilot)
        assert "0.50 to 1.50 of 3.00 s" in await press(app, pilot, "right")
        assert "2.00 to 3.00 of 3.00 s" in await press(app, pilot, "end")
        assert "0.00 to 1.00" in await press(app, pilot, "home", "left")
        assert "0.00 to 2.00" in await press(app, pilot, "minus")
        assert "0.00 to 0.50" in await press(app, pilot, "plus", "plus", "plus")
        text = await press(app, pilot, "c", "c")
        assert "channel 3/4" in text
        assert "RMS -inf dB" in text  # the dead one
        assert "channel 2/4" in await press(app, pilot, "C")
        text = await press(app, pilot, "down")
        assert "Park.1 · 0.00 to 0.50" in text
        assert "1.25 to 1.75" in await press(app, pilot, "g", *"1.25", "enter")
        await press(app, pilot, "g", *"x", "enter")
        assert "x: no number of seconds" in told(app)
        assert "2.50 to 3.00" in await press(app, pilot, "g", *"99", "enter")


async def test_a_check_runs_beside_and_keeps_nothing(runs: Path, stores: Path) -> None:
    app = DashboardApp(runs, stores=stores)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        app.open_store(stores / "small")
        await press(app, pilot)
        text = await press(app, pilot, "k")
        assert "checked now, not kept" in text
        assert "dead-channel" in text
        row = next(
            line for line in (await press(app, pilot, "1")).split("\n") if "Beach.1  " in line
        )
        assert "dead-channel" in row
        assert not (stores / "small" / "check.json").exists()


async def test_from_a_run_to_its_store_and_back(runs: Path, stores: Path) -> None:
    app = DashboardApp(runs, only="run", stores=stores)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await press(app, pilot, "d")
        assert isinstance(app.screen, StoreScreen)
        await press(app, pilot, str(STORE_TABS.index("users") + 1), "enter")
        assert isinstance(app.screen, RunScreen)
        text = await press(app, pilot, str(TABS.index("previews") + 1), "c", "o")
        assert isinstance(app.screen, StoreScreen)
        assert "Park.1 · 1.00 to 2.00 of 3.00 s · channel 2/4" in text
        await press(app, pilot, "escape")
        assert "item-000 (1/1) · channel 2/2" in screen_text(app)


async def test_a_store_that_is_gone_or_damaged_is_a_line(runs: Path, stores: Path) -> None:
    (runs / "run" / "environment.json").write_text('{"store": {"path": "/nowhere/else"}}')
    app = DashboardApp(runs, only="run", stores=stores)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await press(app, pilot, "d")
        assert isinstance(app.screen, RunScreen)
        assert "/nowhere/else: the store of run is not on this machine" in told(app)
        (runs / "run" / "environment.json").write_text("{}")
        await press(app, pilot, "d")
        assert "run does not say which store it read" in told(app)
        app.open_store(stores / "broken")
        text = await press(app, pilot)
        assert "index.json" in text.split("\n")[0]
        for key in ("k", "2", "3", "1", "right", "c", "g", "p"):
            await press(app, pilot, key)
        assert "no run below " in await press(app, pilot, "4")
        assert isinstance(app.screen, StoreScreen)


async def test_the_palette_leads_to_data(runs: Path, stores: Path) -> None:
    app = DashboardApp(runs, stores=stores)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await press(app, pilot, "ctrl+p", *"open store of")
        await press(app, pilot, "enter")
        assert isinstance(app.screen, StoreScreen)


async def test_playing_says_why_it_is_silent(
    runs: Path, stores: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    app = DashboardApp(runs, stores=stores)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        app.open_store(stores / "small")
        await press(app, pilot)
        await press(app, pilot, "p")
        assert "not played: needs sounddevice" in told(app)
        assert "codecctl data preview small Beach.1 --at 0 --out FILE.wav" in told(app)


async def test_a_browser_plays_nothing_through_this_machine(
    runs: Path, stores: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DashboardApp, "is_web", True)
    app = DashboardApp(runs, stores=stores)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        app.open_store(stores / "small")
        await press(app, pilot)
        await press(app, pilot, "p")
        assert "not played: a browser cannot hear stores" in told(app)


async def test_a_page_that_is_left_stops_its_work(runs: Path, stores: Path) -> None:
    app = DashboardApp(runs, stores=stores)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        app.open_store(stores / "small")
        await pilot.press("k", "escape")
        await settle(app, pilot)
        assert isinstance(app.screen, RunsScreen)


def test_an_empty_folder_has_no_stores(tmp_path: Path) -> None:
    assert list_stores(tmp_path / "stores", tmp_path / "runs") == []


async def test_without_stores_one_reads_what_to_type(tmp_path: Path) -> None:
    app = DashboardApp(tmp_path / "runs", stores=tmp_path / "stores")
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        text = await press(app, pilot, "d")
        assert "codecctl data ingest FOLDER" in text
        await press(app, pilot, "enter")
        assert isinstance(app.screen, StoresScreen)
