"""The page that compares checkpoints: metrics item by item, settings and weights that differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Footer, Static, TabbedContent, TabPane

from codecctl.dashboard.comparison import Against, Comparison, Mark, compare_marks
from codecctl.dashboard.listing import Cell, ListColumn, Listing
from codecctl.dashboard.views import metric_rank
from codecctl.dashboard.wording import higher_is_better, value_text
from codecctl.engine.paired_statistics import ALL_SCENES, Difference

TABS = ("metrics", "settings", "weights")
_METRIC_COLUMNS = (
    ListColumn("metric", 0),
    ListColumn("scene", 16),
    ListColumn("items", 5, right=True),
    ListColumn("first", 9, right=True),
    ListColumn("this", 9, right=True),
    ListColumn("change", 11, right=True),
    ListColumn("95 % of the change", 22, right=True),
    ListColumn("better", 6, right=True),
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
    independent: of few recordings the interval holds for these alone. Tab by tab: settings that
    differ, and how far the weights of each module went.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Back", id="compare.back", tooltip="To the page before"),
        Binding("n", "next", "Next", id="compare.next", tooltip="The next checkpoint"),
        *(
            Binding(
                str(number), f"tab('{name}')", name.capitalize(), show=False, id=f"compare.{name}"
            )
            for number, name in enumerate(TABS, start=1)
        ),
    ]

    class Compared(Message):
        """The files have been read."""

        def __init__(self, comparison: Comparison) -> None:
            super().__init__()
            self.comparison = comparison

    def __init__(self, marks: Sequence[Mark]) -> None:
        super().__init__()
        self._marks = tuple(marks)
        self._comparison: Comparison | None = None
        self._index = 0

    def compose(self) -> ComposeResult:
        """What is compared, tabs, keys."""
        yield Static("reading…", id="compare-title", markup=False)
        with TabbedContent(id="compare-tabs"):
            with TabPane("Metrics", id="metrics"):
                yield Listing(_METRIC_COLUMNS, id="compare-metrics")
            with TabPane("Settings", id="settings"):
                columns = [ListColumn("key", 0), *(ListColumn(m.text, 0) for m in self._marks)]
                yield Listing(columns, id="compare-settings")
            with TabPane("Weights", id="weights"):
                yield Listing(_WEIGHT_COLUMNS, id="compare-weights")
                yield Static(id="compare-unlike", classes="whole-row", markup=False)
        yield Footer(show_command_palette=False, compact=True)

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

    def action_next(self) -> None:
        """Show the next checkpoint against the first."""
        self._index = (self._index + 1) % (len(self._marks) - 1)
        self._show()

    def action_tab(self, name: str) -> None:
        """Open a tab."""
        self.query_one(TabbedContent).active = name

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
                    value_text(each.norm),
                    value_text(each.change),
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
        value_text(each.first),
        value_text(each.second),
        Text(_signed(each.center) + mark, style=style),
        interval,
        "-" if math.isnan(each.win_rate) else f"{each.win_rate:.0%}",
        f"{each.p:.2g}",
    ]


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + value_text(value, digits=3)
