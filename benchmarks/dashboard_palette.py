"""How long the palette takes to open and to answer a letter, with 200 runs of 2000 metrics each.

    python benchmarks/dashboard_palette.py [--runs 200] [--metrics 2000] [--text "sort metric-19"]

From the key to the painted result, in wall time and in CPU time of the process. On a machine that
does other things, compare the CPU time. The same with one run of ten metrics is what Textual takes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from textual import events
from textual.command import CommandList, CommandPalette
from textual.widgets import Input

from codecctl.engine.rows import encode_row

if TYPE_CHECKING:
    from codecctl.dashboard.app import DashboardApp

SIZE = (160, 50)
PAUSE_SECONDS = 0.4
_NAMES = {" ": "space", "-": "minus", "/": "slash"}


def write_run(folder: Path, name: str, *, metrics: int, started: float) -> None:
    """A finished run whose last row has many scalars."""
    run = folder / name
    run.mkdir(parents=True)
    (run / "profile.json").write_text(
        '{"schema": 1, "name": "paired", "profile": {"mode": "paired"}}'
    )
    state = {"schema": 1, "status": "finished", "heartbeat": started, "started": started}
    (run / "state.json").write_text(json.dumps(state | {"step": 50, "max_steps": 50}))
    scalars = {f"val/group{i // 50}/metric-{i}": float(i) for i in range(metrics)}
    scalars["loss/total"] = 1.0
    rows = [{"schema": 1, "step": step, "split": "train", **scalars} for step in (0, 50)]
    (run / "metrics.jsonl").write_bytes(b"".join(map(encode_row, rows)))


async def measure(folder: Path, text: str) -> list[tuple[str, float, float]]:
    """Key, wall and CPU milliseconds, for opening twice and for each letter."""
    from codecctl.dashboard.app import DashboardApp

    app = DashboardApp(folder)
    found = []
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        while app.is_reading or not app.snapshot.complete:
            await asyncio.sleep(0.1)
        found.append(await _key(app, "ctrl+p", ""))
        await pilot.press("escape")
        await asyncio.sleep(2)  # profiles are listed beside, for the first time
        found.append(await _key(app, "ctrl+p", ""))
        found += [await _key(app, text[end - 1], text[:end]) for end in range(1, len(text) + 1)]
    return found


async def _key(app: DashboardApp, key: str, text: str) -> tuple[str, float, float]:
    """Press a key and wait until what it finds is on the screen."""
    cpu, begin = time.process_time(), time.perf_counter()
    app.post_message(events.Key(_NAMES.get(key, key), key if len(key) == 1 else None))
    while not _has_answered(app, text):
        await asyncio.sleep(0.001)
    painted = asyncio.Event()
    app.call_after_refresh(painted.set)
    await painted.wait()
    wall, spent = time.perf_counter() - begin, time.process_time() - cpu
    await asyncio.sleep(PAUSE_SECONDS)
    return key, 1e3 * wall, 1e3 * spent


def _has_answered(app: DashboardApp, text: str) -> bool:
    palette = app.screen
    if not isinstance(palette, CommandPalette) or not palette.query(CommandList):
        return False
    searching = any(
        worker.group == palette._GATHER_COMMANDS_GROUP and not worker.is_finished
        for worker in app.workers
    )
    listed = palette.query_one(CommandList).option_count
    return palette.query_one(Input).value == text and not searching and listed > 0


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--metrics", type=int, default=2000)
    parser.add_argument("--text", default="sort metric-19")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        for number in range(options.runs):
            write_run(
                Path(name), f"run-{number:03d}", metrics=options.metrics, started=1e9 - number
            )
        found = asyncio.run(measure(Path(name), options.text))
    for key, wall, spent in found:
        print(f"{key:8} {wall:7.1f} ms {spent:7.1f} ms of CPU")
    letters = found[2:]
    wall, spent = (statistics.median(each[part] for each in letters) for part in (1, 2))
    print(f"median of letters {wall:.1f} ms, {spent:.1f} ms of CPU")


if __name__ == "__main__":
    main()
