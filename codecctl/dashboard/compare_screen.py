"""The page that compares checkpoints: metrics item by item, settings and weights that differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static, TabbedContent, TabPane, Tabs

from codecctl.dashboard.aligned import Alignment
from codecctl.dashboard.chart_grid import ChartGrid
from codecctl.dashboard.comparison import Against, Comparison, Mark, RunCurves, compare_marks
from codecctl.dashboard.keys_footer import KeysFooter
from codecctl.dashboard.line import Line
from codecctl.dashboard.listing import Cell, ListColumn, Listing
from codecctl.dashboard.tab_pages import TabPages
from codecctl.dashboard.views import metric_rank
from codecctl.dashboard.wording import column_text, higher_is_better, value_text
from codecctl.engine.paired_statistics import ALL_SCENES, Difference

TABS = ("metrics", "settings", "weights", "curves")
_METRIC_COLUMNS = (
    ListColumn("metric", 0),
    ListColumn("scene", 14),
    ListColumn("items", 5, from_width=108, right=True),
    ListColumn("first", 9, from_width=100, right=True),
    ListColumn("this", 9, from_width=100, right=True),
    ListColumn("change", 11, right=True),
    ListColumn("95 % of the change", 20, right=True),
    ListColumn("better", 6, from_width=116, right=True),
    ListColumn("p", 7, from_width=120, right=True),
)
_WEIGHT_COLUMNS = (
    ListColumn("module", 0),
    ListColumn("values", 10, right=True),
    ListColumn("norm", 9, right=True),
    ListColumn("change", 9, right=True),
    ListColumn("relative", 9, right=True),
)


class CompareScreen(Screen[None]):
    """Checkpoints against the first that was marked.

    Args:
        marks: Two or more, the baseline first.
    """

    HELP = """
    ## Comparison

    The first marked checkpoint is the baseline. *change* is the median of the differences item by
    item (Hodges-Lehmann) with its 95 % interval, *better* the share of items on which the other
    checkpoint wins, *p* that of the exact signed-rank test. `✓` and `✗`: the interval leaves zero
    out. Many metrics are tested at once: one in twenty has such a mark by chance. Items count as
    independent: of few recordings the interval holds for these alone. `2` shows settings that
    differ, `3` how far the weights of each module went, and `4` the curves of the runs: there *x*
    counts steps, epochs, training time, audio heard or the clock, and *A* puts the start, the best
    or the marked checkpoint of each run at 0. `n` goes to the next checkpoint, `p` opens the
    previews of the other checkpoint, `P` of the first.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back", id="compare.back", tooltip="To the page before"),
        Binding(  # the title names the key where there are more than two
            "n", "next", "Next", show=False, id="compare.next", tooltip="The next checkpoint"
        ),
        Binding("p", "previews(True)", "Previews", id="compare.previews", tooltip="Of the other"),
        Binding(
            "P",
            "previews(False)",
            "Of the first",
            show=False,
            id="compare.previews_first",
            tooltip="Previews of the first checkpoint",
        ),
        Binding("A", "align", "Align", id="compare.align", tooltip="Curves: what is at 0"),
        *(
            Binding(
                str(number),
                f"tab('{name}')",
                name.capitalize(),
                show=False,
                id=f"compare.{name}",
                tooltip=f"The tab {name}",
            )
            for number, name in enumerate(TABS, start=1)
        ),
    ]

    class Compared(Message):
        """The files have been read."""

        def __init__(self, comparison: Comparison) -> None:
            super().__init__()
            self.comparison = comparison

    class PreviewsWanted(Message):
        """The previews of a checkpoint are to be seen and heard."""

        def __init__(self, mark: Mark) -> None:
            super().__init__()
            self.mark = mark

    def __init__(self, marks: Sequence[Mark]) -> None:
        super().__init__()
        self._alignment = Alignment.START
        self._marks = tuple(marks)
        self._comparison: Comparison | None = None
        self._index = 0

    def compose(self) -> ComposeResult:
        """What is compared, tabs, keys."""
        yield Static("reading…", id="compare-title", markup=False)
        with TabPages(id="compare-tabs"):
            with TabPane("Metrics", id="metrics"):
                yield Listing(_METRIC_COLUMNS, id="compare-metrics")
            with TabPane("Settings", id="settings"):
                columns = [ListColumn("key", 0), *(ListColumn(m.text, 0) for m in self._marks)]
                yield Listing(columns, id="compare-settings")
            with TabPane("Weights", id="weights"):
                yield Listing(_WEIGHT_COLUMNS, id="compare-weights")
                yield Static(id="compare-unlike", classes="whole-row", markup=False)
            with TabPane("Curves", id="curves"):
                yield Static(id="compare-runs", classes="whole-row", markup=False)
                yield ChartGrid(id="compare-curves")
        yield KeysFooter()

    def on_mount(self) -> None:
        """Start to read."""
        self._read()

    @work(thread=True, group="comparison")
    def _read(self) -> None:
        self.post_message(self.Compared(compare_marks(self._marks)))

    def on_compare_screen_compared(self, event: Compared) -> None:
        """Show what was read."""
        self._comparison = event.comparison
        settings = event.comparison.settings
        self.query_one("#compare-settings", Listing).show_rows(
            {key: [key, *values] for key, values in settings.items()}
        )
        self._show()
        self._show_curves()

    def action_next(self) -> None:
        """Show the next checkpoint against the first."""
        self._index = (self._index + 1) % (len(self._marks) - 1)
        self._show()

    def action_tab(self, name: str) -> None:
        """Open a tab."""
        self.query_one(TabbedContent).active = name

    def action_previews(self, other: bool) -> None:
        """Ask for the previews of the other checkpoint, or of the first."""
        first, *others = self._marks
        self.post_message(self.PreviewsWanted(others[self._index] if other else first))

    def action_align(self) -> None:
        """Put the next moment of each run at 0."""
        every = list(Alignment)
        self._alignment = every[(every.index(self._alignment) + 1) % len(every)]
        self._show_curves()

    def action_back(self) -> None:
        """Undo a filter, crosshair or zoom; when there is none, leave the page."""
        grid = self.active_grid()
        if grid is None or not grid.clear():
            self.dismiss()

    @on(Line.Cancelled)
    def _line_cancelled(self, event: Line.Cancelled) -> None:
        event.stop()
        self.action_back()

    def active_grid(self) -> ChartGrid | None:
        """The curves, where they are open."""
        is_open = self.query_one(TabbedContent).active == "curves"
        return self.query_one(ChartGrid) if is_open else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Curves are aligned where they are."""
        if action == "align":
            return bool(self.query(TabbedContent)) and self.active_grid() is not None
        return super().check_action(action, parameters)

    @on(TabbedContent.TabActivated)
    def _give_keys(self, event: TabbedContent.TabActivated) -> None:
        """Draw what was hidden; keys go to what the tab shows."""
        self.refresh_bindings()
        if event.pane.id != self.query_one(TabbedContent).active:
            return  # another tab was opened meanwhile; to focus what is hidden would go back
        for widget in event.pane.query("Listing, LineChart"):
            if widget.focusable and widget.display:
                widget.focus()
                return
        self.query_one(Tabs).focus()  # charts are still to come, and `?` tells about what has keys

    def _show_curves(self) -> None:
        if self._comparison is None:
            return
        curves = self._comparison.curves
        grid = self.query_one(ChartGrid)
        # Steps of one alignment mean nothing in the other.
        grid.view_state = replace(grid.view_state, window=None, cursor=None)
        grid.show([each.placed(self._alignment) for each in curves])
        parts = [f"{each.source.letter} {each.source.name}" for each in curves]
        if self._alignment is not Alignment.START:
            parts += [f"0 is the {self._alignment.value}"]
            parts += [f"{each.source.name} has none" for each in curves if self._lacks(each)]
        self.query_one("#compare-runs", Static).update(" · ".join(parts))

    def _lacks(self, each: RunCurves) -> bool:
        return self._alignment is Alignment.BEST and each.best is None

    def _show(self) -> None:
        if self._comparison is None:
            return
        against = self._comparison.others[self._index]
        title = f"{self._comparison.first.text} against {against.mark.text}"
        if len(self._marks) > 2:
            title += f" ({self._index + 1}/{len(self._marks) - 1}, n for the next)"
        if not against.differences:
            title += " · no validation items in common"
        self.query_one("#compare-title", Static).update(title)
        ordered = sorted(against.differences, key=_place)
        self.query_one("#compare-metrics", Listing).show_rows(
            {f"{each.metric} {each.scene}": difference_cells(each) for each in ordered}
        )
        self._show_weights(against)

    def _show_weights(self, against: Against) -> None:
        self.query_one("#compare-weights", Listing).show_rows(
            {
                each.layer: [
                    each.layer,
                    str(each.count),
                    column_text(each.norm),
                    column_text(each.change),
                    f"{each.change / each.norm:.1%}" if each.norm else "-",
                ]
                for each in against.layers
            }
        )
        unlike = ", ".join(against.unlike)
        text = against.problem or (f"without a counterpart: {unlike}" if unlike else "")
        self.query_one("#compare-unlike", Static).update(text)


def _place(each: Difference) -> tuple[tuple[bool, int, str], str]:
    return metric_rank(f"val/{each.metric}"), each.scene


def difference_cells(each: Difference) -> list[Cell]:
    """A row of the table of metrics."""
    mark, style = "", ""
    if each.is_significant:
        better = (each.center > 0) == higher_is_better(each.metric)
        mark, style = (" ✓", "green") if better else (" ✗", "red")
    interval = "needs 6 items"
    if math.isfinite(each.low):
        interval = f"{_signed(each.low)} … {_signed(each.high)}"
    whole = each.scene == ALL_SCENES
    return [
        Text(each.metric if whole else f"  {each.metric}", style="bold" if whole else "dim"),
        "all" if whole else each.scene,
        str(each.count),
        column_text(each.first),
        column_text(each.second),
        Text(_signed(each.center) + mark, style=style),
        interval,
        "-" if math.isnan(each.win_rate) else f"{each.win_rate:.0%}",
        f"{each.p:.2g}",
    ]


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + value_text(value, digits=3)
