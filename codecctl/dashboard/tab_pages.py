"""Tabs that keys and the mouse change, and nothing else."""

from __future__ import annotations

from textual.widgets import TabbedContent, TabPane


class TabPages(TabbedContent):
    """Tabs of a screen.

    Textual's own go back to a pane that is given the focus, by a message that may be older than
    the key that opened another one: a `3` soon after a run was opened was undone.
    """

    def on_tab_pane_focused(self, event: TabPane.Focused) -> None:
        """Leave the tab that is open."""
        event.stop()
        event.prevent_default()
