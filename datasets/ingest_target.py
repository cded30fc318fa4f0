"""What stands where a store is to be written."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from codecctl.datasets.shards import NOTE_NAME, ShardNote, read_note
from codecctl.datasets.store import (
    Index,
    RecordingInfo,
    committed_recordings,
    read_index,
    remove_abandoned,
    store_dtype,
)
from codecctl.datasets.store.index import OtherVersionError
from codecctl.datasets.store.regular import open_regular
from codecctl.errors import CodecctlError, DataError, UsageError

ABANDONED_SECONDS = 24 * 3600.0
"""Age at which an unfinished file of another machine counts as abandoned."""

_INDEX = "index.json"
_RECORDINGS = "rec"


@dataclass(frozen=True)
class Target:
    """A store as an ingest finds it."""

    folder: Path
    stored: Mapping[str, RecordingInfo]
    """Whole recordings by name, whether the index lists them or not."""
    index: Index | None
    """None where there is none yet, or a damaged one."""
    index_damaged: bool
    note: ShardNote | None = None
    """What a complete shard says about itself."""

    @property
    def listed(self) -> Mapping[str, RecordingInfo]:
        """Rows of the index; none where there is none yet."""
        return {} if self.index is None else {row.name: row for row in self.index.recordings}

    @property
    def lost(self) -> tuple[str, ...]:
        """Names that the index lists and that are not there any more, or not as it says."""
        return tuple(sorted(set(self.listed) - set(self.stored)))


def inspect_target(folder: Path) -> Target:
    """Look at a store that may not exist yet, or not completely.

    Raises:
        CodecctlError: A regular file is in the way.
        UsageError: The folder holds something else.
        DataError: A store of another format version is in the way.
    """
    for path in (folder, *folder.parents):
        if (path.exists() or path.is_symlink()) and not path.is_dir():
            fix = "give another --name" if path == folder else "remove it or set CODECCTL_HOME"
            raise CodecctlError(f"{folder}: cannot be made, {path} is a file; {fix}")
    if not folder.is_dir():
        return Target(folder, {}, None, index_damaged=False)
    content = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
    if content and not content & {_INDEX, _RECORDINGS, NOTE_NAME}:
        raise UsageError(f"{folder}: exists and is no store; give another --name or remove it")
    index, damaged = _index(folder) if _INDEX in content else (None, False)
    listed = {} if index is None else {row.name: row for row in index.recordings}
    stored = {
        name: row
        for name, row in committed_recordings(folder).items()
        if name not in listed or listed[name].structure_hash == row.structure_hash
    }
    return Target(folder, stored, index, damaged, _note(folder))


def require_match(target: Target, *, sample_rate: int, dtype: str) -> None:
    """Check that the recordings of a store are of the rate and type to be written.

    Raises:
        UsageError: They are not; says how to write another store.
    """
    for row in target.stored.values():
        kind = (row.sample_rate, store_dtype(row.dtype))
        if kind != (sample_rate, dtype):
            other = f"{target.folder.name}-{sample_rate if kind[0] != sample_rate else dtype}"
            raise UsageError(
                f"{target.folder}: holds {kind[0]} Hz {kind[1]}, asked for {sample_rate} Hz "
                f"{dtype}; give --name {other}, or --rate {kind[0]} --dtype {kind[1]}"
            )


def clean(folder: Path, *, alone: bool) -> None:
    """Remove what killed ingests have left in a store; the caller holds its lock.

    Args:
        folder: Of the store.
        alone: The lock excludes every process of this machine. Else those that live keep their
            files; a process that was killed counts as living until its parent has noticed.
    """
    ours = f".tmp-{socket.gethostname()}-"
    for place in (folder, folder / _RECORDINGS):
        remove_abandoned(place)
        for path in place.glob(".*.tmp-*"):
            old = time.time() - path.stat().st_mtime > ABANDONED_SECONDS
            if old or (alone and ours in path.name):
                path.unlink(missing_ok=True)


def has_leftovers(folder: Path) -> bool:
    """Whether a store holds unfinished files, of killed ingests or of one that is at work."""
    return any(any(place.glob(".*.tmp-*")) for place in (folder, folder / _RECORDINGS))


def remove_empty(folder: Path, *, down_to: Path) -> None:
    """Remove a store without recordings, and the folders above it that were made for it.

    Args:
        folder: Of the store.
        down_to: The nearest folder that was there before.
    """
    for path in (folder / _RECORDINGS, folder, *folder.parents):
        if path == down_to:
            return
        try:
            path.rmdir()
        except FileNotFoundError:
            continue
        except OSError:  # something is in it, or it is not ours to remove
            return


def nearest_folder(folder: Path) -> Path:
    """The folder itself or the first one above it that exists."""
    return next((path for path in (folder, *folder.parents) if path.is_dir()), Path(os.sep))


def _index(folder: Path) -> tuple[Index | None, bool]:
    """The index, or whether it is damaged (it can then be written anew)."""
    try:
        os.close(open_regular(folder / _INDEX))
    except OSError as error:  # what is in it is unknown, and not lost
        raise CodecctlError(f"{folder / _INDEX}: cannot read: {error.strerror}") from error
    try:
        return read_index(folder), False
    except OtherVersionError:
        raise
    except DataError:
        return None, True


def _note(folder: Path) -> ShardNote | None:
    try:
        return read_note(folder)
    except DataError:
        return None  # written anew at the end
