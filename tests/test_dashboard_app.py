"""The application on run folders in the documented format, driven by keys."""

from __future__ import annotations

import json
from pathlib import Path
from types import FunctionType

import pytest
from textual.widgets import HelpPanel, Input

from codecctl.dashboard.app import DashboardApp
from codecctl.dashboard.axis import XAxis
from codecctl.dashboard.chart import LineChart
from codecctl.dashboard.chart_grid import ChartGrid
from codecctl.dashboard.pages import Pages
from codecctl.dashboard.run_screen import TABS, RunScreen
from codecctl.dashboard.runs_screen import RunsScreen
from codecctl.dashboard.runs_table import RunsTable

from .dashboard_runs import NOW, append, dashboard, make_run, screen_text, settle, train_row

pytestmark = pytest.mark.long


SIZE = (84, 26)


async def test_an_empty_folder_says_what_to_type(tmp_path: Path) -> None:
    app = dashboard(tmp_path / "runs")
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        text = screen_text(app)
        assert "0 runs" in text
        assert "codecctl train --profile paired" in text
        make_run(tmp_path / "runs", "first")
        await settle(app, pilot)
        text = screen_text(app)
        assert "codecctl train" not in text
        assert "● running" in text


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_the_first_screen_fits_every_size(tmp_path: Path, size: tuple[int, int]) -> None:
    make_run(tmp_path, "paired-20261120-140210")
    make_run(
        tmp_path, "paired-20261119-231544", started=NOW - 9, status="finished", heartbeat=NOW - 7200
    )
    app = dashboard(tmp_path)
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        lines = screen_text(app).split("\n")
        assert "2 runs · 1 running" in lines[0]
        assert lines[2].split()[:7] == [
            "B", "paired-20261120-140210", "●", "running", "40/80", "3", "s"
        ]  # fmt: skip
        assert lines[2].split()[7:9] == ["1.000", "2.000"]  # val/mel and loss
        assert lines[3].split()[1:4] == ["paired-20261119-231544", "✓", "finished"]
        charts = app.screen.query_one(ChartGrid).charts()
        assert charts[0].metric == "val/mel"
        assert any("B 1 A 1" in line for line in lines)
        assert all(len(line) <= size[0] for line in lines)
        assert "? Help" in lines[-1]
        assert "q Quit" in lines[-1]


async def test_a_run_that_trains_grows_on_the_screen(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        chart = next(c for c in app.screen.query(LineChart) if c.metric == "loss/mel")
        assert chart.curves[0].values.size == 40
        half = json.dumps(train_row(40, 0.25))
        with (run / "metrics.jsonl").open("a") as file:
            file.write(half[:30])
        await settle(app, pilot)
        assert chart.curves[0].values.size == 40
        with (run / "metrics.jsonl").open("a") as file:
            file.write(half[30:] + "\n")
        await settle(app, pilot)
        assert chart.curves[0].values[-1] == 0.25


async def test_a_diverged_run_is_marked_in_table_and_chart(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    append(
        run / "metrics.jsonl", train_row(40, "NaN"), {**train_row(41, "NaN"), "loss/total": "NaN"}
    )
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        assert "NaN" in screen_text(app).split("\n")[2]
        chart = next(c for c in app.screen.query(LineChart) if c.metric == "loss/mel")
        assert "×" in chart.plain_text()


async def test_space_draws_and_hides_the_run_under_the_cursor(tmp_path: Path) -> None:
    make_run(tmp_path, "b")
    make_run(tmp_path, "a", started=NOW - 5)
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await pilot.press("down", "space")
        await settle(app, pilot)
        assert app.shown == {"b"}
        assert len(app.screen.query(LineChart).first().curves) == 1
        await pilot.press("space")
        await settle(app, pilot)
        assert len(app.screen.query(LineChart).first().curves) == 2


async def test_a_run_that_begins_later_is_drawn_by_itself(tmp_path: Path) -> None:
    make_run(tmp_path, "a")
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        make_run(tmp_path, "b", started=NOW + 5)
        await settle(app, pilot)
        assert app.shown == {"a", "b"}
        assert app.screen.query_one(RunsTable).row_count == 2


async def test_the_filter_narrows_the_charts_and_escape_brings_them_back(tmp_path: Path) -> None:
    make_run(tmp_path, "run")
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        grid = app.screen.query_one(ChartGrid)
        everything = grid.metrics()
        await pilot.press("slash", *"^val")
        await pilot.pause()
        assert app.screen.query_one("#filter", Input).value == "^val"
        assert grid.metrics() == ["val/mel", "val/si_sdr"]
        assert [chart.metric for chart in grid.charts()] == grid.metrics()
        await pilot.press("enter", "escape")
        await pilot.pause()
        assert grid.metrics() == everything


async def test_keys_change_how_all_charts_are_looked_at(tmp_path: Path) -> None:
    make_run(tmp_path, "run")
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        grid = app.screen.query_one(ChartGrid)
        assert grid.view_state.smoothing == 0.6
        await pilot.press("s", "x", "o", "plus")
        assert grid.view_state.smoothing == 0.9
        assert grid.view_state.axis is XAxis.EPOCH
        assert grid.view_state.without_outliers
        assert grid.view_state.window is not None
        await pilot.press("0")
        assert grid.view_state.window is None
        await pilot.press("l")
        await pilot.pause()
        assert {chart.log_scale for chart in grid.charts()} == {True}
        await pilot.press("f")
        await pilot.pause()
        assert [chart.metric for chart in grid.charts()] == ["val/mel"]
        await pilot.press("escape")
        await pilot.pause()
        assert len(grid.charts()) > 1


async def test_the_crosshair_of_one_chart_moves_in_all(tmp_path: Path) -> None:
    make_run(tmp_path, "run")
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        grid = app.screen.query_one(ChartGrid)
        grid.charts()[0].focus()
        await pilot.press("left", "shift+left")
        await pilot.pause()
        cursors = {chart.view.cursor for chart in grid.charts()}
        assert len(cursors) == 1
        assert None not in cursors
        assert all("@" in chart.plain_text().split("\n")[0] for chart in grid.charts())


async def test_pages_hold_the_charts_that_do_not_fit(tmp_path: Path) -> None:
    make_run(tmp_path, "run")
    app = dashboard(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(app, pilot)
        grid = app.screen.query_one(ChartGrid)
        seen = [chart.metric for chart in grid.charts()]
        await pilot.press("right_square_bracket")
        await pilot.pause()
        seen += [chart.metric for chart in grid.charts()]
        assert seen == grid.metrics()
        assert "page 2/2" in screen_text(app)


async def test_help_lists_the_keys_and_goes_away(tmp_path: Path) -> None:
    make_run(tmp_path, "run")
    app = dashboard(tmp_path)
    async with app.run_test(size=(160, 60)) as pilot:
        await settle(app, pilot)
        await pilot.press("question_mark")
        await pilot.pause()
        text = screen_text(app)
        assert "Smooth" in text
        assert "Zoom in" in text
        await pilot.press("question_mark")
        await pilot.pause()
        assert not app.screen.query(HelpPanel)


async def test_the_palette_finds_runs_and_metrics(tmp_path: Path) -> None:
    make_run(tmp_path, "run")
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        await pilot.press("ctrl+p", *"metric si")
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "Metric val/si_sdr" in screen_text(app)


def test_every_key_has_an_id_so_that_it_can_be_remapped() -> None:
    for bindings in (DashboardApp.BINDINGS, RunsScreen.BINDINGS, RunScreen.BINDINGS):
        ids = [binding.id for binding in bindings if not isinstance(binding, tuple)]
        assert None not in ids
        assert len(ids) == len(set(ids))


async def test_two_thousand_metrics_stay_on_pages_and_are_found_by_filter(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    scalars: dict[str, object] = {f"loss/term{number:04d}": 1.0 for number in range(2000)}
    append(run / "metrics.jsonl", {**train_row(40, 0.1), **scalars})
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        grid = app.screen.query_one(ChartGrid)
        assert len(grid.metrics()) > 2000
        assert len(grid.charts()) <= 8  # a chart out of sight does not exist
        await pilot.press("slash", *"1999")
        await pilot.pause()
        assert [chart.metric for chart in grid.charts()] == ["loss/term1999"]
        await pilot.press("escape", "ctrl+p", *"metric term1234")
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        assert "Metric loss/term1234" in screen_text(app)


async def test_folders_that_are_no_runs_and_damaged_ones_leave_the_others_alone(
    tmp_path: Path,
) -> None:
    make_run(tmp_path, "whole")
    (tmp_path / "notes").mkdir()
    (tmp_path / "file.txt").write_text("no run")
    damaged = make_run(tmp_path, "damaged", started=NOW - 5)
    for name in ("state.json", "profile.json", "metrics.jsonl", "validation.jsonl"):
        (damaged / name).write_bytes(b"\x00\xff{[")
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        text = screen_text(app)
        assert "2 runs · 1 running" in text
        assert "✗ failed" in text
        await pilot.press("down", "enter")
        await settle(app, pilot)
        for number in range(1, len(TABS) + 1):
            await pilot.press(str(number))
            await settle(app, pilot)
        assert isinstance(app.screen, RunScreen)
        assert app.screen.run_name == "damaged"


def listed(app: DashboardApp) -> list[str]:
    table = app.screen.query_one(RunsTable)
    return [str(table.get_row_at(row)[1]).strip() for row in range(table.row_count)]


async def test_a_filter_lists_and_draws_the_runs_that_it_describes(tmp_path: Path) -> None:
    make_run(tmp_path, "new")
    make_run(tmp_path, "old", started=NOW - 9, status="finished")
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        assert listed(app) == ["new", "old"]
        await pilot.press("F", *"status:finished")
        await settle(app, pilot)
        assert listed(app) == ["old"]
        assert "only status:finished" in screen_text(app)
        assert len(app.screen.query(LineChart).first().curves) == 1
        await pilot.press(*" step<1")
        await settle(app, pilot)
        assert "no run matches the filter" in screen_text(app)
        await pilot.press("escape")
        await settle(app, pilot)
        assert listed(app) == ["new", "old"]


async def test_runs_are_sorted_by_key_and_by_any_metric_of_the_palette(tmp_path: Path) -> None:
    make_run(tmp_path, "worse")
    better = make_run(tmp_path, "better", started=NOW - 9)
    append(better / "metrics.jsonl", {"step": 39, "split": "val", "val/mel": 0.5})
    app = dashboard(tmp_path)
    async with app.run_test(size=SIZE) as pilot:
        await settle(app, pilot)
        assert listed(app) == ["worse", "better"]
        await pilot.press("t")
        await settle(app, pilot)
        assert listed(app) == ["better", "worse"]
        assert "by val/mel" in screen_text(app)
        await pilot.press("ctrl+p", *"sort runs by val/si_sdr")
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.press("enter")
        await settle(app, pilot)
        assert listed(app) == ["worse", "better"]  # the other one has no val/si_sdr any more
        assert app.choice.sort_by == "val/si_sdr"


async def test_a_pinned_run_is_on_top_drawn_last_and_compared_with(tmp_path: Path) -> None:
    make_run(tmp_path, "new")
    old = make_run(tmp_path, "old", started=NOW - 9)
    append(old / "metrics.jsonl", {"step": 39, "split": "val", "val/mel": 2.0})
    app = dashboard(tmp_path)
    async with app.run_test(size=(130, 40)) as pilot:
        await settle(app, pilot)
        await pilot.press("down", "b")
        await settle(app, pilot)
        assert listed(app) == ["old", "new"]
        assert "-50% ✓" in screen_text(app).split("\n")[3]
        curves = app.screen.query(LineChart).first().curves
        assert curves[-1].values[-1] == 2.0
        await pilot.press("space")  # hiding it has no effect while it is pinned
        await settle(app, pilot)
        assert len(app.screen.query(LineChart).first().curves) == 2
        await pilot.press("b")
        await settle(app, pilot)
        assert listed(app) == ["new", "old"]


async def test_a_run_that_diverges_is_told_wherever_one_looks(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    app = dashboard(tmp_path)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await settle(app, pilot)
        append(run / "metrics.jsonl", {**train_row(40, "NaN"), "loss/total": "NaN"})
        await settle(app, pilot)
        assert "the loss is not finite any more" in screen_text(app)


def test_the_application_has_all_that_its_pages_ask_of_it() -> None:
    asked = [name for name, value in vars(Pages).items() if isinstance(value, FunctionType)]
    assert len(asked) == 4
    assert [name for name in asked if getattr(DashboardApp, name) is getattr(Pages, name)] == []
