"""The last line of every page: the keys that act now."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import Footer
from textual.widgets._footer import FooterKey  # it has no public name


class KeysFooter(Footer):
    """Textual's, made anew only when it would look different.

    Textual does so whenever the focus moves, a value changes or a page is drawn, mostly with the
    same keys: a third of what opening the page of a run computed.
    """

    def __init__(self) -> None:
        super().__init__(show_command_palette=False, compact=True)
        self._keys: list[tuple[Binding, bool, str]] = []

    def compose(self) -> ComposeResult:
        """The keys that act, none before they are known."""
        for binding, enabled, tooltip in self._keys:
            yield FooterKey(
                binding.key,
                self.app.get_key_display(binding),
                binding.description,
                binding.action,
                disabled=not enabled,
                tooltip=tooltip,
                classes="-compact",
            )

    def bindings_changed(self, screen: Screen[object]) -> None:
        """Follow the keys once the page is drawn; out of focus they stay, but never nothing."""
        follows = screen.app.app_focus or not self._keys
        if follows and self.is_attached and screen is self.screen:
            self.call_after_refresh(self._follow)

    async def _follow(self) -> None:
        if not self.is_attached:
            return
        first: dict[str, tuple[Binding, bool, str]] = {}
        for _, binding, enabled, tooltip in self.screen.active_bindings.values():
            if binding.show:
                first.setdefault(binding.action, (binding, enabled, tooltip))
        if self._keys != (keys := [*first.values()]):
            self._keys = keys
            await self.recompose()
