"""Who keeps no books: every process of a training but the leading one."""

from __future__ import annotations

from pathlib import Path

from codecctl.engine.loop_parts import Progress, Speed
from codecctl.engine.recipes.base import Scalars, State
from codecctl.engine.stages import Stage
from codecctl.engine.validate import Measurement


class NoBooks:
    """Nothing is written down."""

    def begin(self, progress: Progress) -> None:
        """Nothing."""

    def restored(self, progress: Progress, checkpoint: Path) -> None:
        """Nothing."""

    def phase(self, text: str) -> None:
        """Nothing."""

    def wants_start(self) -> bool:
        """No."""
        return False

    def entered(self, progress: Progress, stage: Stage) -> None:
        """Nothing."""

    def hold(self) -> None:
        """Nothing."""

    def step(self, progress: Progress, scalars: Scalars, speed: Speed) -> Speed:
        """The same."""
        del progress, scalars
        return speed

    def validated(self, progress: Progress, measured: Measurement) -> None:
        """Nothing."""

    def preview(self, progress: Progress) -> None:
        """Nothing."""

    def is_due(self, progress: Progress) -> bool:
        """No."""
        del progress
        return False

    def is_unsaved(self) -> bool:
        """No."""
        return False

    def save(self, progress: Progress, state: State) -> None:
        """Nothing."""

    def end(self, progress: Progress) -> None:
        """Nothing."""

    def stop_is_asked(self) -> bool:
        """Never."""
        return False
