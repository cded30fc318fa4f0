"""How one marks checkpoints, comes to their comparison, and from there to what they sound like."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from codecctl.dashboard.compare_screen import CompareScreen
from codecctl.dashboard.comparison import Mark, best_mark
from codecctl.dashboard.pages import Pages
from codecctl.dashboard.views import Snapshot


class ComparePages(Pages):
    """The part of the application that compares checkpoints.

    Attributes:
        folder: The folder of runs.
        marks: What is compared, the baseline first.
        snapshot: What was read last.
    """

    folder: Path
    marks: list[Mark]
    snapshot: Snapshot

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "mark", "Mark", show=False, id="app.mark", tooltip="Checkpoint to compare"),
        Binding("c", "compare", "Compare", show=False, id="app.compare", tooltip="What is marked"),
    ]

    def action_mark(self) -> None:
        """Mark the checkpoint under the cursor, or the best of the run; or no longer."""
        from codecctl.dashboard.run_screen import RunScreen

        run, screen = self.selected_run(), self.screen
        step = screen.selected_step() if isinstance(screen, RunScreen) else None
        if run is None:
            return
        path = run.summary.path
        mark = best_mark(path) if step is None else Mark(path, step)
        if mark is None:
            self.notify(f"{run.name} has no checkpoint yet", severity="warning", markup=False)
            return
        self.marks = (
            [each for each in self.marks if each != mark]
            if mark in self.marks
            else [*self.marks, mark]
        )
        marked = ", ".join(each.text for each in self.marks) or "nothing"
        self.notify(f"marked: {marked}; c compares", markup=False)

    def action_compare(self) -> None:
        """Compare what is marked."""
        if len(self.marks) < 2:
            self.notify("mark two checkpoints with m first", severity="warning")
            return
        self.push_screen(CompareScreen(self.marks), self._page_closed)

    @on(CompareScreen.PreviewsWanted)
    def _previews_wanted(self, event: CompareScreen.PreviewsWanted) -> None:
        name = event.mark.run.name
        if name in self.snapshot.by_name():
            self.open_run(name, previews_of=event.mark.step)
        else:
            self.notify(f"{name} is no run of {self.folder} any more", severity="warning")
