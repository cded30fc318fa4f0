"""The keys of charts, on every screen that has some."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from textual.binding import Binding

from codecctl.dashboard.chart_grid import ChartGrid
from codecctl.dashboard.viewing import with_next_axis, with_next_smoothing

_COLUMN_CHOICES = 4


def _key(
    key: str, command: str, label: str, tooltip: str, *, show: bool = False, display: str = ""
) -> Binding:
    return Binding(
        key,
        f"chart('{command}')",
        label,
        show=show,
        key_display=display or None,
        tooltip=tooltip,
        id=f"charts.{command}",
    )


CHART_KEYS = (
    _key("slash", "filter", "Filter", "Metrics by regular expression", show=True, display="/"),
    _key("s", "smoothing", "Smooth", "The next stronger moving average", show=True),
    _key("x", "axis", "X axis", "Step, epoch, time of training, audio heard, clock", show=True),
    _key("l", "log", "Log", "Logarithmic y of the focused chart, else of all", show=True),
    _key("f", "alone", "Full", "One chart on the whole page", show=True),
    _key("o", "outliers", "Clip outliers", "y without the lowest and highest percent"),
    _key("plus,equals_sign", "zoom_in", "Zoom in", "Around the crosshair", display="+"),
    _key("minus", "zoom_out", "Zoom out", "Around the crosshair", display="-"),
    _key("comma", "pan_left", "Pan left", "When zoomed", display=","),
    _key("full_stop", "pan_right", "Pan right", "When zoomed", display="."),
    _key("0", "whole", "Whole range", "No zoom, no crosshair"),
    _key("left_square_bracket", "previous", "Previous page", "Of the charts", display="["),
    _key("right_square_bracket", "next", "Next page", "Of the charts", display="]"),
    _key("g", "columns", "Grid columns", "One to four, or as many as fit"),
)


def _smoothing(grid: ChartGrid) -> None:
    grid.view_state = with_next_smoothing(grid.view_state)


def _axis(grid: ChartGrid) -> None:
    grid.view_state = with_next_axis(grid.view_state)


def _outliers(grid: ChartGrid) -> None:
    view = grid.view_state
    grid.view_state = replace(view, without_outliers=not view.without_outliers)


def _whole(grid: ChartGrid) -> None:
    grid.view_state = replace(grid.view_state, window=None, cursor=None)


def _columns(grid: ChartGrid) -> None:
    grid.columns = (grid.columns + 1) % (_COLUMN_CHOICES + 1)


CHART_COMMANDS: dict[str, Callable[[ChartGrid], None]] = {
    "filter": ChartGrid.open_filter,
    "smoothing": _smoothing,
    "axis": _axis,
    "log": ChartGrid.toggle_log,
    "alone": ChartGrid.toggle_alone,
    "outliers": _outliers,
    "zoom_in": lambda grid: grid.zoom(0.5),
    "zoom_out": lambda grid: grid.zoom(2.0),
    "pan_left": lambda grid: grid.pan(-0.25),
    "pan_right": lambda grid: grid.pan(0.25),
    "whole": _whole,
    "previous": lambda grid: grid.turn(-1),
    "next": lambda grid: grid.turn(1),
    "columns": _columns,
}
