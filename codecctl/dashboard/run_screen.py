"""The page of one run, in tabs."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Log, Static, TabbedContent, TabPane, Tabs

from codecctl.dashboard.array_pane import ArrayPane
from codecctl.dashboard.banner import Banner
from codecctl.dashboard.chart_grid import ChartGrid
from codecctl.dashboard.checkpoints_table import CheckpointMetrics, CheckpointsTable
from codecctl.dashboard.codes import Codes
from codecctl.dashboard.colors import ColorBook
from codecctl.dashboard.curves import Source, run_source
from codecctl.dashboard.events_table import EventsTable
from codecctl.dashboard.keys_footer import KeysFooter
from codecctl.dashboard.line import Line
from codecctl.dashboard.log_pane import LogPane
from codecctl.dashboard.previews import Previews
from codecctl.dashboard.profile_table import ProfileTable
from codecctl.dashboard.tab_pages import TabPages
from codecctl.dashboard.table import Table
from codecctl.dashboard.validation_table import ValidationTable
from codecctl.dashboard.views import RunView

_RUN_WIDGETS: dict[
    str,
    type[
        ValidationTable | Codes | Previews | CheckpointsTable | EventsTable | ProfileTable | LogPane
    ],
] = {
    "validation": ValidationTable,
    "codes": Codes,
    "previews": Previews,
    "checkpoints": CheckpointsTable,
    "events": EventsTable,
    "profile": ProfileTable,
    "log": LogPane,
}
_SEARCHED = {"events": "#event-search", "log": "#log-search"}
"""Tabs with a line that searches them."""
TABS = (
    "curves",
    "validation",
    "previews",
    "checkpoints",
    "events",
    "profile",
    "system",
    "codes",
    "log",
)


class RunScreen(Screen[None]):
    """One run.

    Args:
        run_name: Its name.
        previews_of: A step whose previews are opened at once; None for the curves.
    """

    HELP = """
    ## A run

    `1` to `9` open its tabs: curves, validation, previews, checkpoints, events, profile, system,
    codes and log. `tab` goes to what a tab shows, which has a help of its own. `escape` undoes a
    filter or zoom, then leaves. `w` saves a checkpoint now, `X` saves and stops, `R` resumes, `N`
    makes a new run of the same profile, `T` tags and `D` deletes, each after a question.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape", "back", "Back", id="run.back", tooltip="Undo a filter or zoom, or go back"
        ),
        Binding(
            "slash", "search", "Search", id="run.search", key_display="/", tooltip="Events, the log"
        ),
        *(
            Binding(
                str(number),
                f"tab('{name}')",
                name.capitalize(),
                show=False,
                id=f"run.{name}",
                tooltip=f"The tab {name}",
            )
            for number, name in enumerate(TABS, start=1)
        ),
    ]

    def __init__(self, run_name: str, *, previews_of: int | None = None) -> None:
        super().__init__()
        self._previews_of = previews_of
        self.run_name = run_name
        self._run: RunView | None = None
        self._color = 0

    def compose(self) -> ComposeResult:
        """Banner, tabs, keys."""
        yield Banner(id="banner")
        first = "curves" if self._previews_of is None else "previews"
        with TabPages(id="tabs", initial=first):
            with TabPane("Curves", id="curves"):
                yield ChartGrid(id="run-curves")
            with TabPane("Validation", id="validation"):
                yield ValidationTable()
                yield ArrayPane()
            with TabPane("Previews", id="previews"):
                yield Previews()
            with TabPane("Checkpoints", id="checkpoints"):
                yield CheckpointsTable()
                yield CheckpointMetrics()
            with TabPane("Events", id="events"):
                yield Line(
                    placeholder="search kinds and messages: a regular expression",
                    id="event-search",
                    classes="line",
                    compact=True,
                )
                yield EventsTable()
                yield Static(id="event-message", classes="whole-row", markup=False)
            with TabPane("Profile", id="profile"):
                yield ProfileTable()
                yield Static(id="profile-row", classes="whole-row", markup=False)
            with TabPane("System", id="system"):
                yield ChartGrid(id="system-curves", smoothing=0.0)
            with TabPane("Codes", id="codes"):
                yield Codes()
            with TabPane("Log", id="log"):
                yield Line(
                    placeholder="search lines: a regular expression",
                    id="log-search",
                    classes="line",
                    compact=True,
                )
                yield LogPane()
        yield KeysFooter()

    def show(self, run: RunView | None, book: ColorBook) -> None:
        """Exchange what one sees for what was just read; None when the run is gone."""
        if run is None:
            self.query_one(Banner).show_gone(self.run_name)
            return
        self._run, self._color = run, book.color(run.name)
        self.query_one(Banner).show_run(run)
        if self._previews_of is not None and run.detail is not None:
            self._open_previews(self._previews_of)
        self._show_tab(self.query_one(TabbedContent).active)

    def _show_tab(self, tab: str) -> None:
        """Fill the open tab; the others cost nothing until they are opened."""
        run = self._run
        if run is None:
            return
        if tab == "curves":
            curves = [run_source(run, color=self._color)]
            self.query_one("#run-curves", ChartGrid).show(curves)
        elif tab == "system":
            system = run.detail.system if run.detail is not None else Table("time")
            source = Source(system, Table(), run.steps_per_epoch, self._color, name=self.run_name)
            self.query_one("#system-curves", ChartGrid).show([source])
        elif tab in _RUN_WIDGETS:
            self.query_one(_RUN_WIDGETS[tab]).show_run(run)
            if tab == "validation":
                self.query_one(ArrayPane).show_run(run)

    def active_grid(self) -> ChartGrid | None:
        """The charts of the open tab, if it has any."""
        tab = self.query_one(TabbedContent).active
        grids = {"curves": "#run-curves", "system": "#system-curves"}
        return self.query_one(grids[tab], ChartGrid) if tab in grids else None

    def selected_step(self) -> int | None:
        """The step of the checkpoint under the cursor; None on other tabs."""
        if self.query_one(TabbedContent).active != "checkpoints":
            return None
        key = self.query_one(CheckpointsTable).selected_key
        infos = self._run.detail.checkpoints if self._run and self._run.detail else ()
        return next((info.step for info in infos if info.name == key), None)

    def action_tab(self, name: str) -> None:
        """Open a tab."""
        self.query_one(TabbedContent).active = name

    def action_back(self) -> None:
        """Undo a filter, crosshair or zoom; when there is none, leave the page."""
        grid = self.active_grid()
        line = self._search_line()
        if line is not None and line.has_class("-open"):
            line.value = ""
            line.remove_class("-open")
            self._focus_found()
        elif grid is None or not grid.clear():
            self.dismiss()

    @on(Line.Cancelled)
    def _line_cancelled(self, event: Line.Cancelled) -> None:
        event.stop()
        self.action_back()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Events and the log are searched where they are."""
        if action == "search":
            return self._search_line() is not None
        return super().check_action(action, parameters)

    def _search_line(self) -> Input | None:
        """The line that searches the open tab; None where there is none."""
        tabs = self.query(TabbedContent)
        name = _SEARCHED.get(tabs.first().active) if tabs else None
        return self.query_one(name, Input) if name else None

    def _focus_found(self) -> None:
        is_log = self.query_one(TabbedContent).active == "log"
        (self.query_one(Log) if is_log else self.query_one(EventsTable)).focus()

    def action_search(self) -> None:
        """Show the line that searches the open tab and put the keys there."""
        line = self._search_line()
        if line is not None:
            line.add_class("-open")
            line.focus()

    @on(Input.Changed, "#event-search,#log-search")
    def _search_typed(self, event: Input.Changed) -> None:
        event.stop()
        if event.input.id == "log-search":
            pane = self.query_one(LogPane)
            pane.pattern = event.value
            pane.draw()
        else:
            self.query_one(EventsTable).pattern = event.value
            self._show_tab("events")

    @on(Input.Submitted, "#event-search,#log-search")
    def _search_done(self, event: Input.Submitted) -> None:
        event.stop()
        event.input.set_class(bool(event.value), "-open")
        self._focus_found()

    @on(TabbedContent.TabActivated)
    def _give_keys(self, event: TabbedContent.TabActivated) -> None:
        """Fill the tab; keys go to what it shows."""
        if event.pane.id != self.query_one(TabbedContent).active:
            return  # another tab was opened meanwhile; to focus what is hidden would go back
        self._show_tab(event.pane.id or "")
        for widget in event.pane.query(Widget):
            if widget.focusable and widget.display and not isinstance(widget, Input):
                widget.focus()
                return
        self.query_one(Tabs).focus()  # charts are still to come, and `?` tells about what has keys

    def _open_previews(self, step: int) -> None:
        """Open the previews that are nearest to a step."""
        run, self._previews_of = self._run, None
        if run is None:
            return
        self.query_one(TabbedContent).active = "previews"
        previews = self.query_one(Previews)
        previews.show_run(run)
        previews.show_step(step)

    @on(CheckpointsTable.RowSelected, "#checkpoints-table")
    def _checkpoint_chosen(self) -> None:
        """From a checkpoint to what it sounds like."""
        step = self.selected_step()
        if step is not None:
            self._open_previews(step)

    @on(CheckpointsTable.RowHighlighted, "#checkpoints-table")
    def _show_metrics(self) -> None:
        metrics = self.query_one(CheckpointsTable).selected_metrics()
        self.query_one(CheckpointMetrics).show(metrics)

    @on(EventsTable.RowHighlighted, "#events-table")
    def _show_message(self) -> None:
        message = self.query_one(EventsTable).selected_message()
        self.query_one("#event-message", Static).update(message)

    @on(ProfileTable.RowHighlighted, "#profile-table")
    def _show_profile_row(self) -> None:
        text = self.query_one(ProfileTable).selected_text()
        self.query_one("#profile-row", Static).update(text)
