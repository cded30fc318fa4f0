"""A text that costs something only when it changes."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static


class StillText(Static):
    """Words that are told again and again, and mostly stay the same.

    Its height follows the number of lines, not their length: lines are cut, never wrapped. So
    only another number of lines arranges the screen anew.
    """

    _shown: Text | None = None

    def tell(self, words: Text | str) -> None:
        """Show these words."""
        text = words if isinstance(words, Text) else Text(words)
        old, self._shown = self._shown, text
        if old is None:
            self.update(text)
        elif (text.plain, text.style, text.spans) != (old.plain, old.style, old.spans):
            self.update(text, layout=_num_lines(text) != _num_lines(old))


def _num_lines(text: Text) -> int:
    return text.plain.count("\n") + 1 if text.plain else 0
