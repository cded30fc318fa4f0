"""A training that is steered by the open dashboard: what is asked there happens here."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from codecctl.dashboard.app import DashboardApp
from codecctl.engine.rundir import list_checkpoints, read_rows, read_state, read_tags

from ..dashboard_runs import screen_text, settle
from .training import ENDLESS, start, wait_for_step, write_store

pytestmark = pytest.mark.e2e

PATIENCE_SECONDS = 60.0


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end, screen_text_of(pilot)
        await pilot.pause(0.1)


def screen_text_of(pilot: Pilot[None]) -> str:
    assert isinstance(pilot.app, DashboardApp)
    return screen_text(pilot.app)


async def test_a_training_is_saved_stopped_tagged_and_resumed_from_the_dashboard(
    tmp_path: Path,
) -> None:
    write_store(tmp_path / "stores" / "demo")
    process = start(tmp_path, "train", *ENDLESS, "--run", "night")
    run = tmp_path / "runs" / "night"

    def kinds() -> list[object]:
        return [row["kind"] for row in read_rows(run / "events.jsonl")]

    def status() -> str:
        state = read_state(run)
        return state.status if state is not None else ""

    try:
        wait_for_step(process)
        app = DashboardApp(tmp_path / "runs", only="night")
        async with app.run_test(size=(120, 40)) as pilot:
            await settle(app, pilot)
            before = len(list_checkpoints(run))
            await pilot.press("w", "y")
            await until(pilot, lambda: kinds().count("served") == 1)
            assert len(list_checkpoints(run)) > before
            await pilot.press("X", "y")
            process.communicate(timeout=PATIENCE_SECONDS)
            assert process.returncode == 0
            await settle(app, pilot)
            assert "■ stopped" in screen_text(app)
            await pilot.press("T", *"kept", "enter")
            await settle(app, pilot)
            assert read_tags(run) == ("kept",)
            await pilot.press("R", "y")
            await until(pilot, lambda: "resumed" in kinds() and status() == "running")
            await settle(app, pilot)
            await pilot.press("X", "y")
            await until(pilot, lambda: status() == "stopped")
        assert kinds().count("served") == 3
    finally:
        process.kill()
        process.communicate()
