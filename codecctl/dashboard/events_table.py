"""What happened in a run, the newest first."""

from __future__ import annotations

import time

from rich.text import Text

from codecctl.dashboard.codes import VERDICT_STYLES
from codecctl.dashboard.curves import searcher
from codecctl.dashboard.listing import Cell, ListColumn, Listing
from codecctl.dashboard.views import RunView
from codecctl.dashboard.wording import first_line
from codecctl.engine.rundir import Row, number

_COLUMNS = (
    ListColumn("time", 15),
    ListColumn("step", 9, right=True),
    ListColumn("event", 11),
    ListColumn("message", 0),
)
_STYLES = {
    "warning": "bold yellow",
    "failed": "bold red",
    "validation": "cyan",
    "checkpoint": "blue",
    "finished": "bold green",
    "started": "bold",
    "resumed": "bold",
    "served": "bold cyan",
}


class EventsTable(Listing):
    """One row for each event."""

    HELP = """
    ## Events

    Starts, validations, checkpoints, previews, verdicts and warnings. The line below the table
    holds the whole message of the row under the cursor. `/` searches, with a regular expression.
    """

    def __init__(self) -> None:
        super().__init__(_COLUMNS, id="events-table")
        self._messages: dict[str, str] = {}
        self.pattern = ""
        """A regular expression that kind or message of a shown event matches."""

    def show_run(self, run: RunView) -> None:
        """Exchange the rows."""
        found = run.detail.events if run.detail is not None else ()
        matches = searcher(self.pattern)
        numbered = [
            (_key(row, index), row)
            for index, row in enumerate(found)
            if matches(f"{row.get('kind')} {row.get('message')}")
        ]
        self._messages = {key: str(row.get("message", "")) for key, row in numbered}
        self.show_rows({key: _cells(row) for key, row in reversed(numbered)})

    def selected_message(self) -> str:
        """The whole message of the row under the cursor."""
        return self._messages.get(self.selected_key or "", "")


def _key(row: Row, index: int) -> str:
    return f"{row.get('time')}-{index}"


def _cells(row: Row) -> list[Cell]:
    kind = str(row.get("kind", ""))
    moment = number(row.get("time"))
    clock = "" if moment is None else time.strftime("%b %d %H:%M:%S", time.localtime(moment))
    step = number(row.get("step"))
    return [
        clock,
        ("" if step is None else f"{step:.0f}"),
        Text(kind, style=_STYLES.get(kind, VERDICT_STYLES.get(str(row.get("verdict")), ""))),
        first_line(str(row.get("message", ""))),
    ]
