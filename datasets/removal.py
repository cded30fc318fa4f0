"""Removing and renaming stores: what belongs to one, and nothing else."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from codecctl.datasets.ingest_lock import LOCK_NAME, StoreLock
from codecctl.datasets.shards import NOTE_NAME
from codecctl.datasets.split_file import FOLDER as SPLITS
from codecctl.datasets.stage import STAGING
from codecctl.datasets.stage_target import STAGED_NAME
from codecctl.datasets.store import read_index, write_index
from codecctl.datasets.store.describe import describe
from codecctl.datasets.store.disk import sync_folder
from codecctl.datasets.store.layout import INDEX_NAME, RECORDINGS_FOLDER
from codecctl.datasets.transfer import STAGING as MERGING
from codecctl.errors import CodecctlError, DataError, NotFoundError, UsageError

_FILES = (INDEX_NAME, "check.json", NOTE_NAME, STAGED_NAME, LOCK_NAME)
_PASSING = (STAGING, MERGING)
"""Folders of work that is under way, or was killed."""
_FOLDERS = (RECORDINGS_FOLDER, SPLITS, *_PASSING)
_TEMPORARY = ".tmp-"


@dataclass(frozen=True)
class Belongings:
    """What is in the folder of a store."""

    files: tuple[Path, ...]
    """Of the store; `index.json` is the first, where there is one."""
    strangers: tuple[Path, ...]
    """What no command of ours has put there."""
    num_recordings: int
    size: int
    """Bytes of the store's files."""


def belongings(folder: Path) -> Belongings:
    """Tell the files of a store, or of an ingest that never finished, from others.

    Raises:
        NotFoundError: There is no such folder.
        UsageError: It is no store, or a link to one.
    """
    if folder.is_symlink():
        raise UsageError(
            f"{folder}: is a link to {folder.resolve()}; name that, or remove the link"
        )
    if not folder.is_dir():
        raise NotFoundError(f"{folder}: no such folder; stores are listed by: codecctl data list")
    if not any((folder / name).exists() for name in (INDEX_NAME, *_FOLDERS)):
        raise UsageError(f"{folder}: is no store; nothing is removed")
    listed = _listed(folder)
    found: dict[Path, bool] = {}
    recordings = 0
    for path in sorted(folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            continue
        is_recording = path.suffix == ".h5" and path.parent == folder / RECORDINGS_FOLDER
        found[path] = _is_ours(path.relative_to(folder), path, listed)
        recordings += is_recording and found[path] and not path.name.startswith(".")
    ours = [path for path, belongs in found.items() if belongs]
    if not recordings and folder / INDEX_NAME not in ours:
        raise UsageError(f"{folder}: is no store; nothing is removed")
    ours.sort(key=lambda path: (path != folder / INDEX_NAME, path))
    size = sum(path.lstat().st_size for path in ours)
    strangers = tuple(path for path, belongs in found.items() if not belongs)
    return Belongings(tuple(ours), strangers, recordings, size)


def remove_store(folder: Path) -> Belongings:
    """Remove a store, the index first, so that what a kill leaves is no store any more.

    Returns:
        What was there; its strangers are there still.

    Raises:
        UsageError: It is no store, or another process writes it.
        CodecctlError: The disk refuses.
    """
    belongings(folder)
    with StoreLock(folder, lock=partial(_take, folder)):
        found = belongings(folder)
        try:
            for path in found.files:
                if path.name != LOCK_NAME:
                    path.unlink(missing_ok=True)
                if path.name == INDEX_NAME:
                    sync_folder(folder)
        except OSError as error:
            raise CodecctlError(f"{error.filename}: cannot remove: {error.strerror}") from error
    for name in _PASSING:
        _remove_empty(folder / name / RECORDINGS_FOLDER)
    for name in _FOLDERS:
        _remove_empty(folder / name)
    _remove_empty(folder)
    return found


def rename_store(folder: Path, name: str) -> Path:
    """Give a store another name, beside where it is.

    Returns:
        The folder of the store.

    Raises:
        UsageError: The name is taken or another process writes the store.
        DataError: The index is damaged.
        CodecctlError: The disk refuses.
    """
    target = folder.parent / name
    index = read_index(folder)
    if folder.is_symlink():
        raise UsageError(f"{folder}: is a link to {folder.resolve()}; rename that")
    if target.exists() or target.is_symlink():
        raise UsageError(f"{target}: is there already; give another name")
    with StoreLock(folder, lock=partial(_take, folder)):
        write_index(
            folder,
            name=name,
            sample_rate=index.sample_rate,
            dtype=index.dtype,
            recordings=index.recordings,
            corpora=index.corpora,
            metadata=index.metadata,
        )
        try:
            folder.rename(target)
        except OSError as error:
            raise CodecctlError(f"{folder}: cannot rename: {error.strerror}") from error
        (target / LOCK_NAME).unlink(missing_ok=True)
    sync_folder(target.parent)
    return target


def _listed(folder: Path) -> frozenset[str]:
    """Names of the files that the index lists; none where it cannot be read."""
    try:
        return frozenset(f"{info.name}.h5" for info in read_index(folder).recordings)
    except (NotFoundError, DataError):
        return frozenset()


def _is_ours(name: Path, path: Path, listed: frozenset[str]) -> bool:
    """Whether a file belongs to the store.

    Args:
        name: Below the store.
        path: The file.
        listed: File names of recordings.
    """
    parts = name.parts
    if parts[0] in _PASSING:
        return True
    if len(parts) > 2 or (len(parts) == 2 and parts[0] not in _FOLDERS):
        return False
    if name.name.startswith(".") and _TEMPORARY in name.name:
        return True
    if len(parts) == 1:
        return name.name in _FILES
    if parts[0] == SPLITS:
        return name.suffix == ".json"
    return name.suffix == ".h5" and (name.name in listed or describe(path) is not None)


def _remove_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:  # strangers are in it, or it is not there
        return


def _take(folder: Path, descriptor: int) -> None:
    """Lock now or refuse: nobody waits to remove what is being written."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise UsageError(f"{folder}: another process writes this store; wait for its end") from None
