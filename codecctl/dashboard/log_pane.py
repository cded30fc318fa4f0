"""What a training printed: train.log of a run and the files beside it, with search."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from functools import lru_cache
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Log

from codecctl.dashboard.curves import searcher
from codecctl.dashboard.still_text import StillText
from codecctl.dashboard.views import LogTail, RunView

_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ")
_INDENT = 2


class LogPane(Widget):
    """The end of one file at a time, followed while one looks at its last line."""

    HELP = """
    ## Log

    `train.log` of the run: what happened, and what its trainings said on the terminal, of the
    progress line a state every 30 s. `n` goes on to what else there is: `start.log` and
    `resume.log` hold the output of trainings that the dashboard started, `crash.txt` the
    traceback of one that failed. `/` keeps the lines that match a regular expression. Long files
    are shown from their last 256 kB on.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "next_file", "Next file", id="log.next", tooltip="crash.txt, resume.log, ..."),
    ]

    def __init__(self) -> None:
        super().__init__(id="log-pane")
        self.pattern = ""
        """A regular expression that shown lines match."""
        self._logs: tuple[LogTail, ...] = ()
        self._chosen = ""
        self._shown: list[str] = []

    def compose(self) -> ComposeResult:
        """Which file, and its lines."""
        yield StillText(id="log-title")
        yield Log(id="log-lines", max_lines=20_000)

    def show_run(self, run: RunView) -> None:
        """Exchange the lines for what was just read."""
        self._logs = run.detail.logs if run.detail is not None else ()
        self.draw()

    def action_next_file(self) -> None:
        """Show the next file."""
        names = [log.name for log in self._logs]
        if names:
            current = names.index(self._chosen) if self._chosen in names else 0
            self._chosen = names[(current + 1) % len(names)]
            self.draw()

    def on_resize(self) -> None:
        """Arrange the lines anew."""
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Write the lines that match; only what is new where the rest stands there already."""
        logs = {log.name: log for log in self._logs}
        log = logs.get(self._chosen) or next(iter(self._logs), None)
        found = list(self._lines(log))
        widget = self.query_one(Log)
        width = widget.scrollable_content_region.width
        lines = [row for line in found for row in wrapped(line, width)]
        if lines[: len(self._shown)] != self._shown:
            widget.clear()
            self._shown = []
        if new := lines[len(self._shown) :]:
            widget.write_lines(new)
        self._shown = lines
        self.query_one("#log-title", StillText).tell(self._title(log, len(found)))

    def _lines(self, log: LogTail | None) -> Iterator[str]:
        matches = searcher(self.pattern)
        yield from (line for line in (log.lines if log else ()) if matches(line))

    def _title(self, log: LogTail | None, shown: int) -> str:
        if log is None:
            return "no log yet"
        parts = [
            log.name,
            f"{shown} line{'s' if shown != 1 else ''}" + (" of the end" if log.is_cut else ""),
        ]
        parts += [f"only {self.pattern}"] if self.pattern else []
        others = [other.name for other in self._logs if other.name != log.name]
        parts += [f"n: {', '.join(others)}"] if others else []
        return " · ".join(parts)


@lru_cache(maxsize=4096)
def wrapped(line: str, width: int) -> tuple[str, ...]:
    """A line of a log in rows of some width; what does not fit goes on below what was said."""
    match = _TIME.match(line)
    indent = match.end() if match and match.end() < width // 2 else _INDENT
    if len(line) <= width or width <= 2 * _INDENT:
        return (line,)
    return tuple(
        textwrap.wrap(
            line,
            width,
            subsequent_indent=" " * indent,
            break_on_hyphens=False,
            replace_whitespace=False,
        )
    )
