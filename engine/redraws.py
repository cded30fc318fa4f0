"""Tells a run which recordings gave windows of no use, and how many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from codecctl.engine.rundir import RunDirectory

_SHOWN = 4


class RedrawReport:
    """Writes a warning event at the first redraw of a kind, and the sums at each validation.

    A silent or damaged window costs only its replacement, so nothing stops for it; a recording
    that gives many of them trains on less than it seems to.

    Args:
        run: Takes the events.
        counts: Windows drawn again since the job began, by recording and reason; may be asked
            while another thread draws. Windows read ahead of the training are counted too.
    """

    def __init__(self, run: RunDirectory, counts: Callable[[], Counter[tuple[str, str]]]) -> None:
        self._run = run
        self._counts = counts
        self._told: set[tuple[str, str]] = set()
        self._last_total = ""

    def look(self, step: int, split: str) -> None:
        """Look at the counts when a row is written.

        Args:
            step: Updates done.
            split: Of the row; "val" brings the sums as well.
        """
        for recording, reason in sorted(set(self._counts()) - self._told):
            self._told.add((recording, reason))
            self._run.event(
                "warning",
                step,
                f"{recording}: a window was {reason}; such windows are drawn again",
                recording=recording,
                reason=reason,
            )
        if split == "val":
            self.total(step)

    def total(self, step: int) -> str:
        """The sums in a sentence, "" when there are none; an event where they have changed."""
        counts = self._counts()
        if not counts:
            return ""
        shown = [f"{name} {count} {why}" for (name, why), count in counts.most_common(_SHOWN)]
        more = [f"{len(counts) - _SHOWN} more"] if len(counts) > _SHOWN else []
        text = f"{counts.total()} windows drawn again by this job: {', '.join(shown + more)}"
        if text != self._last_total:
            self._last_total = text
            self._run.event("warning", step, text, windows=counts.total())
        return text
