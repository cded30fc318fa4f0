"""Run folders in the documented format for tests of the dashboard, and what a user sees of them."""

from __future__ import annotations

import json
import math
from pathlib import Path

from textual.pilot import Pilot

from codecctl.dashboard.app import DashboardApp

NOW = 1_800_000_000.0


def append(path: Path, *rows: dict[str, object]) -> None:
    """Add rows to a file of a run."""
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(json.dumps({"schema": 1, **row}) + "\n" for row in rows))


def train_row(step: int, loss: object) -> dict[str, object]:
    """A row of training."""
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
    """A run with every file but previews; `state` replaces values of state.json."""
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


def dashboard(folder: Path, *, only: str = "") -> DashboardApp:
    """The application on a folder of runs, at `NOW`."""
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
