"""Every key of the dashboard, page by page, and what a user sees when it is pressed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual.widgets import HelpPanel, TabbedContent

from codecctl.dashboard.alerts_screen import AlertsScreen
from codecctl.dashboard.app import DashboardApp
from codecctl.dashboard.chart import LineChart
from codecctl.dashboard.compare_pages import ComparePages
from codecctl.dashboard.compare_screen import CompareScreen
from codecctl.dashboard.confirm_screen import ConfirmScreen, PromptScreen
from codecctl.dashboard.data_pages import DataPages
from codecctl.dashboard.draft_screen import DraftScreen
from codecctl.dashboard.line import Line
from codecctl.dashboard.log_pane import LogPane
from codecctl.dashboard.new_runs import NewRuns
from codecctl.dashboard.previews import Previews
from codecctl.dashboard.queue_view import QueueView
from codecctl.dashboard.run_screen import TABS, RunScreen
from codecctl.dashboard.runs_screen import RunsScreen
from codecctl.dashboard.runs_table import RunsTable
from codecctl.dashboard.space_view import SpaceView
from codecctl.dashboard.store_screen import STORE_TABS, StoreScreen
from codecctl.dashboard.stores_screen import StoresScreen
from codecctl.dashboard.tokens_view import TokensView
from codecctl.dashboard.window_pane import WindowPane

from .dashboard_runs import screen_text


def everything(app: DashboardApp) -> str:
    """What is on the screen and was told in passing, as one line."""
    told = " ".join(str(notice.message) for notice in app._notifications)
    return " ".join(screen_text(app).replace("│", " ").split()) + " " + told


def told(app: DashboardApp) -> str:
    """What was told last."""
    return str([*app._notifications][-1].message) if len(app._notifications) else ""


def help_is_open(app: DashboardApp) -> str:
    """Whether the panel with the keys is there."""
    return "help" if app.screen.query(HelpPanel) else "none"


def focus(app: DashboardApp) -> str:
    """What has the keys."""
    return type(app.focused).__name__


def page(app: DashboardApp) -> str:
    """The screen that one is on, with its number: one of the same kind may replace it."""
    return f"{type(app.screen).__name__} {id(app.screen)}"


def page_or_end(app: DashboardApp) -> str:
    """The same; "ended" when the application is."""
    return "ended" if app._exit else page(app)


def drawn(app: DashboardApp) -> str:
    """Which runs are."""
    return ",".join(sorted(app.shown))


def look(app: DashboardApp) -> str:
    """How charts are looked at."""
    grid = app.active_grid()
    assert grid is not None
    return f"{grid.view_state} page {grid.page} columns {grid.columns} only {grid._alone}"


def logarithmic(app: DashboardApp) -> str:
    """Which charts are."""
    grid = app.active_grid()
    assert grid is not None
    return f"{sorted(grid._log_metrics)}"


def side(app: DashboardApp) -> str:
    """The side of a preview that one hears."""
    return str(app.screen.query_one(Previews)._speaker.side)


def marked_frame(app: DashboardApp) -> str:
    """The frame of the tokens that was gone to."""
    return str(app.screen.query_one(TokensView)._marked)


@dataclass(frozen=True)
class Press:
    """A key, whose it is, and what it changes."""

    key: str
    place: type
    seen: str = ""
    """Stands in what `by` gives afterwards and not before."""
    by: Callable[[DashboardApp], str] = everything
    """What changes; the whole screen unless something smaller is meant."""
    first: tuple[str, ...] = ()
    """Keys before it."""
    gone: str = ""
    """Stands in what `by` gives before and not afterwards."""
    unfocused: bool = False
    """Pressed while no table has the keys, as after a click beside it."""


@dataclass(frozen=True)
class Walk:
    """Presses from a page on."""

    name: str
    way: tuple[str, ...]
    """Keys that lead there from the list of runs."""
    presses: tuple[Press, ...]
    only: str = ""
    """The run whose page is open at the start."""


def _tabs(names: tuple[str, ...], place: type) -> tuple[Press, ...]:
    """The last tab first, so that each number changes something."""
    numbers = (*range(2, len(names) + 1), 1)
    return tuple(Press(str(number), place, names[number - 1], by=open_tab) for number in numbers)


def open_tab(app: DashboardApp) -> str:
    """The tab that is open."""
    return app.screen.query_one(TabbedContent).active


_CHARTS = (
    Press("slash", DashboardApp, "filter metrics: a regular expression"),
    Press("s", DashboardApp, "smoothing 0.9", first=("escape",)),
    Press("x", DashboardApp, "x epoch"),
    Press("l", DashboardApp, "loss/mel", by=logarithmic),
    Press("f", DashboardApp, "only val/mel, f for all"),
    Press("o", DashboardApp, "no outliers", first=("f",)),
    Press("plus", DashboardApp, "zoomed, 0 for all"),
    Press("equals_sign", DashboardApp, by=look),
    Press("comma", DashboardApp, by=look),
    Press("full_stop", DashboardApp, by=look),
    Press("minus", DashboardApp, by=look),
    Press("0", DashboardApp, gone="zoomed, 0 for all"),
    Press("right_square_bracket", DashboardApp, "page 2/"),
    Press("left_square_bracket", DashboardApp, "page 1/"),
    Press("g", DashboardApp, "columns 1", by=look),
    Press("left", LineChart, by=look, first=("tab",)),
    Press("right", LineChart, by=look),
    Press("shift+left", LineChart, by=look),
    Press("shift+right", LineChart, by=look),
    Press("escape", RunsScreen, "cursor=None", by=look, first=("left",)),
    Press("e", DashboardApp, "exported to", by=told),
    Press("S", DashboardApp, "exported", by=told),  # or what it needs
)

_RUNS = (
    Press("space", RunsScreen, gone="new", by=drawn),
    Press("b", RunsScreen, "pinned new"),
    Press("t", RunsScreen, "by val/mel"),
    Press("F", RunsScreen, "choose runs:"),
    Press("escape", Line, gone="choose runs:"),
    Press("enter", Line, gone="Line", by=focus, first=("F", *"new")),
    Press("question_mark", DashboardApp, "help", by=help_is_open, first=("escape",)),
    Press("f1", DashboardApp, "none", by=help_is_open),
    Press("exclamation_mark", DashboardApp, "AlertsScreen", by=page),
    Press("escape", AlertsScreen, "RunsScreen", by=page),
    Press("m", ComparePages, "marked: new:20", by=told),
    Press("c", ComparePages, "mark two checkpoints", by=told),
    Press("d", DataPages, "StoresScreen", by=page),
    Press("escape", StoresScreen, "RunsScreen", by=page),
    Press("enter", RunsTable, "RunScreen", by=page),
    Press("escape", RunScreen, "RunsScreen", by=page),
    Press("enter", RunsScreen, "RunScreen", by=page, first=("tab",)),
    Press("q", DashboardApp, "ended", by=page_or_end),
)

_STEERING = (
    Press("w", DashboardApp, "Ask new to save a checkpoint after its current step?"),
    Press("n", ConfirmScreen, "RunsScreen", by=page),
    Press("X", DashboardApp, "Ask new to save a checkpoint and stop?"),
    Press("escape", ConfirmScreen, "RunsScreen", by=page),
    Press("T", DashboardApp, "Tags of new"),
    Press("escape", PromptScreen, "RunsScreen", by=page, unfocused=True),
    Press("R", DashboardApp, "Train old on", first=("down",)),
    Press("q", ConfirmScreen, "RunsScreen", by=page),
    Press("D", DashboardApp, "Delete old with all"),
    Press("enter", ConfirmScreen, "RunsScreen", by=page),
    Press("y", ConfirmScreen, "old: deleted", by=told, first=("D",)),
    Press("E", NewRuns, "cannot be given to an editor", by=told),
    Press("N", NewRuns, "DraftScreen", by=page, first=("escape",)),
    Press("slash", DraftScreen, "keys: a regular expression"),
    Press("escape", DraftScreen, "RunsScreen", by=page, first=("escape",)),
    Press("a", DraftScreen, "key=value group=option ~key", first=("N",)),
    Press("u", DraftScreen, "0 changes", first=(*"trainer.seed=9", "enter")),
    Press("E", DraftScreen, "cannot be given to an editor", by=told),
    Press("ctrl+s", DraftScreen, "Train new-2 on"),
)

_RUN = (
    *_tabs(TABS, RunScreen),
    Press("slash", RunScreen, "search kinds and messages", first=("5",)),
    Press("n", LogPane, "crash.txt · 1 line ", first=("escape", "9")),
)

_PREVIEWS = (
    Press("left", Previews, "step 0 (1/2)"),
    Press("right", Previews, "step 20 (2/2)"),
    Press("left_square_bracket", Previews, "step 0 (1/2)"),
    Press("right_square_bracket", Previews, "step 20 (2/2)"),
    Press("home", Previews, "step 0 (1/2)"),
    Press("end", Previews, "step 20 (2/2)"),
    Press("down", Previews, "whole-000 (2/2)"),
    Press("up", Previews, "item-000 (1/2)"),
    Press("i", Previews, "whole-000 (2/2)"),
    Press("I", Previews, "item-000 (1/2)"),
    Press("c", Previews, "channel 2/2"),
    Press("p", Previews, "open this in a browser", by=told),  # a test has no loudspeakers
    Press("h", Previews, "open this in a browser", by=told),
    Press("a", Previews, by=side),
    Press("o", Previews, "StoreScreen", by=page),
    Press("v", Previews, "beam to azimuth", first=("escape", "3", "i")),
    *(Press(key, SpaceView, "beam to azimuth 10°, elevation 0°") for key in ("left",)),
    Press("right", SpaceView, "beam to azimuth 0°, elevation 0°"),
    Press("up", SpaceView, "beam to azimuth 0°, elevation 10°"),
    Press("down", SpaceView, "beam to azimuth 0°, elevation 0°"),
    Press("home", SpaceView, "beam to azimuth 0°, elevation 0°", first=("left",)),
    Press("n", TokensView, "1", by=marked_frame, first=("I", "v")),
    Press("N", TokensView, "1", by=marked_frame, first=("n",)),
    Press("right", TokensView, gone=" 0.00 "),
    Press("left", TokensView, " 0.00 "),
    Press("home", TokensView, " 0.00 ", first=("right",)),
    Press("k", QueueView, "si_sdr", first=("v",)),
    Press("enter", QueueView, "A reference", first=("end",)),
)

_STORES = (
    Press("enter", StoresScreen, "StoreScreen", by=page, unfocused=True),
    *_tabs(STORE_TABS, StoreScreen),
    Press("right", WindowPane, "0.50 to 1.50"),
    Press("left", WindowPane, "0.00 to 1.00"),
    Press("end", WindowPane, "7.00 to 8.00"),
    Press("home", WindowPane, "0.00 to 1.00"),
    Press("minus", WindowPane, gone="0.00 to 1.00"),
    Press("plus", WindowPane, "0.00 to 1.00"),
    Press("equals_sign", WindowPane, gone="0.00 to 1.00"),
    Press("c", WindowPane, "channel 2/4"),
    Press("C", WindowPane, "channel 1/4"),
    Press("g", WindowPane, "Second of Beach.1"),
    Press("p", WindowPane, "not played", by=told, first=("escape",)),
    Press("k", StoreScreen, "problems", by=open_tab),
    Press("escape", StoreScreen, "StoresScreen", by=page),
)

_COMPARISON = (
    *_tabs(("metrics", "settings", "weights", "curves"), CompareScreen),
    Press("A", CompareScreen, "0 is the", first=("4",)),
    Press("n", CompareScreen, "(2/2, n for the next)", first=("1",)),
    Press("escape", CompareScreen, "RunsScreen", by=page),
    Press("p", CompareScreen, "RunScreen", by=page, first=("c",)),
    Press("P", CompareScreen, "RunScreen", by=page, first=("1", "c")),
)

WALKS = (
    Walk("charts", (), _CHARTS),
    Walk("runs", (), _RUNS),
    Walk("steering", (), _STEERING),
    Walk("run", (), _RUN, only="new"),
    Walk("previews", ("3",), _PREVIEWS, only="new"),
    Walk("stores", ("d",), _STORES),
    Walk("comparison", ("m", "enter", "4", "m", "escape", "down", "m", "c"), _COMPARISON),
)
