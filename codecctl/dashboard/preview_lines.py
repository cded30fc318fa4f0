"""The two lines above a preview, which also answer to the mouse."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual import events
from textual.message import Message

from codecctl.dashboard.still_text import StillText


class ChoiceLine(StillText):
    """A line of text, parts of which can be clicked.

    Args:
        id: Of the widget.
    """

    class Clicked(Message):
        """A part was clicked."""

        def __init__(self, line: ChoiceLine, value: str) -> None:
            super().__init__()
            self.line, self.value = line, value

        @property
        def control(self) -> ChoiceLine:
            """The line."""
            return self.line

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, markup=False)
        self._places: list[tuple[int, int, str]] = []

    def show(self, parts: Sequence[tuple[str, str, str]]) -> None:
        """Exchange the line.

        Args:
            parts: Text, style and what a click on it means, "" for nothing.
        """
        line, self._places = Text(), []
        for text, style, value in parts:
            if value:
                self._places.append((len(line), len(line) + len(text), value))
            line.append(text, style)
        self.tell(line)

    def on_click(self, event: events.Click) -> None:
        """Say what was clicked."""
        column = event.get_content_offset_capture(self).x
        for start, end, value in self._places:
            if start <= column < end:
                event.stop()
                self.post_message(self.Clicked(self, value))
