"""What the dashboard costs: loading, first curves, keys, drawing, idling, memory.

    python benchmarks/dashboard.py [--rows 200000] [--runs 50] [--long 1000000] [--only NAME]

Every figure is measured in a process of its own on files that are made first, as a training
writes them: 8 scalars a row. Side by side, the same file is read as columns and an object for each
line. On a machine that does other things, compare `cpu_s` and `core_percent`, not the wall clock.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from codecctl.engine.rows import JsonlTail, encode_row

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.screen import Screen

    from codecctl.dashboard.app import DashboardApp
    from codecctl.dashboard.runs_table import RunsTable

NUM_METRICS = 8
ROWS_OF_A_RUN = 20_000
NUM_UPDATES, UPDATES_PER_SECOND = 40, 4
SIZE = (160, 50)
IDLE_SECONDS, SETTLE_SECONDS = 60.0, 10.0


def write_run(
    folder: Path, name: str, *, rows: int, started: float, status: str = "running"
) -> None:
    """A run that is training, or was, with `rows` logged steps."""
    run = folder / name
    run.mkdir(parents=True)
    (run / "profile.json").write_text(
        '{"schema": 1, "name": "paired", "profile": {"mode": "paired"}}'
    )
    state = {"schema": 1, "status": status, "heartbeat": time.time() + 600, "started": started}
    (run / "state.json").write_text(json.dumps(state | {"step": rows, "max_steps": 2 * rows}))
    chance = np.random.default_rng(0)
    with (run / "metrics.jsonl").open("wb") as file:
        for first in range(0, rows, 10_000):
            file.write(
                b"".join(
                    _row(first + i, values)
                    for i, values in enumerate(
                        chance.random((min(10_000, rows - first), NUM_METRICS)).tolist()
                    )
                )
            )


def _row(step: int, values: list[float]) -> bytes:
    row = {"schema": 1, "step": step, "epoch": 1 + step // 1000, "split": "train"}
    row |= {"seconds": step * 0.5, "audio_seconds": step * 8.0}
    decay = math.exp(-step / 50_000)
    return encode_row(
        row | {f"loss/term{i}": decay + 0.1 * value for i, value in enumerate(values)}
    )


def load_by_columns(folder: Path) -> dict[str, float]:
    """Read one run as the dashboard does."""
    from codecctl.dashboard.snapshot import read_everything

    (run,) = read_everything(folder).runs
    return {"rows": run.train.num_rows}


def load_by_objects(folder: Path) -> dict[str, float]:
    """Read one run an object for each line."""
    from codecctl.dashboard.table import Table

    table = Table()
    tail = JsonlTail(folder / "long" / "metrics.jsonl")
    while rows := tail.read():
        table = table.add(rows)
    return {"rows": table.num_rows}


def watch(folder: Path) -> dict[str, float]:
    """Open all runs; time to the first screen and curves, keys while loading, the end of it."""
    return asyncio.run(_watch(folder))


async def _watch(folder: Path) -> dict[str, float]:
    begin = time.perf_counter()
    from codecctl.dashboard.app import DashboardApp
    from codecctl.dashboard.chart import LineChart
    from codecctl.dashboard.runs_table import RunsTable

    app = DashboardApp(folder)
    found: dict[str, float] = {}
    keys: list[float] = []
    paints: list[float] = []
    display = app._display

    def painted(screen: Screen[None], renderable: RenderableType | None) -> None:
        display(screen, renderable)
        paints.append(time.perf_counter())

    app._display = painted  # type: ignore[method-assign, assignment]  # when the screen changes
    async with app.run_test(size=SIZE) as pilot:
        found["first_screen_s"] = time.perf_counter() - begin
        while not any(chart.curves for chart in app.screen.query(LineChart)):
            await pilot.pause()
        found["first_curves_s"] = time.perf_counter() - begin
        app.shown = {run.name for run in app.snapshot.runs}
        table = app.screen.query_one(RunsTable)
        known = -1
        while not _is_loaded(app) or _num_rows(app) != known:
            known = _num_rows(app)
            keys.append(await _key_seconds(app, table, paints))
            await asyncio.sleep(0.3)
        found["rows"] = known
        found["all_s"] = time.perf_counter() - begin
        found["torch"] = float("torch" in sys.modules)
    ordered = sorted(keys)
    found |= {"keys": len(keys), "key_median_ms": 1e3 * ordered[len(keys) // 2]}
    return found | {
        "key_p95_ms": 1e3 * ordered[int(0.95 * len(keys))],
        "key_max_ms": 1e3 * ordered[-1],
    }


async def _key_seconds(app: DashboardApp, table: RunsTable, paints: list[float]) -> float:
    """From a key to the screen with the cursor on another row."""
    row = table.cursor_row
    key = "down" if row == 0 else "up"
    begin = time.perf_counter()
    app.simulate_key(key)
    while table.cursor_row == row:
        await asyncio.sleep(0)
    num_paints = len(paints)
    while len(paints) == num_paints:
        await asyncio.sleep(0)
    return time.perf_counter() - begin


def _is_loaded(app: DashboardApp) -> bool:
    runs = app.snapshot.runs
    return app.snapshot.complete and all(run.train.num_rows for run in runs)


def _num_rows(app: DashboardApp) -> int:
    return sum(run.train.num_rows for run in app.snapshot.runs)


def draw(folder: Path) -> dict[str, float]:
    """Share of a core of eight charts that get new rows four times a second.

    `fresh_percent` of them show a row by the time the next one comes; a busy machine skips some.
    """
    return asyncio.run(_draw(folder))


async def _draw(folder: Path) -> dict[str, float]:
    from codecctl.dashboard.app import DashboardApp
    from codecctl.dashboard.chart import LineChart

    app = DashboardApp(folder)
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.pause()
        while app.is_reading or not app.snapshot.complete or not _num_rows(app):
            await asyncio.sleep(0.05)
        step = _num_rows(app)
        news = np.random.default_rng(1).random((NUM_UPDATES, NUM_METRICS)).tolist()
        path = folder / "long" / "metrics.jsonl"
        charts = [chart for chart in app.screen.query(LineChart) if chart.display]
        num_fresh = 0
        cpu, begin = time.process_time(), time.perf_counter()
        for tick, values in enumerate(news, start=1):
            with path.open("ab") as file:
                file.write(_row(step + tick, values))
            app.poll()
            await asyncio.sleep(max(0.0, begin + tick / UPDATES_PER_SECOND - time.perf_counter()))
            num_fresh += sum(chart.curves[0].x[-1] == step + tick for chart in charts)
        share = (time.process_time() - cpu) / NUM_UPDATES * UPDATES_PER_SECOND
    fresh = num_fresh / len(charts) / NUM_UPDATES
    found = {"charts": len(charts), "core_percent": 100 * share, "fresh_percent": 100 * fresh}
    return found | {"rows": step}


def idle(folder: Path) -> dict[str, float]:
    """Share of a core while nothing happens: the four newest runs drawn, then all of them."""
    return asyncio.run(_idle(folder))


async def _idle(folder: Path) -> dict[str, float]:
    from codecctl.dashboard.app import DashboardApp

    app = DashboardApp(folder)
    found: dict[str, float] = {}
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        for name in ("four_percent", "all_percent"):
            known = -1
            while not app.snapshot.complete or _num_rows(app) != known:
                known = _num_rows(app)
                await asyncio.sleep(SETTLE_SECONDS)
            cpu, begin = time.process_time(), time.perf_counter()
            await asyncio.sleep(IDLE_SECONDS)
            share = (time.process_time() - cpu) / (time.perf_counter() - begin)
            found |= {f"{name}_of_a_core": 100 * share, f"{name}_rows": known}
            app.shown = {run.name for run in app.snapshot.runs}
    return found


PARTS: dict[str, Callable[[Path], dict[str, float]]] = {
    "load_by_columns": load_by_columns,
    "load_by_objects": load_by_objects,
    "watch": watch,
    "draw": draw,
    "idle": idle,
}


def measure(part: str, folder: Path) -> dict[str, float]:
    """Run one part in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--part", part, "--folder", str(folder)],
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--long", type=int, default=1_000_000)
    parser.add_argument("--only", choices=PARTS, default="")
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.part:
        begin, cpu = time.perf_counter(), time.process_time()
        found = PARTS[options.part](options.folder)
        found |= {"wall_s": time.perf_counter() - begin, "cpu_s": time.process_time() - cpu}
        found["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        beside = resource.getrusage(resource.RUSAGE_CHILDREN)
        found["cpu_beside_s"] = beside.ru_utime + beside.ru_stime
        found["memory_beside_mb"] = beside.ru_maxrss / 1024
        print(json.dumps({name: round(value, 3) for name, value in found.items()}))
        return
    with tempfile.TemporaryDirectory() as name:
        one, many, done = (Path(name) / each for each in ("one", "many", "done"))
        folders = {"load_by_objects": one, "load_by_columns": one, "draw": one}
        folders |= {"watch": many, "idle": done}
        for part, folder in folders.items():
            if options.only in ("", part):
                _write(folder, options)
                print(part, measure(part, folder), flush=True)


def _write(folder: Path, options: argparse.Namespace) -> None:
    """The runs of a folder, if they are not there yet."""
    if folder.is_dir():
        return
    if folder.name != "done":
        rows = options.rows if folder.name == "one" else options.long
        write_run(folder, "long", rows=rows, started=time.time())
    for number in range(0 if folder.name == "one" else options.runs):
        status = "finished" if folder.name == "done" else "running"
        begun = time.time() - 1 - number
        write_run(folder, f"run-{number:02d}", rows=ROWS_OF_A_RUN, started=begun, status=status)


if __name__ == "__main__":
    main()
