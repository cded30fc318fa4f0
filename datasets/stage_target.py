"""Where a store is staged to: what may be there, and who may write there."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from pathlib import Path

from codecctl.datasets.store import Index, read_index
from codecctl.datasets.store.layout import INDEX_NAME
from codecctl.errors import UsageError

STAGED_NAME = "staged.json"
"""In every copy: it tells a copy from a store that was ingested."""


class Patience:
    """Waits for another stage of the same store, however long it takes.

    Args:
        target: Folder of the copy.
        tell: Shows a line to the user.
    """

    def __init__(self, target: Path, tell: Callable[[str], None] | None) -> None:
        self._target = target
        self._tell = tell

    def __call__(self, descriptor: int) -> None:
        """Take the lock of an open file, sooner or later."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if self._tell is not None:
                self._tell(f"{self._target}: another process writes it; waits for its end")
            fcntl.flock(descriptor, fcntl.LOCK_EX)


def refuse_itself(source: Path, target: Path) -> None:
    """Refuse to copy a store onto or into itself.

    Raises:
        UsageError: That would be.
    """
    here, there = source.resolve(), target.resolve()
    if here == there:
        raise UsageError(f"{target}: is the store itself; give a folder on another disk")
    if here in there.parents:
        raise UsageError(f"{target}: lies in the store; give a folder on another disk")


def refuse_others(target: Path, index: Index, source: Path) -> None:
    """Refuse to replace what is no copy of this store, or one of another state that may be in use.

    A copy that lacks recordings is completed.

    Raises:
        UsageError: Something else is there.
    """
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise UsageError(f"{target}: is no folder; give another one, or remove it")
    content = [path.name for path in target.glob("[!.]*")] if target.is_dir() else []
    if content and STAGED_NAME not in content:
        raise UsageError(
            f"{target}: is there and was not made by data stage; give another folder, or remove it"
        )
    if INDEX_NAME not in content:
        return
    now = {info.name: info.structure_hash for info in index.recordings}
    others = [
        info.name
        for info in read_index(target).recordings
        if now.get(info.name) != info.structure_hash
    ]
    if others:
        raise UsageError(
            f"{target}: holds another state of {source.name} ({others[0]} is not the same), which "
            f"a training may be reading; give another folder, or: codecctl data remove {target}"
        )
