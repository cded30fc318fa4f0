"""The footer is made anew when other keys act, and left alone while the same do."""

from __future__ import annotations

from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.pilot import Pilot
from textual.widgets import Static
from textual.widgets._footer import FooterKey

from codecctl.dashboard.keys_footer import KeysFooter


class Plain(Static, can_focus=True):
    """Has no keys of its own."""


class Own(Static, can_focus=True):
    """Has two, one of them for two keys; a third is not shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,right", "walk", "Walk"),
        Binding("u", "up", "Up", tooltip="Higher"),
        Binding("d", "down", "Down", show=False),
    ]

    def action_up(self) -> None:
        """Tell that it was called."""
        self.add_class("up")


class Page(App[None]):
    """Three that can have the keys."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("x", "end", "End")]
    may_end = True

    def compose(self) -> ComposeResult:
        """Two without keys, one with."""
        yield Plain(id="first")
        yield Plain(id="second")
        yield Own(id="own")
        yield KeysFooter()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """None: shown, but cannot be used."""
        return None if action == "end" and not self.may_end else True


def keys(app: App[None]) -> list[FooterKey]:
    return list(app.screen.query(FooterKey))


async def focus(app: App[None], pilot: Pilot[None], name: str) -> list[str]:
    app.screen.query_one(name).focus()
    await pilot.pause()
    return [f"{key.key_display} {key.description}" for key in keys(app)]


async def test_the_footer_follows_the_keys_and_is_left_alone_while_they_stay() -> None:
    app = Page()
    async with app.run_test() as pilot:
        assert await focus(app, pilot, "#first") == ["x End"]
        before = keys(app)
        await focus(app, pilot, "#second")
        app.refresh_bindings()
        await pilot.pause()
        assert keys(app) == before
        assert await focus(app, pilot, "#own") == ["← Walk", "u Up", "x End"]
        assert [key.tooltip for key in keys(app)][1] == "Higher"
        assert await focus(app, pilot, "#second") == ["x End"]


async def test_a_key_that_cannot_be_used_now_is_dim_and_one_is_clicked() -> None:
    app = Page()
    async with app.run_test() as pilot:
        await focus(app, pilot, "#own")
        assert not any(key.has_class("-disabled") for key in keys(app))
        app.may_end = False
        app.refresh_bindings()
        await pilot.pause()
        assert [key.has_class("-disabled") for key in keys(app)] == [False, False, True]
        await pilot.click(keys(app)[1])
        await pilot.pause()
        assert app.screen.query_one("#own").has_class("up")


async def test_a_page_that_opens_out_of_focus_still_names_its_keys() -> None:
    class Unfocused(Page):
        def on_mount(self) -> None:
            self.app_focus = False

    app = Unfocused()
    async with app.run_test() as pilot:
        await pilot.pause()
        assert not app.app_focus
        assert [key.description for key in app.query(FooterKey)] == ["End"]
