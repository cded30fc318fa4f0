"""The alerts since the dashboard was opened, the newest first."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static

from codecctl.dashboard.keys_footer import KeysFooter
from codecctl.dashboard.listing import ListColumn, Listing

if TYPE_CHECKING:
    from codecctl.dashboard.alerts import Told

_COLUMNS = (ListColumn("time", 15), ListColumn("run", 24), ListColumn("what happened", 0))
_STYLES = {"error": "bold red", "warning": "bold yellow", "information": ""}


class AlertsScreen(Screen[None]):
    """What was told.

    Args:
        told: Alerts in the order in which they came.
    """

    HELP = """
    ## Alerts

    What was told since the dashboard was opened: losses that are not finite, stalls, warnings of
    the training such as a collapsing codebook, better checkpoints, ends. `enter` opens the run.
    The page of a run has its whole history under *Events*.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Back", id="alerts.back", tooltip="To the page before"),
    ]

    class RunWanted(Message):
        """The page of a run is to be opened."""

        def __init__(self, run_name: str) -> None:
            super().__init__()
            self.run_name = run_name

    def __init__(self, told: Sequence[Told]) -> None:
        super().__init__()
        self._told = list(told)

    def compose(self) -> ComposeResult:
        """A title, the alerts, keys."""
        count = len(self._told)
        yield Static(f"{count} alert" + "s" * (count != 1), id="alerts-title", markup=False)
        yield Listing(_COLUMNS, id="alerts-table")
        yield KeysFooter()

    def on_mount(self) -> None:
        """Show what was told so far; keys go to it."""
        listing = self.query_one(Listing)
        listing.show_rows(
            {
                str(number): [
                    time.strftime("%b %d %H:%M:%S", time.localtime(each.time)),
                    each.alert.run,
                    Text(each.alert.text, style=_STYLES[each.alert.severity]),
                ]
                for number, each in reversed(list(enumerate(self._told)))
            }
        )
        listing.focus()

    @on(Listing.RowSelected)
    def _open_run(self) -> None:
        key = self.query_one(Listing).selected_key
        if key is not None:
            self.post_message(self.RunWanted(self._told[int(key)].alert.run))
