"""The ends of the logs of a run, read again when they change."""

from __future__ import annotations

from pathlib import Path

from codecctl.dashboard.views import LogTail

LOG_FILES = ("train.log", "start.log", "resume.log", "crash.txt")
TAIL_BYTES = 1 << 18

_Stamp = tuple[int, int, int]


class LogReader:
    """Keeps the ends of the logs of one run.

    Args:
        path: The run folder.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, tuple[_Stamp, LogTail]] = {}

    def read(self) -> tuple[LogTail, ...]:
        """The logs that there are; costs a `stat` each where nothing changed."""
        for name in LOG_FILES:
            self._look(name)
        return tuple(self._known[name][1] for name in LOG_FILES if name in self._known)

    def _look(self, name: str) -> None:
        path = self._path / name
        try:
            status = path.stat()
            stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
            if name not in self._known or self._known[name][0] != stamp:
                self._known[name] = (stamp, _tail(path))
        except FileNotFoundError:
            self._known.pop(name, None)


def _tail(path: Path) -> LogTail:
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - TAIL_BYTES))
        text = file.read(TAIL_BYTES).decode("utf-8", errors="replace")
    lines = text.splitlines()
    is_cut = size > TAIL_BYTES
    return LogTail(path.name, tuple(lines[1:] if is_cut else lines), is_cut)
