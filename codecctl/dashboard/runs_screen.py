"""The first screen: the list of runs above charts that draw them over each other."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input, Static

from codecctl.dashboard.banner import Banner
from codecctl.dashboard.chart_grid import ChartGrid
from codecctl.dashboard.colors import ColorBook
from codecctl.dashboard.curves import run_source
from codecctl.dashboard.keys_footer import KeysFooter
from codecctl.dashboard.line import Line
from codecctl.dashboard.listing import Listing
from codecctl.dashboard.notes import EMPTY, note_text
from codecctl.dashboard.run_choice import RunChoice, next_sorting
from codecctl.dashboard.run_filter import parse_filter
from codecctl.dashboard.runs_table import RunsTable
from codecctl.dashboard.still_text import StillText
from codecctl.dashboard.views import RunView, Snapshot

_FILTER_HINT = (
    "choose runs: word  profile:paired  val/mel<0.5  trainer.seed=7  name~^foo  -word  a (b | c)"
)


class RunsScreen(Screen[None]):
    """All runs of a folder."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Open", id="runs.open_chosen", tooltip="The page of the run"),
        Binding("escape", "clear", "Clear", show=False, id="runs.clear", tooltip="Filter, zoom"),
        Binding("space", "draw", "Draw", id="runs.draw", tooltip="Draw this run or not"),
        *(
            Binding(key, action, label, show=False, id=f"runs.{action}", tooltip=tooltip)
            for key, action, label, tooltip in (
                ("b", "pin", "Pin", "As the baseline"),
                ("F", "filter", "Runs", "Which are listed"),
                ("t", "sort", "Sort", "By another value"),
            )
        ),
    ]

    class Opened(Message):
        """A run was chosen."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.run_name = name

    class Toggled(Message):
        """A run is to be drawn, or no longer."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.run_name = name

    class Chosen(Message):
        """Other runs are to be listed, or in another order.

        Args:
            choice: Which.
        """

        def __init__(self, choice: RunChoice) -> None:
            super().__init__()
            self.choice = choice

    def __init__(self, folder: str) -> None:
        super().__init__()
        self._folder = folder
        self._runs: dict[str, RunView] = {}
        self._choice = RunChoice()

    def compose(self) -> ComposeResult:
        """Banner, table, line about the chosen run, charts, keys."""
        yield Banner(id="banner")
        yield Line(placeholder=_FILTER_HINT, id="run-filter", classes="line", compact=True)
        yield RunsTable(id="runs")
        yield StillText(id="run-note")
        yield ChartGrid(id="overview")
        yield Static(EMPTY.format(folder=self._folder), id="empty", markup=False)
        yield KeysFooter()

    def on_mount(self) -> None:
        """Keys go to the table."""
        self.query_one("#empty").display = False
        self.query_one(RunsTable).focus()

    def show(
        self, snapshot: Snapshot, shown: Collection[str], book: ColorBook, choice: RunChoice
    ) -> None:
        """Exchange everything for what was just read."""
        self._choice = choice
        self._runs = dict(snapshot.by_name())
        empty = not snapshot.runs
        self.query_one(Banner).show_folder(self._folder, snapshot, choice.words())
        self.query_one("#empty").display = empty
        for part in ("#runs", "#run-note", "#overview"):
            self.query_one(part).display = not empty
        table = self.query_one(RunsTable)
        listed = choice.listed(snapshot.runs)
        drawn = [run for run in listed if run.name in shown or run.name == choice.pinned]
        table.show_runs(
            listed, {run.name for run in drawn}, book, pinned=self._runs.get(choice.pinned)
        )
        self._write_note()
        drawn.sort(key=lambda run: run.name == choice.pinned)  # drawn last: above the others
        self.query_one(ChartGrid).show(
            [
                run_source(run, color=book.color(run.name), letter=book.letter(run.name))
                for run in drawn
            ],
            empty_text="no values yet" if drawn else _nothing_drawn(listed),
        )

    def selected_run(self) -> RunView | None:
        """The run under the cursor."""
        return self._runs.get(self.query_one(RunsTable).selected_key or "")

    @on(Listing.RowHighlighted)
    def _write_note(self) -> None:
        run = self.selected_run()
        self.query_one("#run-note", StillText).tell("" if run is None else note_text(run))

    @on(Listing.RowSelected)
    def _row_selected(self, event: Listing.RowSelected) -> None:
        if event.row_key.value is not None:
            self.post_message(self.Opened(event.row_key.value))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys of runs exist where there are runs."""
        if action in ("open", "draw", "pin", "filter", "sort"):
            return bool(self._runs)
        return super().check_action(action, parameters)

    def action_open(self) -> None:
        """Open the run under the cursor, from wherever the keys are."""
        run = self.selected_run()
        if run is not None:
            self.post_message(self.Opened(run.name))

    def action_draw(self) -> None:
        """Draw the run under the cursor, or no longer."""
        run = self.selected_run()
        if run is not None:
            self.post_message(self.Toggled(run.name))

    def action_pin(self) -> None:
        """Pin the run under the cursor, or no longer."""
        run = self.selected_run()
        if run is not None:
            pinned = "" if run.name == self._choice.pinned else run.name
            self.post_message(self.Chosen(replace(self._choice, pinned=pinned)))

    def action_sort(self) -> None:
        """Sort by the next thing."""
        following = next_sorting(list(self._runs.values()), self._choice.sort_by)
        self.post_message(self.Chosen(replace(self._choice, sort_by=following)))

    def action_filter(self) -> None:
        """Show the line that chooses runs and put the keys there."""
        line = self.query_one("#run-filter", Input)
        line.add_class("-open")
        line.focus()

    @on(Input.Changed, "#run-filter")
    def _filter_typed(self, event: Input.Changed) -> None:
        event.stop()
        chosen = parse_filter(event.value)
        self.post_message(self.Chosen(replace(self._choice, run_filter=chosen)))

    @on(Input.Submitted, "#run-filter")
    def _filter_done(self, event: Input.Submitted) -> None:
        event.stop()
        event.input.set_class(bool(event.value), "-open")
        self.query_one(RunsTable).focus()

    @on(Line.Cancelled)
    def _line_cancelled(self, event: Line.Cancelled) -> None:
        event.stop()
        self.action_clear()

    def action_clear(self) -> None:
        """Undo a filter, crosshair or zoom, and give the keys back to the table."""
        line = self.query_one("#run-filter", Input)
        if line.has_class("-open"):
            line.value = ""
            line.remove_class("-open")
        else:
            self.query_one(ChartGrid).clear()
        self.query_one(RunsTable).focus()


def _nothing_drawn(listed: Collection[RunView]) -> str:
    return "space draws the run under the cursor" if listed else "no run matches the filter"
