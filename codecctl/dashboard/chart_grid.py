"""Pages of charts that share one look: axis, smoothing, zoom and crosshair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Grid
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input, Tabs

from codecctl.dashboard.axis import XAxis
from codecctl.dashboard.chart import LineChart
from codecctl.dashboard.chart_queue import ChartQueue
from codecctl.dashboard.curves import Source, all_metrics, x_extent
from codecctl.dashboard.export import curves_csv
from codecctl.dashboard.line import Line
from codecctl.dashboard.plot import View
from codecctl.dashboard.smoothing import LEVELS
from codecctl.dashboard.still_text import StillText
from codecctl.dashboard.viewing import panned, with_axis, zoomed

MIN_CHART_WIDTH, MIN_CHART_HEIGHT = 36, 8
MAX_CHARTS = 24


class ChartGrid(Widget):
    """Charts of all metrics that match a filter, as many as fit, on pages.

    Only the charts of the current page exist, and only while the grid is on the screen do they
    get new values.
    """

    pattern: reactive[str] = reactive("", init=False)
    page: reactive[int] = reactive(0, init=False)
    view_state: reactive[View] = reactive(View(), init=False)
    columns: reactive[int] = reactive(0, init=False)
    """Charts side by side, 0 for as many as fit."""

    def __init__(self, *, id: str | None = None, smoothing: float = LEVELS[1]) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._sources: tuple[Source, ...] = ()
        self._log_metrics: set[str] = set()
        self._alone = ""
        self._queue = ChartQueue(self)
        self._first_view = View(smoothing=smoothing)
        self._empty_text = "no values yet"

    def compose(self) -> ComposeResult:
        """A filter line, the charts, a status line."""
        yield Line(placeholder="filter metrics: a regular expression", id="filter", compact=True)
        yield Grid(id="charts")
        yield StillText(id="chart-status")

    def on_mount(self) -> None:
        """Start empty."""
        self.set_reactive(ChartGrid.view_state, self._first_view)
        self.draw()

    def show(self, sources: Sequence[Source], *, empty_text: str = "no values yet") -> None:
        """Exchange the runs that are drawn."""
        if (tuple(sources), empty_text) == (self._sources, self._empty_text):
            return
        self._sources, self._empty_text = tuple(sources), empty_text
        self.draw()

    def metrics(self) -> list[str]:
        """The metrics that match the filter, over all pages."""
        return all_metrics(self._sources, self.pattern)

    def page_csv(self) -> str:
        """All values of the charts of the current page."""
        names = [chart.metric for chart in self.charts()]
        return curves_csv(self._sources, names, self.view_state.axis)

    def charts(self) -> list[LineChart]:
        """The charts of the current page."""
        return [chart for chart in self.query(LineChart) if chart.display]

    def draw(self) -> None:
        """Hand every visible chart its curves."""
        if not self.is_mounted or not self.is_on_screen:
            return
        names = self.metrics()
        if self._alone in names:
            names = [self._alone]
        columns, rows = self._layout(len(names))
        pages = max(1, -(-len(names) // (columns * rows)))
        page = min(self.page, pages - 1)
        shown = names[page * columns * rows :][: columns * rows]
        grid = self.query_one("#charts", Grid)
        grid.styles.grid_size_columns = columns
        grid.styles.grid_size_rows = min(rows, max(1, -(-len(shown) // columns)))
        self._fill(grid, shown)
        self._write_status(len(names), page, pages)

    def _layout(self, num_charts: int) -> tuple[int, int]:
        """Columns and rows for this size: rows as high as possible when few are needed."""
        size = self.query_one("#charts").size
        columns = self.columns or max(1, size.width // MIN_CHART_WIDTH)
        columns = min(columns, max(1, num_charts), max(1, size.width // 14))
        most = max(1, min(size.height // MIN_CHART_HEIGHT, MAX_CHARTS // columns))
        return columns, max(1, min(most, -(-num_charts // columns)))

    def _take_arrows(self, chart: LineChart) -> None:
        """Let the arrows move the crosshair, unless another tab was opened since."""
        hidden = any(not node.display for node in self.ancestors_with_self)
        if not hidden and isinstance(self.screen.focused, Tabs):
            chart.focus()

    def _fill(self, grid: Grid, names: Sequence[str]) -> None:
        charts = list(grid.query(LineChart))
        if len(charts) < len(names):
            new = [LineChart() for _ in range(len(names) - len(charts))]
            grid.mount(*new)
            if not charts and isinstance(self.screen.focused, Tabs):
                self.call_after_refresh(self._take_arrows, new[0])
            charts += new
        for chart in charts[len(names) :]:
            chart.display = False
        view = replace(self.view_state, extent=x_extent(self._sources, self.view_state.axis))
        self._queue.draw(
            list(zip(charts, names, strict=False)),
            self._sources,
            view=view,
            log_metrics=self._log_metrics,
        )

    def _write_status(self, num_metrics: int, page: int, pages: int) -> None:
        view = self.view_state
        parts = [f"x {view.axis.value}", f"smoothing {view.smoothing:g}"]
        if num_metrics == 0:
            parts = [f"nothing matches {self.pattern!r}" if self.pattern else self._empty_text]
        if pages > 1:
            parts.insert(0, f"page {page + 1}/{pages} [ ]")
        if self.pattern and num_metrics:
            parts.append(f"filter {self.pattern}")
        parts += ["no outliers"] if view.without_outliers else []
        parts += ["zoomed, 0 for all"] if view.window else []
        parts += [f"only {self._alone}, f for all"] if self._alone else []
        self.query_one("#chart-status", StillText).tell(" · ".join(parts))

    def watch_pattern(self) -> None:
        """Begin at the first page of what matches."""
        self.set_reactive(ChartGrid.page, 0)
        self._alone = ""
        self.draw()

    def watch_page(self) -> None:
        """Turn the page."""
        self.draw()

    def watch_view_state(self) -> None:
        """Look at the same values in another way."""
        self.draw()

    def watch_columns(self) -> None:
        """Arrange anew."""
        self.draw()

    def on_resize(self, _event: events.Resize) -> None:
        """Fit as many charts as the new size takes."""
        self.call_after_refresh(self.draw)

    def on_show(self, _event: events.Show) -> None:
        """Catch up with what came in while out of sight."""
        self.call_after_refresh(self.draw)

    @on(LineChart.CursorMoved)
    def _move_cursor(self, event: LineChart.CursorMoved) -> None:
        event.stop()
        self.view_state = replace(self.view_state, cursor=event.x)

    @on(LineChart.Zoomed)
    def _zoom_at(self, event: LineChart.Zoomed) -> None:
        event.stop()
        self.zoom(event.factor, event.x)

    @on(Input.Changed, "#filter")
    def _filter_typed(self, event: Input.Changed) -> None:
        event.stop()
        self.pattern = event.value

    @on(Input.Submitted, "#filter")
    def _filter_done(self, event: Input.Submitted) -> None:
        event.stop()
        event.input.set_class(bool(event.value), "-open")
        charts = self.charts()
        if charts:
            charts[0].focus()

    def open_filter(self) -> None:
        """Show the filter line and put the keys there."""
        line = self.query_one("#filter", Input)
        line.add_class("-open")
        line.focus()

    def clear(self) -> bool:
        """Undo one thing: the single chart, the filter, the crosshair, the zoom."""
        view = self.view_state
        line = self.query_one("#filter", Input)
        if self._alone:
            self._alone = ""
            self.draw()
        elif line.has_class("-open"):
            line.value = self.pattern = ""
            line.remove_class("-open")
        elif view.cursor is not None or view.window is not None:
            self.view_state = replace(view, cursor=None, window=None)
        else:
            return False
        return True

    def turn(self, pages: int) -> None:
        """Turn pages forward or back."""
        columns, rows = self._layout(len(self.metrics()))
        last = max(0, -(-len(self.metrics()) // (columns * rows)) - 1)
        self.page = min(last, max(0, min(self.page, last) + pages))

    def zoom(self, factor: float, around: float | None = None) -> None:
        """Show less (factor below 1) or more around a place, the crosshair or the middle."""
        extent = x_extent(self._sources, self.view_state.axis)
        if extent is not None:
            self.view_state = zoomed(self.view_state, factor, extent=extent, around=around)

    def pan(self, share: float) -> None:
        """Move what is shown by a share of its width."""
        extent = x_extent(self._sources, self.view_state.axis)
        if extent is not None:
            self.view_state = panned(self.view_state, share, extent=extent)

    def toggle_log(self) -> None:
        """Change the axis of the chart that has the keys; of all charts when none has."""
        focused = self.screen.focused
        chosen = [chart for chart in self.charts() if chart is focused] or self.charts()
        names = {chart.metric for chart in chosen}
        if names <= self._log_metrics:
            self._log_metrics -= names
        else:
            self._log_metrics |= names
        self.draw()

    def toggle_alone(self) -> None:
        """Give the chart that has the keys, or the first one, all the room; or all charts back."""
        charts = self.charts()
        focused = self.screen.focused
        chosen = [chart.metric for chart in charts if chart is focused] or [
            chart.metric for chart in charts[:1]
        ]
        self._alone = "" if self._alone else "".join(chosen)
        self.draw()
        if self._alone:
            self.charts()[0].focus()

    def show_alone(self, metric: str) -> None:
        """Give one metric all the room."""
        self._alone = metric
        self.draw()

    def set_axis(self, axis: XAxis) -> None:
        """Count something else along x."""
        self.view_state = with_axis(self.view_state, axis)

    def set_smoothing(self, weight: float) -> None:
        """Change the weight of the moving average."""
        self.view_state = replace(self.view_state, smoothing=weight)
