"""What to listen to first: the validation items, the worst one first."""

from __future__ import annotations

import math
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from codecctl.dashboard.listing import Cell, ListColumn, Listing
from codecctl.dashboard.loaded import Loaded
from codecctl.dashboard.views import ItemScore, RunView, metric_rank
from codecctl.dashboard.wording import column_text, higher_is_better

MOST_ROWS = 500
_COLUMNS = (
    ListColumn("item", 5, right=True),
    ListColumn("error", 10, right=True),
    ListColumn("recording", 0),
    ListColumn("second", 8, right=True),
    ListColumn("capsules", 12),
    ListColumn("scene", 16, from_width=90),
    ListColumn("heard", 8),
)


class QueueView(Listing):
    """One row for each validation item at the newest validation."""

    HELP = """
    ## Queue

    The fixed validation items by their error at the newest validation, the worst first. `enter`
    goes to the preview of an item where there is one (`trainer.previews.items` says how many there
    are), else to its second in the store. `k` sorts by another metric.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "Listen", id="queue.listen", tooltip="To this item"),
        Binding("k", "metric", "Metric", id="queue.metric", tooltip="Sort by another metric"),
    ]

    class Chosen(Message):
        """An item is to be looked at."""

        def __init__(self, item: int) -> None:
            super().__init__()
            self.item = item

    def __init__(self) -> None:
        super().__init__(_COLUMNS, id="queue")
        self._items: tuple[ItemScore, ...] = ()
        self._previewed: frozenset[int] = frozenset()
        self._best = ""
        self.metric = ""

    def show(self, _loaded: Loaded, _channel: int) -> None:
        """Nothing depends on the item that is open."""

    def show_run(self, run: RunView, previewed: frozenset[int]) -> None:
        """Exchange the items.

        Args:
            run: Of which.
            previewed: Numbers of items that can be heard.
        """
        items = run.detail.items if run.detail is not None else ()
        best = run.best_metric.removeprefix("val/")
        if items is not self._items or (previewed, best) != (self._previewed, self._best):
            self._items, self._previewed, self._best = items, previewed, best
            self._fill_rows()

    def metrics(self) -> list[str]:
        """What items can be sorted by, the one of the best checkpoint first."""
        names = {name for item in self._items for name in item.values if "/capsule" not in name}
        return sorted(names, key=lambda name: (name != self._best, metric_rank(f"val/{name}")))

    def action_metric(self) -> None:
        """Sort by the next metric."""
        names = self.metrics()
        if names:
            index = names.index(self.metric) if self.metric in names else -1
            self.metric = names[(index + 1) % len(names)]
            self._fill_rows()
            self.move_cursor(row=0)

    def on_data_table_row_selected(self, event: Listing.RowSelected) -> None:
        """Go to the item under the cursor."""
        event.stop()
        if event.row_key.value is not None:
            self.post_message(self.Chosen(int(event.row_key.value)))

    def _fill_rows(self) -> None:
        names = self.metrics()
        if self.metric not in names:
            self.metric = names[0] if names else ""
        self.rename_column(1, self.metric or "error")
        ranked = worst_first(self._items, self.metric)[:MOST_ROWS]
        self.show_rows({str(item.item): self._cells(item) for item in ranked})

    def _cells(self, item: ItemScore) -> list[Cell]:
        numbers = [str(channel + 1) for channel in item.channels]
        capsules = ", ".join(numbers) if len(numbers) <= 3 else f"{len(numbers)} of them"
        return [
            str(item.item),
            column_text(item.values.get(self.metric)),
            item.recording,
            f"{item.seconds:.2f}",
            capsules,
            item.scene,
            "preview" if item.item in self._previewed else "",
        ]


def worst_first(items: tuple[ItemScore, ...], metric: str) -> list[ItemScore]:
    """Items that have a metric by falling error; what is not finite comes first."""
    sign = 1 if higher_is_better(metric) else -1

    def rank(item: ItemScore) -> tuple[bool, float, int]:
        value = item.values[metric]
        finite = math.isfinite(value)
        return finite, sign * value if finite else 0.0, item.item

    return sorted((item for item in items if metric in item.values), key=rank)
