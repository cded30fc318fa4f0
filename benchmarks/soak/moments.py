"""Moments at which a training is killed from within, so that each can be named and found again."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from codecctl.commands.train_lines import ProgressLine
from codecctl.engine.checked_file import CheckedFile
from codecctl.engine.rundir import RunDirectory

WHERE = {
    "update": "after update",
    "byte": "at byte of checkpoints",
    "rename": "beside rename",
    "validation": "before validation row",
    "preview": "before preview file",
}
KINDS = tuple(WHERE)


@dataclass
class Moments:
    """Counts moments by kind, and dies at one of them."""

    deadly: tuple[str, int] = ("", 0)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))

    def passes(self, kind: str) -> None:
        """A moment goes by."""
        self.counts[kind] += 1
        if (kind, self.counts[kind]) == self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """Let this process count, and die."""
        report, measured, written = (
            ProgressLine.report,
            RunDirectory.validation_row,
            Path.write_bytes,
        )
        ProgressLine.report = self._before("update", report)  # type: ignore[method-assign,assignment]
        RunDirectory.validation_row = self._before("validation", measured)  # type: ignore[method-assign,assignment]
        Path.write_bytes = self._before("preview", written)  # type: ignore[method-assign,assignment]
        for name in ("rename", "replace"):
            setattr(Path, name, self._around(getattr(Path, name)))
        CheckedFile.write = self._bytes(CheckedFile.write)  # type: ignore[method-assign]

    def _before(self, kind: str, call: Callable[..., object]) -> Callable[..., object]:
        def counted(*arguments: object) -> object:
            self.passes(kind)
            return call(*arguments)

        return counted

    def _around(self, call: Callable[..., object]) -> Callable[..., object]:
        def counted(path: Path, target: Path) -> object:
            # Not state.json, which a clock replaces.
            counts = {"checkpoints", "previews"} & set(path.parts)
            if counts:
                self.passes("rename")
            moved = call(path, target)
            if counts:
                self.passes("rename")
            return moved

        return counted

    def _bytes(self, write: Callable[[CheckedFile, object], int]) -> Callable[..., int]:
        def counted(file: CheckedFile, data: object) -> int:
            view = memoryview(data).cast("B")  # type: ignore[arg-type]  # as the method itself
            kind, number = self.deadly
            left = number - self.counts["byte"]
            if kind == "byte" and left <= len(view):
                write(file, view[:left])
                os.kill(os.getpid(), signal.SIGKILL)
            self.counts["byte"] += len(view)
            return write(file, data)

        return counted
