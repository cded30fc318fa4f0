"""The chart widget: crosshair, zoom, drawing only what is shown."""

from __future__ import annotations

import numpy as np
from textual.app import App, ComposeResult

from codecctl.dashboard.chart import LineChart
from codecctl.dashboard.plot import Curve, View
from codecctl.dashboard.slices import finished


class ChartApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.cursors: list[float | None] = []
        self.zooms: list[tuple[float, float]] = []

    def compose(self) -> ComposeResult:
        yield LineChart()

    def on_line_chart_cursor_moved(self, event: LineChart.CursorMoved) -> None:
        self.cursors.append(event.x)

    def on_line_chart_zoomed(self, event: LineChart.Zoomed) -> None:
        self.zooms.append((event.factor, event.x))


CURVE = Curve(np.arange(101.0), np.linspace(1.0, 0.0, 101), None, 0)


async def test_a_chart_shows_what_it_is_given() -> None:
    app = ChartApp()
    async with app.run_test(size=(60, 12)) as pilot:
        chart = app.query_one(LineChart)
        chart.show("loss", [CURVE], view=View())
        await pilot.pause()
        lines = chart.plain_text().split("\n")
        assert len(lines) == 12
        assert {len(line) for line in lines} == {60}
        assert lines[0].startswith("loss")
        chart.show("val/mel", [CURVE], view=View(), log_scale=True)
        assert chart.plain_text().startswith("val/mel log")


async def test_arrow_keys_move_the_crosshair_by_columns_from_the_right_end() -> None:
    app = ChartApp()
    async with app.run_test(size=(50, 12)) as pilot:
        chart = app.query_one(LineChart)
        chart.show("loss", [CURVE], view=View())
        chart.focus()
        await pilot.press("left")
        assert app.cursors == [98.0]
        chart.show("loss", [CURVE], view=View(cursor=98.0))
        await pilot.press("shift+right")
        assert app.cursors[-1] == 100.0  # not beyond the data


async def test_the_mouse_points_at_what_is_drawn_under_it() -> None:
    app = ChartApp()
    async with app.run_test(size=(60, 12)) as pilot:
        chart = app.query_one(LineChart)
        chart.show("loss", [CURVE], view=View())
        await pilot.pause()
        await pilot.hover(LineChart, offset=(59, 5))
        assert app.cursors[-1] is not None
        assert app.cursors[-1] > 98
        await pilot.hover(LineChart, offset=(0, 5))
        assert app.cursors[-1] is None


async def test_an_empty_chart_has_no_crosshair_to_move() -> None:
    app = ChartApp()
    async with app.run_test(size=(60, 12)) as pilot:
        chart = app.query_one(LineChart)
        chart.focus()
        await pilot.press("left")
        assert app.cursors == []
        assert "no values yet" in chart.plain_text()


def on_screen(app: ChartApp) -> list[list[tuple[str, str]]]:
    return [
        [(piece.text, str(piece.style)) for piece in strip.simplify()]
        for strip in app.screen._compositor.render_strips()
    ]


async def test_only_rows_that_differ_are_painted_and_the_screen_is_that_of_a_whole_painting() -> (
    None
):
    longer = Curve(np.arange(102.0), np.append(CURVE.values, 0.3), None, 0)
    app = ChartApp()
    async with app.run_test(size=(60, 12)) as pilot:
        chart = app.query_one(LineChart)
        chart.show("loss", [CURVE], view=View(extent=(0.0, 101.0)))
        await pilot.pause()
        before = chart.plain_text().split("\n")
        shown = finished(chart.showing("loss", [longer], view=View(extent=(0.0, 101.0))))
        assert chart.plain_text().split("\n") == before
        shown()
        after = chart.plain_text().split("\n")
        unlike = {row for row in range(12) if before[row] != after[row]}
        assert 0 < len(unlike) < 12
        assert {line for region in chart._repaint_regions for line in region.line_range} == unlike
        await pilot.pause()
        in_rows = on_screen(app)
        chart.show("loss", [longer], view=View(extent=(0.0, 101.0)))
        await pilot.pause()
        assert in_rows == on_screen(app)
        finished(chart.showing("loss", [longer], view=View(extent=(0.0, 101.0))))()
        assert not chart._repaint_regions  # nothing new costs no painting
