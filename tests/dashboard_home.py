"""Runs and a store with all that the pages of the dashboard show."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from codecctl.engine.profile import load_profile, profile_file

from .dashboard_runs import NOW, append, make_run
from .preview_files import write_item
from .small_stores import write_small_store
from .test_directions import em32_wave

CODES = [[[5, 6, 7, 900] * 60, [1, 2, 3, 4] * 60], [[5, 9, 7, 900] * 60, [1, 0, 0, 4] * 60]]


def make_home(home: Path) -> None:
    """Two runs that were made from a profile, with all that pages show, and a store."""
    runs = home / "runs"
    stored = json.dumps(profile_file("paired", load_profile("paired", ("model=tiny",))))
    for name, status, started in (("new", "running", NOW), ("old", "stopped", NOW - 9)):
        run = make_run(runs, name, started=started, status=status)
        (run / "profile.json").write_text(stored, encoding="utf-8")
        (run / "train.log").write_text("step 0: started\n")
        (run / "crash.txt").write_text("Traceback\n")
        for metric in range(30):
            append(run / "metrics.jsonl", {"step": 41, "split": "train", f"x/{metric}": 1.0})
        meta = {"schema": 1, "step": 40, "epoch": 4, "metrics": {"val/mel": 2.0}}
        (run / "checkpoints" / "step-000000040").mkdir()
        (run / "checkpoints" / "step-000000040" / "meta.json").write_text(json.dumps(meta))
        said = {"store": {"path": str((home / "stores" / "small").absolute())}}
        (run / "environment.json").write_text(json.dumps(said))
        items = [{"recording": "Beach.1", "start": 100, "channels": [1, 2]}] * 3
        (run / "validation_items.json").write_text(json.dumps(items))
        for step in (0, 20):
            write_item(run, step, codes=CODES)
            write_item(run, step, item="whole-000", audio=0.05 * em32_wave(90, 0, seconds=0.1))
        for item in range(3):
            row: dict[str, object] = {"step": 40, "item": item, "recording": f"Beach.{item}"}
            row |= {"scene": "Beach", "start_seconds": 1.5 * item, "channels": [3, 8]}
            for metric_name in ("mel", "si_sdr"):
                append(
                    run / "validation.jsonl", {**row, "metric": metric_name, "value": 1.0 + item}
                )
    sound = 0.1 * np.random.default_rng(0).standard_normal((4, 64_000), np.float32)
    write_small_store(home / "stores" / "small", {"Beach.1": sound}, rate=8000)
