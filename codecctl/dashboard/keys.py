"""The names of all keys of the dashboard."""

from __future__ import annotations

from codecctl.dashboard.alerts_screen import AlertsScreen
from codecctl.dashboard.app import DashboardApp
from codecctl.dashboard.chart import LineChart
from codecctl.dashboard.compare_pages import ComparePages
from codecctl.dashboard.compare_screen import CompareScreen
from codecctl.dashboard.confirm_screen import ConfirmScreen, PromptScreen
from codecctl.dashboard.data_pages import DATA_KEYS
from codecctl.dashboard.draft_screen import DraftScreen
from codecctl.dashboard.keymap import binding_names
from codecctl.dashboard.line import Line
from codecctl.dashboard.log_pane import LogPane
from codecctl.dashboard.new_runs import NewRuns
from codecctl.dashboard.previews import PREVIEW_KEYS
from codecctl.dashboard.run_screen import RunScreen
from codecctl.dashboard.runs_screen import RunsScreen
from codecctl.dashboard.runs_table import RunsTable

_PLACES = (
    DashboardApp,
    RunsScreen,
    RunsTable,
    RunScreen,
    AlertsScreen,
    ComparePages,
    CompareScreen,
    LogPane,
    DraftScreen,
    NewRuns,
    ConfirmScreen,
    PromptScreen,
    Line,
    LineChart,
    *PREVIEW_KEYS,
    *DATA_KEYS,
)


def key_names() -> set[str]:
    """As a file of own keys uses them."""
    return set(binding_names(*(place.BINDINGS for place in _PLACES)))
