"""Whole screens of runs, their pages, and stores against kept ones, in the terminal's own colors.

UPDATE_SCREENS=1 keeps what is seen instead; look at the difference before it is committed.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from codecctl.dashboard.app import DashboardApp
from codecctl.dashboard.run_screen import TABS
from codecctl.dashboard.store_screen import STORE_TABS
from codecctl.engine.profile import load_profile, profile_file

from .dashboard_runs import NOW, append, make_run, screen_text, settle, train_row
from .preview_files import write_item
from .small_stores import write_small_store

SCREENS = Path(__file__).with_name("screens")
_TIME = re.compile(r"[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d")
SIZES = ((80, 24), (160, 50))
PREVIEWS = str(TABS.index("previews") + 1)
SYSTEM, LOG, EVENTS = (str(TABS.index(name) + 1) for name in ("system", "log", "events"))
WAY = (
    ("system", (SYSTEM,)),
    ("log", (LOG,)),
    ("events", (EVENTS,)),
    ("new-run", ("N", "slash", *"seed", "enter")),
    ("palette", ("escape", "escape", "ctrl+p", *"val mel")),
    ("help", ("escape", "question_mark")),
    ("spectra", ("question_mark", PREVIEWS)),
    ("space", ("v",)),
    ("tokens", ("v", "n")),
    ("queue", ("v",)),
    ("alerts", ("exclamation_mark",)),
    ("stores", ("escape", "escape", "d")),
    ("recordings", ("enter",)),
    *((name, (str(number),)) for number, name in enumerate(STORE_TABS[1:], start=2)),
)
"""Screens one after the other, by the keys that lead from one to the next."""


def make_folders(home: Path) -> None:
    """A run of a pair, and a store."""
    run = make_run(home / "runs", "run")
    options = ("model=tiny", "trainer.seed=7", "trainer.best_metric=val/mel")
    stored = profile_file("paired", load_profile("paired", options))
    (run / "profile.json").write_text(json.dumps(stored), encoding="utf-8")
    store = {"path": str((home / "stores" / "small").absolute())}
    (run / "environment.json").write_text(json.dumps({"store": store}), encoding="utf-8")
    for second in range(1, 9):
        values = {"memory_mb": 500.0 + second**2, "gpu0_load_percent": 90.0 - second}
        append(run / "system.jsonl", {"time": NOW + 5 * second, "step": 5 * second, **values})
    (run / "train.log").write_text("step 0: started: on a test\nstep 20: codebook 2 uses 3 %\n")
    codes = [[[5, 6, 7, 900] * 20, [1, 2, 3, 4] * 20], [[5, 9, 7, 900] * 20, [1, 0, 0, 4] * 20]]
    pulse = np.zeros((2, 4000))
    pulse[:, 200] = 0.5  # the same on both sides: coherent at every frequency
    write_item(run, 20, audio=pulse, codes=codes)
    for item in range(3):
        row = {"step": 40, "item": item, "recording": f"Beach.{item}", "scene": "Beach"}
        place = {"start_seconds": 1.5 * item, "channels": [3, 8]}
        append(run / "validation.jsonl", {**row, **place, "metric": "mel", "value": 1.0 + item})
    audio = {"Beach.1": np.full((4, 8000), 0.5, np.float32)}
    write_small_store(home / "stores" / "small", audio, rate=8000)


@pytest.mark.long
@pytest.mark.parametrize("size", SIZES)
async def test_screens_are_as_kept(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path_factory.mktemp("home"))
    home = Path("h")  # short and always the same: it stands on screens
    make_folders(home)
    app = DashboardApp(home / "runs", only="run", clock=lambda: NOW, stores=home / "stores")
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        append(home / "runs" / "run" / "metrics.jsonl", {**train_row(50, 1.0), "loss/total": "NaN"})
        for name, keys in WAY:
            await pilot.press(*keys)
            await settle(app, pilot)
            await settle(app, pilot)
            compare(f"{name}-{size[0]}x{size[1]}", screen_text(app) + "\n")


def compare(name: str, text: str) -> None:
    """A screen with the one that was kept, times of the day aside."""
    text = _TIME.sub("Jan 01 00:00:00", text)
    kept = SCREENS / f"{name}.txt"
    if os.environ.get("UPDATE_SCREENS"):
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(text, encoding="utf-8")
    assert text == kept.read_text(encoding="utf-8"), name
