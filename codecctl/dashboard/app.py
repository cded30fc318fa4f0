"""The application: keys, and one thread at a time that reads run folders."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from textual import on, work
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.command import Provider
from textual.message import Message
from textual.screen import Screen

from codecctl.dashboard.alert_pages import ALERT_KEYS, AlertPages
from codecctl.dashboard.chart_grid import ChartGrid
from codecctl.dashboard.chart_keys import CHART_COMMANDS, CHART_KEYS
from codecctl.dashboard.colors import ColorBook
from codecctl.dashboard.compare_pages import ComparePages
from codecctl.dashboard.compare_screen import CompareScreen
from codecctl.dashboard.comparison import Mark
from codecctl.dashboard.data_pages import DataPages
from codecctl.dashboard.export import export_curves
from codecctl.dashboard.help_pages import HELP_KEYS, HelpPages
from codecctl.dashboard.new_runs import NewRuns
from codecctl.dashboard.palette import DashboardCommands
from codecctl.dashboard.parsing import Parser
from codecctl.dashboard.reader import POLL_SECONDS, RunsReader
from codecctl.dashboard.run_choice import RunChoice
from codecctl.dashboard.run_screen import RunScreen
from codecctl.dashboard.runs_screen import RunsScreen
from codecctl.dashboard.screen_export import export_screen
from codecctl.dashboard.steering import steer
from codecctl.dashboard.views import RunView, Snapshot
from codecctl.locations import stores_folder

NUM_SHOWN_AT_START = 4
SHOW_SECONDS = 1.0
"""The screen changes at most this often while long files are read."""


class DashboardApp(DataPages, ComparePages, NewRuns, AlertPages, HelpPages):
    """Shows the runs of a folder while they train, and after.

    Once a second a thread reads what is new and posts it; while a reading is under way or its
    result is not yet on the screen, seconds are skipped, so a slow disk slows only the news.

    Args:
        folder: Holds the runs; may not exist yet.
        only: Follow this run alone and open its page; "" for all runs.
        clock: Unix time in seconds.
        may_steer: Whether runs may be asked for anything, tagged and deleted.
        keymap: Keys in place of the usual ones, by name (`keys.key_names`).
        stores: The folder of stores.
    """

    CSS_PATH = "dashboard.tcss"
    TITLE = "codecctl"
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = App.COMMANDS | {
        DashboardCommands
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        *CHART_KEYS,
        *(
            Binding(key, f"steer('{what}')", label, show=False, id=f"run.{what}", tooltip=tooltip)
            for key, what, label, tooltip in (
                ("w", "save", "Save now", "A checkpoint"),
                ("X", "stop", "Stop run", "Save and stop"),
                ("R", "resume", "Resume", "Train a run again that stopped, on this host"),
                ("T", "tag", "Tag", "Add or take away tags of a run"),
                ("D", "remove", "Delete", "A run that does not train any more"),
            )
        ),
        Binding(
            "S", "picture", "Picture", show=False, id="app.picture", tooltip="Of the page, PNG"
        ),
        Binding("e", "export", "Export", show=False, id="app.export", tooltip="Charts as CSV"),
        *ALERT_KEYS,
        *HELP_KEYS,
        Binding("q", "quit", "Quit", id="app.quit", tooltip="Runs go on without the dashboard"),
    ]

    class SnapshotRead(Message):
        """The reading thread is done."""

        def __init__(self, snapshot: Snapshot) -> None:
            super().__init__()
            self.snapshot = snapshot

    def __init__(
        self,
        folder: Path,
        *,
        only: str = "",
        clock: Callable[[], float] = time.time,
        may_steer: bool = True,
        keymap: Mapping[str, str] | None = None,
        stores: Path | None = None,
    ) -> None:
        # Without colors Textual would still write grays; the terminal's own palette has none.
        super().__init__(ansi_color=True if os.environ.get("NO_COLOR") else None)
        self.folder = folder
        self.stores = stores or stores_folder()
        self.may_steer = may_steer
        self.snapshot = Snapshot()
        self.shown: set[str] = set()
        self.is_reading = False
        self._only = only
        self._own_keys = dict(keymap or {})
        self._parser = Parser()
        self._reader = RunsReader(folder, only=only, clock=clock, parse=self._parser.parse)
        self._book = ColorBook()
        self._opened = only
        self._known: set[str] = set()
        self._next_show = 0.0
        self.choice = RunChoice()
        self.marks: list[Mark] = []

    def get_default_screen(self) -> RunsScreen:
        """Start with the list of runs."""
        return RunsScreen(str(self.folder))

    def on_mount(self) -> None:
        """Read at once, then at every poll."""
        self.set_keymap(self._own_keys)
        if self._only:
            self.open_run(self._only)
        self.set_interval(POLL_SECONDS, self.poll)
        self.poll()

    def on_unmount(self) -> None:
        """Leave no process behind."""
        self._parser.close()

    def poll(self) -> None:
        """Start to read, unless a reading is under way."""
        if not self.is_reading:
            self.is_reading = True
            self._read(frozenset(self.shown | {self.choice.pinned}), self._opened)

    @work(thread=True, group="reader", description="what is new of runs")
    def _read(self, shown: frozenset[str], opened: str) -> None:
        self.post_message(self.SnapshotRead(self._reader.poll(shown, opened)))

    def on_dashboard_app_snapshot_read(self, event: SnapshotRead) -> None:
        """Show what was read, and go on at once where there is more."""
        self.is_reading = False
        if not self.is_running:  # it closes while a reading ends
            return
        self.snapshot = event.snapshot
        if not event.snapshot.complete and time.monotonic() < self._next_show:
            self.poll()  # while long files are read, drawing must not hold up keys and reading
            return
        self._next_show = time.monotonic() + SHOW_SECONDS
        names = [run.name for run in event.snapshot.runs]
        self._book.assign(names)
        new = self._choose_shown(names)
        self._show()
        self.tell_news()
        if new or not event.snapshot.complete:
            self.poll()

    def _choose_shown(self, names: list[str]) -> bool:
        """Draw the newest runs at the start, and later every run that begins; whether any."""
        begun = names[:NUM_SHOWN_AT_START] if not self._known else names
        new = set(begun) - self._known
        self._known |= set(names)
        self.shown |= new
        return bool(new)

    def _show(self) -> None:
        if not self.is_running:  # pages are being taken apart
            return
        screen = self.screen
        if not screen.is_mounted:  # just opened, with nothing on it yet
            self.set_timer(0.01, self._show)
            return
        with self.batch_update():
            if isinstance(screen, RunsScreen):
                screen.show(self.snapshot, self.shown, self._book, self.choice)
            elif isinstance(screen, RunScreen):
                screen.show(self.snapshot.by_name().get(screen.run_name), self._book)

    def open_run(self, name: str, *, previews_of: int | None = None) -> None:
        """Open the page of a run, in place of another run's page.

        Args:
            name: Of the run.
            previews_of: A step whose previews are opened at once.
        """
        if isinstance(self.screen, RunScreen):
            self.pop_screen()
        self._opened = name
        self.push_screen(RunScreen(name, previews_of=previews_of), self._page_closed)
        self.call_after_refresh(self._show)
        self.poll()

    def _page_closed(self, _result: None) -> None:
        screen = self.screen  # under a comparison there may be the page of a run
        self._opened = screen.run_name if isinstance(screen, RunScreen) else ""
        self.call_after_refresh(self._show)

    def toggle_run(self, name: str) -> None:
        """Draw a run in the charts of the list, or no longer."""
        self.shown = self.shown ^ {name}
        self._show()
        self.poll()

    @on(RunsScreen.Opened)
    def _run_opened(self, event: RunsScreen.Opened) -> None:
        self.open_run(event.run_name)

    @on(RunsScreen.Toggled)
    def _run_toggled(self, event: RunsScreen.Toggled) -> None:
        self.toggle_run(event.run_name)

    @on(RunsScreen.Chosen)
    def _runs_chosen(self, event: RunsScreen.Chosen) -> None:
        self.choose(event.choice)

    def choose(self, choice: RunChoice) -> None:
        """List other runs, or in another order."""
        self.choice = choice
        self._show()
        self.poll()

    def active_grid(self) -> ChartGrid | None:
        """The charts that one sees."""
        return self.grid_of(self.screen)

    def grid_of(self, screen: Screen[Any]) -> ChartGrid | None:
        """The charts that a screen shows; None when it shows none."""
        if isinstance(screen, (RunScreen, CompareScreen)):
            return screen.active_grid()
        if isinstance(screen, RunsScreen) and self.snapshot.runs:
            return screen.query_one(ChartGrid)
        return None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys of charts exist where there are charts."""
        if (
            action in ("export", "picture") and not self.may_steer
        ):  # a browser must not fill this disk
            return False
        if action in ("chart", "export"):
            return self.active_grid() is not None
        if action in ("mark", "compare", "new_run", "edit_profile"):
            return isinstance(self.screen, (RunScreen, RunsScreen))
        return super().check_action(action, parameters)

    def action_chart(self, command: str) -> None:
        """Change how charts are looked at."""
        grid = self.active_grid()
        if grid is not None:
            CHART_COMMANDS[command](grid)

    def selected_run(self) -> RunView | None:
        """The run that keys act on: the open one, or the one under the cursor."""
        screen = self.screen
        if isinstance(screen, RunScreen):
            return self.snapshot.by_name().get(screen.run_name)
        return screen.selected_run() if isinstance(screen, RunsScreen) else None

    def action_export(self) -> None:
        """Write the values of the charts that one sees into the working directory."""
        grid = self.active_grid()
        if grid is not None:
            export_curves(self, grid.page_csv())

    def action_picture(self) -> None:
        """Write a picture of the screen into the working directory."""
        self.export_screen("png")

    def export_screen(self, kind: str) -> None:
        """The same as PNG or SVG, once the palette that asked for it is gone."""
        self.call_after_refresh(export_screen, self, kind)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Those of every application but its screenshot, which asks another host for a font."""
        every = super().get_system_commands(screen)
        return (command for command in every if command.title != "Screenshot")

    def action_steer(self, what: str) -> None:
        """Change the selected run, after a question."""
        steer(self, what)
