"""The dashboard opens nothing for writing, on any page, except where it steers."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from codecctl.dashboard.run_screen import TABS

from .dashboard_runs import dashboard, make_run, settle

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.chmod"}


class _Watch:
    """Notes what changes files below a folder, by the audit events of the interpreter."""

    def __init__(self) -> None:
        self.below = ""
        self.seen: list[str] = []

    def hear(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.below or not (event == "open" or event in _CHANGES):
            return
        path, *rest = arguments
        flags = rest[-1] if event == "open" else _WRITES
        if isinstance(path, (str, os.PathLike)) and isinstance(flags, int) and flags & _WRITES:
            text = os.fspath(path)
            if text.startswith(self.below):
                self.seen.append(text)


_watch = _Watch()


@pytest.fixture
def changed(tmp_path: Path) -> Iterator[list[str]]:
    """Paths that are opened for writing, made, renamed or removed below `tmp_path`."""
    if not _watch.seen and not _watch.below:
        sys.addaudithook(_watch.hear)  # cannot be taken away again; silent without a folder
    _watch.seen = []
    yield _watch.seen
    _watch.below = ""


@pytest.mark.long
async def test_every_page_is_looked_at_without_a_write_and_a_request_is_one(
    tmp_path: Path, changed: list[str]
) -> None:
    run = make_run(tmp_path, "run")
    app = dashboard(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(app, pilot)
        _watch.below = str(tmp_path)
        await pilot.press("s", "x", "l", "plus", "0", "enter")
        await settle(app, pilot)
        for number in range(1, len(TABS) + 1):
            await pilot.press(str(number))
            await settle(app, pilot)
        assert changed == []
        await pilot.press("w", "y")
        await settle(app, pilot)
        assert (run / "control" / "save").exists()
        assert changed
        control = run / "control"
        assert all(control in (Path(path), *Path(path).parents) for path in changed)
