"""How the dashboard shows help, and the keys that read on in it."""

from __future__ import annotations

from textual import events
from textual.binding import Binding
from textual.widgets import Input

from codecctl.dashboard.pages import Pages

HELP_KEYS: tuple[Binding, ...] = (
    Binding("question_mark", "help", "Help", id="app.help", key_display="?", tooltip="This"),
    Binding("f1", "help", "Help", id="app.help_typing", tooltip="This, also while one types"),
)
_LINES = {"down": 1, "j": 1, "up": -1, "k": -1, "pagedown": 10, "pageup": -10}
"""How far a key reads on. No bindings: the panel lists what these keys do on the page."""


class HelpPages(Pages):
    """The part of the application that helps."""

    def action_help(self) -> None:
        """Show or hide the panel with help and all keys."""
        if self.screen.query("Help"):
            self.action_hide_help_panel()
        else:
            self.action_show_help_panel()

    def action_show_help_panel(self) -> None:
        """Show it."""
        # Here, not above: it brings a Markdown parser that the first screen can do without.
        from codecctl.dashboard.help_panel import Help

        if not self.screen.query(Help):
            self.screen.mount(Help())

    async def on_event(self, event: events.Event) -> None:
        """Let keys read on while the panel is open and nothing is typed, else do what they do."""
        if not (isinstance(event, events.Key) and not event.is_forwarded and self._reads(event)):
            await super().on_event(event)

    def _reads(self, event: events.Key) -> bool:
        if event.key not in _LINES or isinstance(self.focused, Input):
            return False
        if not self.screen.query("Help"):
            return False
        from codecctl.dashboard.help_panel import Help

        self.screen.query_one(Help).scroll_by(_LINES[event.key])
        return True
