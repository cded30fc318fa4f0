"""A line that one types into."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

_TYPED = {"slash", "backslash", "at", "minus", "plus", "underscore"}
"""Keys of one character under names by which Textual does not find the character."""


class Line(Input):
    """Shows in the footer what acts while one types; keys that type something are not among it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Done", id="line.done", tooltip="Take what is typed"),
        Binding("escape", "cancel", "Cancel", id="line.cancel", tooltip="Take nothing, or undo it"),
    ]

    class Cancelled(Message):
        """Nothing is to be taken; the page knows where the keys go."""

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Whether a key types something."""
        return key in _TYPED or super().check_consume_key(key, character)

    def action_cancel(self) -> None:
        """Tell the page."""
        self.post_message(self.Cancelled())
