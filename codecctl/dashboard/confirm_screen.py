"""Asks before anything is written into a run."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from codecctl.dashboard.line import Line


class ConfirmScreen(ModalScreen[bool]):
    """A question with yes and no; yes needs its own key, so that enter alone changes nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", id="confirm.yes", tooltip="Do it"),
        Binding(
            "n,escape,q,enter", "answer(False)", "No", id="confirm.no", tooltip="Change nothing"
        ),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """The question and the two keys."""
        with Vertical(id="confirm"):
            yield Static(self._question, markup=False)
            yield Static("y yes   n no", id="confirm-keys", markup=False)

    def action_answer(self, yes: bool) -> None:
        """Close with the answer."""
        self.dismiss(yes)


class PromptScreen(ModalScreen[str]):
    """A question that is answered with a line; "" for nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss('')", "Nothing", id="prompt.nothing", tooltip="Change nothing"),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """The question and a line."""
        with Vertical(id="confirm"):
            yield Static(self._question, markup=False)
            yield Line(id="prompt", compact=True)
            yield Static("enter done   esc nothing", id="confirm-keys", markup=False)

    @on(Line.Cancelled)
    def _line_cancelled(self, event: Line.Cancelled) -> None:
        event.stop()
        self.dismiss("")

    @on(Input.Submitted)
    def _answered(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(event.value)
