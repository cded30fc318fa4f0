"""The panel with help and all keys of what has the keys."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import HelpPanel, KeyPanel, Markdown, Static


class Help(HelpPanel):
    """Textual's, with a line that says how to read on."""

    def compose(self) -> ComposeResult:
        """The line, what the page is, its keys."""
        yield Static("↑ ↓ j k pgup pgdn read on · ? close", id="help-keys", markup=False)
        yield from super().compose()

    def scroll_by(self, lines: int) -> None:
        """Scroll what stands above to its end, then the keys below it; up the other way round."""
        parts: list[Widget] = [self.query_one(Markdown), self.query_one(KeyPanel)]
        for part in parts if lines > 0 else reversed(parts):
            rest = part.max_scroll_y - part.scroll_target_y if lines > 0 else part.scroll_target_y
            if rest > 0:
                part.scroll_relative(y=lines, animate=False)
                return
