"""What `?` says on every page against the keys that the page has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rich.console import Console
from textual.keys import _character_to_key
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import HelpPanel
from textual.widgets._key_panel import BindingsTable

from codecctl.dashboard.app import DashboardApp
from codecctl.dashboard.run_filter import parse_filter
from codecctl.dashboard.runs_table import RunsTable

from .dashboard_home import make_home
from .dashboard_runs import NOW, settle
from .test_dashboard_all_keys import bindings, places

PAGES = (
    ("", "Runs"),
    ("tab", "A chart"),
    ("exclamation_mark", "Alerts"),
    ("escape d", "Data"),
    ("enter", "Recordings"),
    ("2", "Store"),
    ("3", "Store"),
    ("4", "Store"),
    ("escape escape N", "New run"),
    ("escape shift+tab m enter 4 m escape down m c", "Comparison"),  # of three: n is there, too
    ("4", "A chart"),
    ("escape enter", "A chart"),
    ("shift+tab", "A run"),
    ("2", "Validation"),
    ("3", "Spectra"),
    ("v", "Space"),
    ("v", "Tokens"),
    ("v", "Queue"),
    ("4", "Checkpoints"),
    ("5", "Events"),
    ("6", "Profile"),
    ("7", "A chart"),
    ("8", "Codes"),
    ("9", "Log"),
)
"""The keys that lead from one page to the next, and the heading of its help."""
_NAMED = re.compile(r"enter|escape|home|end|space|tab|left|right|up|down|ctrl\+\w")


def test_every_key_is_told_in_two_parts() -> None:
    lacking = [
        (name, each.key)
        for name, place in places().items()
        for each in bindings(place)
        if not each.description or not each.tooltip or each.description == each.tooltip
    ]
    assert lacking == []


def test_the_filters_that_help_shows_are_filters() -> None:
    shown = [text for text in re.findall(r"`([^`]+)`", RunsTable.HELP) if len(text) > 4]
    filters = [text for text in shown if text != "space"]
    assert "tag:night (val/mel<0.5 | status:running)" in filters
    assert [text for text in filters if parse_filter(text).problem] == []


def keys_told(text: str) -> set[str]:
    """The keys in a help: what stands in backticks and is a key."""
    marked = re.findall(r"`([^`\n]+)`", text)
    single = {_character_to_key(each) for each in marked if len(each) == 1 and each.isascii()}
    return single | {each for each in marked if _NAMED.fullmatch(each)}


def panel_text(screen: Screen[object]) -> str:
    """The table of keys that the panel shows, as wide as it likes."""
    console = Console(width=200, color_system=None)
    with console.capture() as captured:
        console.print(screen.query_one(BindingsTable).render_bindings_table())
    return captured.get()


@pytest.mark.long
async def test_help_tells_keys_that_there_are_and_lists_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make_home(Path("h"))
    app = DashboardApp(Path("h/runs"), clock=lambda: NOW, stores=Path("h/stores"))
    async with app.run_test(size=(130, 40)) as pilot:
        await settle(app, pilot)
        for way, heading in PAGES:
            for key in way.split():
                await pilot.press(key)
                await settle(app, pilot)
            await pilot.press("question_mark")
            await pilot.pause()
            check_help(app, heading)
            await pilot.press("question_mark")


def check_help(app: DashboardApp, heading: str) -> None:
    """The panel is open, tells keys that there are, and lists all that there are."""
    screen = app.screen
    assert screen.query_one(HelpPanel).has_class("-show-help"), heading
    focused = screen.focused
    assert focused is not None, heading
    nodes = [node for node in focused.ancestors_with_self if isinstance(node, Widget)]
    told = next(node.HELP for node in nodes if node.HELP)
    assert f"## {heading}\n" in told
    active = screen.active_bindings
    assert keys_told(told) - set(active) == set(), heading
    panel = " ".join(panel_text(screen).split())
    for binding in (each.binding for each in active.values()):
        if not binding.system:
            assert app.get_key_display(binding) in panel, (heading, binding)
            assert binding.description in panel, (heading, binding)
