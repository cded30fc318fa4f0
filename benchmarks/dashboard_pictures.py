"""Pictures of every page of the dashboard, taken beside a real training: those of docs/pictures.

    .venv/bin/python -m benchmarks.dashboard_pictures [--into docs/pictures] [--home FOLDER]
        [--only previews-]

Renders a corpus, trains three small runs to their end and a fourth one beside the dashboard, and
walks the pages. With --home the corpus and the runs are kept there and not made again. Host and
folders of the machine are not to be seen: a page that shows one of them is an error.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import socket
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from textual.pilot import Pilot

from benchmarks.pictured_runs import (
    EXACT,
    FIRST,
    HOST,
    LIVE,
    STAGED,
    machine_words,
    make_runs,
    training,
)
from codecctl.dashboard.app import DashboardApp
from codecctl.dashboard.cells import screen_cells
from codecctl.dashboard.run_screen import TABS
from codecctl.dashboard.screen_png import screen_png
from tests.dashboard_runs import settle

SIZE = (120, 36)
_SETTLED_SECONDS = 0.5
_PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Page:
    """One picture, and how one comes there."""

    name: str
    """Of the file."""
    keys: tuple[str, ...] = ()
    run: str | None = None
    """The page of a run, "" for the list of runs; None stays where the page before was."""
    told: bool = False
    """Something was told by then."""


def _tab(name: str) -> str:
    return str(TABS.index(name) + 1)


_WHOLE = ("I", "I")
"""From the first item to that of all 32 capsules."""
WALK = (
    Page(
        "runs",
        ("ctrl+end", "b", "ctrl+home", "down", "down", "space", "down", "space", "ctrl+home"),
        run="",
    ),
    Page("runs-choice", ("F", *"profile:paired val/mel<1"), run=""),
    Page("run-curves", run=LIVE),
    Page("run-crosshair", ("shift+left",)),
    Page("run-one-chart", ("f",)),
    Page("run-system", (_tab("system"),), run=LIVE),
    Page("run-log", (_tab("log"),)),
    Page("run-validation", (_tab("validation"),), run=FIRST),
    Page("run-checkpoints", (_tab("checkpoints"),)),
    Page("run-events", (_tab("events"),)),
    Page("run-profile", (_tab("profile"),)),
    Page("run-codes", (_tab("codes"),)),
    Page("previews-spectra", (_tab("previews"),)),
    Page("previews-tokens", ("v", "v", "n")),
    Page("previews-queue", ("v",)),
    Page("previews-pair", ("v", "v")),
    Page("previews-space", _WHOLE),
    Page("run-stages", run=STAGED),
    Page("run-codes-lossless", (_tab("codes"),), run=EXACT),
    Page("compare-metrics", ("ctrl+home", "m", "down", "m", "c"), run=""),
    Page("compare-settings", ("2",)),
    Page("compare-weights", ("3",)),
    Page("compare-curves", ("4",)),
    Page("stores", ("d",), run=""),
    Page("store-recordings", ("enter", "right")),
    Page("store-levels", ("2",)),
    Page("store-problems", ("3",)),
    Page("store-users", ("4",)),
    Page("new-run", ("N",), run=FIRST),
    Page("tags", ("T",), run=LIVE),
    Page("help", ("question_mark",), run=FIRST),
    Page("palette", ("ctrl+p", *"metric sdr"), run=FIRST),
    Page("question", ("X",), run=LIVE),
    Page("notices", ("y",), told=True),
    Page("alerts", ("exclamation_mark",), run="", told=True),
)


def main() -> None:
    """Write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=Path("docs/pictures"))
    parser.add_argument("--home", type=Path, help="keeps the corpus and the runs")
    parser.add_argument("--only", default="", help="pictures whose names begin with this")
    given = parser.parse_args()
    into = given.into.absolute()
    into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        home = (given.home or Path(folder)).absolute()
        home.mkdir(parents=True, exist_ok=True)
        make_runs(home)
        secret = machine_words(home)
        socket.gethostname = lambda: HOST
        os.chdir(home)
        with training(home):
            asyncio.run(walk(into, only=given.only, secret=secret))


async def walk(into: Path, *, only: str, secret: Sequence[str]) -> None:
    """Go through pages and write those that are wanted."""
    app = DashboardApp(Path("runs"), stores=Path("stores"))
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await settle(app, pilot)
        for page in wanted_pages(only):
            await visit(app, pilot, page)
            if not page.name.startswith(only):
                continue
            path = into / f"{page.name}.png"
            path.write_bytes(picture(app, page.name, secret))
            print(f"{path.name}: {path.stat().st_size} bytes", flush=True)


def wanted_pages(only: str) -> list[Page]:
    """The ways to walk, each from a run or the list on; the first one pins what is compared."""
    ways: list[list[Page]] = []
    for page in WALK:
        if page.run is not None:
            ways.append([])
        ways[-1].append(page)
    wanted = (any(page.name.startswith(only) for page in way) for way in ways)
    kept = [way for way, is_wanted in zip(ways, wanted, strict=True) if is_wanted]
    return [page for way in ([] if ways[0] in kept else ways[:1]) + kept for page in way]


async def visit(app: DashboardApp, pilot: Pilot[None], page: Page) -> None:
    """Go from the page before to a page, and wait until everything is on it."""
    if page.run is not None:
        while len(app.screen_stack) > 1:
            app.pop_screen()
        app.clear_notifications()
        await pilot.press("escape", "escape")
        await settle(app, pilot)
        if page.run:
            app.open_run(page.run)
        await settle(app, pilot)
    for key in page.keys:
        await pilot.press(key)
        await settle(app, pilot)
    if not page.told:
        app.clear_notifications()
    until = time.monotonic() + _PATIENCE_SECONDS
    while page.told and not app.told and time.monotonic() < until:
        await pilot.pause(_SETTLED_SECONDS)
    await pilot.pause(_SETTLED_SECONDS)
    if not page.told:  # meanwhile
        app.clear_notifications()
    await settle(app, pilot)


def picture(app: DashboardApp, name: str, secret: Sequence[str]) -> bytes:
    """What one sees as PNG.

    Raises:
        RuntimeError: It shows a word that it may not.
    """
    rows = screen_cells(app)
    text = "\n".join("".join(cell.text for cell in row) for row in rows)
    for word in secret:
        if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text):
            raise RuntimeError(f"{name}: shows {word}")
    return screen_png(rows)


if __name__ == "__main__":
    main()
