"""Drawing in slices: the same charts as at once, keys between, and no late overwriting."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
import pytest

from codecctl.dashboard.canvas import Canvas
from codecctl.dashboard.chart_grid import ChartGrid
from codecctl.dashboard.chart_queue import MAX_RUNS_AT_ONCE
from codecctl.dashboard.plot import Curve, View, draw, drawing
from codecctl.dashboard.slices import SLICE_SECONDS, work_on

from .dashboard_runs import NOW, dashboard, make_run, settle

NUM_RUNS = MAX_RUNS_AT_ONCE + 2


async def test_many_runs_are_drawn_in_slices_as_they_would_be_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(NUM_RUNS):
        make_run(tmp_path, f"run-{number}", started=NOW - number, steps=5)
    monkeypatch.setattr("codecctl.dashboard.slices.SLICE_SECONDS", 0.0)
    seen = []

    def watched(steps: Iterator[None]) -> bool:
        is_more = work_on(steps)
        seen.append(len(chart.curves))
        return is_more

    app = dashboard(tmp_path)
    async with app.run_test(size=(84, 26)) as pilot:
        await settle(app, pilot)
        chart = app.screen.query_one(ChartGrid).charts()[0]
        app.shown = {run.name for run in app.snapshot.runs}
        monkeypatch.setattr("codecctl.dashboard.chart_queue.work_on", watched)
        await settle(app, pilot)
        while len(chart.curves) < NUM_RUNS:
            await pilot.pause(0.01)
        assert seen.count(4) >= NUM_RUNS  # what was there stays until all is drawn
        assert set(seen) == {4, NUM_RUNS}
        size = chart.content_size
        again = draw(
            chart.metric, chart.curves, view=chart.view, width=size.width, height=size.height
        )
        assert chart.plain_text() == "\n".join(again.rows())


@pytest.mark.long
async def test_charts_drawn_at_once_are_not_overwritten_by_slices_from_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(NUM_RUNS):
        make_run(tmp_path, f"run-{number}", started=NOW - number, steps=5)
    monkeypatch.setattr("codecctl.dashboard.slices.SLICE_SECONDS", 0.0)
    app = dashboard(tmp_path)
    async with app.run_test(size=(84, 26)) as pilot:
        await settle(app, pilot)
        app.shown = {run.name for run in app.snapshot.runs}
        await settle(app, pilot)
        app.shown = {"run-3"}
        await settle(app, pilot)
        for _ in range(20):
            await pilot.pause(0.01)
            charts = app.screen.query_one(ChartGrid).charts()
            assert {len(chart.curves) for chart in charts} == {1}


def test_steps_give_what_all_at_once_gives() -> None:
    x = np.arange(50.0)
    curves = [Curve(x, np.sin(x / (3 + run)), np.cos(x / (3 + run)), run) for run in range(5)]
    steps = drawing("loss", curves, view=View(), width=60, height=12)
    places = []

    def counted() -> Generator[None, None, Canvas]:
        canvas = yield from steps
        places.append(canvas)
        return canvas

    assert len(list(counted())) >= 2 * len(curves)  # raw values and averages of each
    (canvas,) = places
    whole = draw("loss", curves, view=View(), width=60, height=12)
    assert list(canvas.rows()) == list(whole.rows())
    assert canvas.inks.tolist() == whole.inks.tolist()


def test_a_slice_ends_after_its_time_and_the_work_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(np.arange(0.0, 100.0, SLICE_SECONDS / 3).tolist())
    monkeypatch.setattr("codecctl.dashboard.slices.time.perf_counter", lambda: next(moments))
    done: list[int] = []

    def working() -> Iterator[None]:
        for step in range(7):
            done.append(step)
            yield

    steps = working()
    assert work_on(steps)
    assert len(done) == 3
    assert work_on(steps)
    assert not work_on(steps)
    assert done == list(range(7))
