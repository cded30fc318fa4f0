"""The page of one store, in tabs: its recordings, how it sounds, what is wrong, who uses it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static, TabbedContent, TabPane
from textual.worker import get_current_worker

from codecctl.dashboard.hanging import hanging
from codecctl.dashboard.keys_footer import KeysFooter
from codecctl.dashboard.listing import ListColumn, Listing
from codecctl.dashboard.store_reading import (
    KeptReport,
    check_now,
    kept_report,
    level_text,
    open_store,
    report_text,
)
from codecctl.dashboard.tab_pages import TabPages
from codecctl.dashboard.window_pane import WindowPane
from codecctl.errors import CodecctlError

if TYPE_CHECKING:
    from codecctl.datasets.store import Store
    from codecctl.engine.store_users import StoreUser

STORE_TABS = ("recordings", "levels", "problems", "users")
_RUN_COLUMNS = (ListColumn("run", 0), ListColumn("trains now", 10), ListColumn("where", 40))


class _LeftError(Exception):
    """The page was closed."""


class StoreScreen(Screen[None]):
    """One store.

    Args:
        path: Its folder.
        runs: The folder of runs.
        recording: Which one is open at first.
        at: Second of it.
        channel: Counted from 0.

    Attributes:
        path: Its folder.
    """

    HELP = """
    ## Store

    Levels are measured on half seconds spread over the recordings. `k` looks for problems in the
    background and keeps nothing; `codecctl data check` keeps what it finds.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(
                str(number),
                f"tab('{name}')",
                name.capitalize(),
                show=False,
                id=f"store.{name}",
                tooltip=f"The tab {name}",
            )
            for number, name in enumerate(STORE_TABS, start=1)
        ),
        Binding("k", "check", "Check", id="store.check", tooltip="Find problems"),
        Binding("escape", "dismiss", "Back", id="store.back", tooltip="To the page before"),
    ]

    class Opened(Message):
        """The store is open, or cannot be."""

        def __init__(self, store: Store | None, kept: KeptReport, users: list[StoreUser]) -> None:
            super().__init__()
            self.store, self.kept, self.users = store, kept, users

    class Measured(Message):
        """Levels are known, or how far they are."""

        def __init__(self, lines: list[str]) -> None:
            super().__init__()
            self.lines = lines

    class Checked(Message):
        """A check is done, or how far it is."""

        def __init__(self, kept: KeptReport) -> None:
            super().__init__()
            self.kept = kept

    class RunWanted(Message):
        """The page of a run is to be opened."""

        def __init__(self, run_name: str) -> None:
            super().__init__()
            self.run_name = run_name

    def __init__(
        self, path: Path, runs: Path, *, recording: str = "", at: float = 0.0, channel: int = 0
    ) -> None:
        super().__init__()
        self.path, self._runs = path, runs
        self._start = (recording, at, channel)
        self._store: Store | None = None
        self._is_checking = False

    def compose(self) -> ComposeResult:
        """Title, tabs, keys."""
        recording, at, channel = self._start
        yield Static(f"store {self.path}", id="store-title", markup=False)
        with TabPages(id="store-tabs"):
            with TabPane("Recordings", id="recordings"):
                yield WindowPane(recording=recording, at=at, channel=channel)
            with TabPane("Levels", id="levels"), VerticalScroll():
                yield Static("measuring", id="levels-text", markup=False)
            with TabPane("Problems", id="problems"), VerticalScroll():
                yield Static(id="problems-text", markup=False)
            with TabPane("Runs", id="users"):
                yield Static(id="users-note", classes="whole-row", markup=False)
                yield Listing(_RUN_COLUMNS, id="users-table")
        yield KeysFooter()

    def on_mount(self) -> None:
        """Open the store away from the screen."""
        self._open()

    @work(thread=True, group="store")
    def _open(self) -> None:
        from codecctl.engine.store_users import users_of

        users = users_of(self.path, self._runs)
        try:
            store = open_store(self.path)
        except CodecctlError as error:
            self.post_message(self.Opened(None, KeptReport(None, str(error)), users))
            return
        self.post_message(self.Opened(store, kept_report(store), users))

    @on(Opened)
    def _opened(self, event: Opened) -> None:
        event.stop()
        rows = {
            user.name: [user.name, "yes" if user.is_alive else "", user.where]
            for user in event.users
        }
        self.query_one("#users-table", Listing).show_rows(rows)
        note = self.query_one("#users-note", Static)
        note.update(f"no run below {self._runs} was started on this store")
        note.display = not rows
        self._show_report(event.kept)
        if event.store is None:
            self.query_one("#store-title", Static).update(event.kept.note)
            self.query_one("#levels-text", Static).update(event.kept.note)
            return
        self._store = event.store
        recordings = event.store.recordings
        hours = sum(row.seconds for row in recordings) / 3600
        count = f"{len(recordings)} recording" + "s" * (len(recordings) != 1)
        title = f"store {event.store.name} · {count} · {hours:.3f} h"
        rate = f"{event.store.sample_rate} Hz {event.store.dtype}"
        self.query_one("#store-title", Static).update(f"{title} · {rate} · {self.path}")
        self.query_one(WindowPane).show_store(event.store)
        self._measure(event.store)

    @work(thread=True, exclusive=True, group="levels", description="levels of a store")
    def _measure(self, store: Store) -> None:
        worker, count, done = get_current_worker(), len(store.recordings), 0

        def measured() -> None:
            nonlocal done
            done += 1
            if worker.is_cancelled:
                raise _LeftError
            self.post_message(self.Measured([f"measuring: {done} of {count} recordings"]))

        try:
            self.post_message(self.Measured(level_text(store, measured)))
        except _LeftError:
            return

    @on(Measured)
    def _show_levels(self, event: Measured) -> None:
        from rich.text import Text

        from codecctl.commands.info_lines import styled

        event.stop()
        text = Text("\n").join(styled(line) for line in event.lines)
        self.query_one("#levels-text", Static).update(text)

    def action_check(self) -> None:
        """Look for problems in the background; keeps nothing."""
        if self._store is not None and not self._is_checking:
            self._is_checking = True
            self.action_tab("problems")
            self._check(self._store)

    @work(thread=True, exclusive=True, group="check", description="check of a store")
    def _check(self, store: Store) -> None:
        worker, told = get_current_worker(), -1.0

        def progressed(share: float) -> None:
            nonlocal told
            if worker.is_cancelled:
                raise _LeftError
            if share - told >= 0.01:
                told = share
                self.post_message(self.Checked(KeptReport(None, f"checking: {share:.0%}")))

        try:
            kept = check_now(store, progressed)
        except _LeftError:
            return
        self._is_checking = False
        self.post_message(self.Checked(kept))

    @on(Checked)
    def _checked(self, event: Checked) -> None:
        event.stop()
        self._show_report(event.kept)

    def _show_report(self, kept: KeptReport) -> None:
        self.query_one("#problems-text", Static).update(hanging(report_text(kept)))
        if kept.report is not None:
            by_recording: dict[str, list[str]] = {}
            for finding in kept.report.findings:
                by_recording.setdefault(finding.recording, []).append(finding.kind)
            problems = {name: ", ".join(kinds) for name, kinds in by_recording.items()}
            self.query_one(WindowPane).show_problems(problems)

    def action_tab(self, name: str) -> None:
        """Open a tab."""
        self.query_one(TabbedContent).active = name

    @on(TabbedContent.TabActivated)
    def _give_keys(self, event: TabbedContent.TabActivated) -> None:
        if event.pane.id != self.query_one(TabbedContent).active:
            return  # another tab was opened meanwhile; to focus what is hidden would go back
        for widget in event.pane.query(Widget):
            if widget.focusable and widget.display:
                widget.focus()
                break

    @on(Listing.RowSelected, "#users-table")
    def _run_selected(self, event: Listing.RowSelected) -> None:
        event.stop()
        if event.row_key.value is not None:
            self.post_message(self.RunWanted(event.row_key.value))
