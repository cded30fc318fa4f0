"""Tabs and the focus: a key that opens a tab is not undone by an older message."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Button, TabPane

from codecctl.dashboard.tab_pages import TabPages


class Tabbed(App[None]):
    def compose(self) -> ComposeResult:
        with TabPages(initial="one"):
            with TabPane("One", id="one"):
                yield Button(id="first")
            with TabPane("Two", id="two"):
                yield Button(id="second")


async def test_a_tab_that_was_opened_after_a_focus_stays_open() -> None:
    app = Tabbed()
    async with app.run_test() as pilot:
        await pilot.pause()
        app.query_one("#first", Button).focus()
        tabs = app.query_one(TabPages)
        tabs.active = "two"  # before the message of the focus was handled
        for _ in range(3):
            await pilot.pause()
        assert tabs.active == "two"
        assert app.query_one("#two").display and not app.query_one("#one").display
