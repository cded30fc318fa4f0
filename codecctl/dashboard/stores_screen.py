"""The list of stores."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static

from codecctl.dashboard.keys_footer import KeysFooter
from codecctl.dashboard.listing import Cell, ListColumn, Listing
from codecctl.dashboard.store_reading import StoreRow, list_stores

POLL_SECONDS = 5.0
_COLUMNS = (
    ListColumn("store", 0),
    ListColumn("rate", 7, right=True),
    ListColumn("type", 7),
    ListColumn("rec", 5, right=True),
    ListColumn("hours", 8, right=True),
    ListColumn("ch", 8, right=True),
    ListColumn("scenes", 6, right=True, from_width=90),
    ListColumn("MB", 9, right=True, from_width=100),
    ListColumn("runs", 4, right=True, from_width=70),
    ListColumn("check", 30, from_width=110),
)
_EMPTY = """No stores in {folder} yet.

Type in another terminal:

    codecctl data ingest FOLDER"""


class StoresScreen(Screen[None]):
    """All stores of a folder.

    Args:
        folder: Of stores; may not exist yet.
        runs: The folder of runs.
    """

    HELP = """
    ## Data

    The stores of this folder, the newest facts of each: how much it holds, how many runs read it,
    and what the last `codecctl data check` found. `enter` opens one: its recordings, levels,
    problems and runs. Nothing is written into a store.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="stores.open", tooltip="The page of the store"),
        Binding("escape", "dismiss", "Back", id="stores.back", tooltip="To the page before"),
    ]

    class Opened(Message):
        """A store was chosen."""

        def __init__(self, path: Path) -> None:
            super().__init__()
            self.path = path

    class Read(Message):
        """The thread is done."""

        def __init__(self, rows: list[StoreRow]) -> None:
            super().__init__()
            self.rows = rows

    def __init__(self, folder: Path, runs: Path) -> None:
        super().__init__()
        self._folder, self._runs = folder, runs
        self._rows: dict[str, StoreRow] = {}
        self._is_reading = False

    def compose(self) -> ComposeResult:
        """Heading, table, note, keys."""
        yield Static(id="stores-title", markup=False)
        yield Listing(_COLUMNS, id="stores-table")
        yield Static(id="stores-note", classes="whole-row", markup=False)
        yield KeysFooter()

    def on_mount(self) -> None:
        """Read now, and again from time to time."""
        self.set_interval(POLL_SECONDS, self.poll)
        self.poll()

    def poll(self) -> None:
        """Start to read, unless a reading is under way."""
        if not self._is_reading:
            self._is_reading = True
            self._read()

    @work(thread=True, group="stores")
    def _read(self) -> None:
        self.post_message(self.Read(list_stores(self._folder, self._runs)))

    @on(Read)
    def _show(self, event: Read) -> None:
        self._is_reading = False
        self._rows = {row.name: row for row in event.rows}
        count = f"{len(self._rows)} store" + "s" * (len(self._rows) != 1)
        self.query_one("#stores-title", Static).update(f"data {count} · {self._folder}")
        listing = self.query_one("#stores-table", Listing)
        listing.display = bool(self._rows)
        listing.show_rows({name: _cells(row) for name, row in self._rows.items()})
        if not self._rows:
            self.query_one("#stores-note", Static).update(_EMPTY.format(folder=self._folder))

    def selected(self) -> StoreRow | None:
        """The store under the cursor."""
        return self._rows.get(self.query_one("#stores-table", Listing).selected_key or "")

    @on(Listing.RowHighlighted)
    def _write_note(self) -> None:
        row = self.selected()
        if row is not None:
            check = row.check or f"never; codecctl data check {row.name}"
            told = row.problem or f"{row.path}: check: {check}"
            self.query_one("#stores-note", Static).update(told)

    @on(Listing.RowSelected)
    def action_open(self) -> None:
        """Open the store under the cursor."""
        row = self.selected()
        if row is not None:
            self.post_message(self.Opened(row.path))


def _cells(row: StoreRow) -> list[Cell]:
    if row.problem:
        return [f"{row.name}: cannot be read", *[""] * (len(_COLUMNS) - 2), row.problem]
    return [
        row.name,
        str(row.sample_rate),
        row.dtype,
        str(row.recordings),
        f"{row.hours:.3f}",
        row.channels,
        str(row.scenes),
        f"{row.bytes / 1e6:.1f}",
        str(row.runs),
        row.check or "-",
    ]
