"""Brings one recording from one store into another: by a link, a rename, or a verified copy."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from codecctl.datasets.store import RecordingInfo, recording_path
from codecctl.datasets.store.describe import describe
from codecctl.datasets.store.disk import reserve, sync_folder, write_error
from codecctl.datasets.store.rename import write_renamed
from codecctl.datasets.store.verify import structure_damage, verify_recordings
from codecctl.errors import CodecctlError, DataError

STAGING = ".merge"
"""Folder of a store that a merge works in; what stands there belongs to nobody yet."""

_COPY_BYTES = 1 << 24
_NO_LINK = (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES)


def transfer(
    row: RecordingInfo,
    source: Path,
    target: Path,
    *,
    name: str,
    take: str,
    move: bool,
    on_bytes: Callable[[int], None],
) -> bool:
    """Make a recording appear in another store, whole; whether it was not there before.

    A recording that keeps its name is renamed or linked where both stores are on one file system;
    else it is copied, synced, read back from the disk and compared with its hashes.

    Args:
        row: Of the source's index.
        source: Folder of the store that has it.
        target: Folder of the store that gets it.
        name: In the target.
        take: In the target.
        move: The source loses it.
        on_bytes: Called with the bytes done since the last call.

    Raises:
        DataError: It is damaged, or gone from both.
        CodecctlError: The disk does not take it.
    """
    there, here = recording_path(source, row.name), recording_path(target, name)
    is_same_name = (name, take) == (row.name, row.take)
    known = describe(here)
    if known is not None and _is_it(known, row, name=name, is_same_name=is_same_name):
        if move:
            there.unlink(missing_ok=True)
        on_bytes(row.file_size)
        return False
    damage = structure_damage(there, row)
    if damage:
        raise DataError(f"{there}: {damage}; ingest it again, then merge again")
    try:
        here.parent.mkdir(parents=True, exist_ok=True)
        if not (is_same_name and _rename_or_link(there, here, move=move)):
            _copy(row, source, target, name=name, take=take, on_bytes=on_bytes)
        else:
            on_bytes(row.file_size)
        sync_folder(here.parent)
        if move:
            there.unlink(missing_ok=True)
            sync_folder(there.parent)
    except OSError as error:
        raise write_error(error, path=here, needed=row.file_size) from error
    return True


def can_rename(source: Path, target: Path) -> bool:
    """Whether two folders, the second of which may not exist yet, are on one file system."""
    there = next(path for path in (target.absolute(), *target.absolute().parents) if path.is_dir())
    return source.stat().st_dev == there.stat().st_dev


def _is_it(known: RecordingInfo, row: RecordingInfo, *, name: str, is_same_name: bool) -> bool:
    if is_same_name:
        return known == row
    same = (known.audio_hash, known.corpus) == (row.audio_hash, row.corpus)
    return same and known.name == name


def _rename_or_link(there: Path, here: Path, *, move: bool) -> bool:
    """Whether one call could do it."""
    try:
        if move:
            os.rename(there, here)  # noqa: PTH104 - beside os.link, which Path has turned around
        else:
            here.unlink(missing_ok=True)
            os.link(there, here)
    except OSError as error:
        if error.errno not in _NO_LINK:
            raise
        return False
    return True


def _copy(
    row: RecordingInfo,
    source: Path,
    target: Path,
    *,
    name: str,
    take: str,
    on_bytes: Callable[[int], None],
) -> None:
    there, staged = recording_path(source, row.name), recording_path(target / STAGING, name)
    written: RecordingInfo | None
    try:
        if (name, take) == (row.name, row.take):
            _copy_file(there, staged, row.file_size, on_bytes)
            written = describe(staged)
        else:
            written = write_renamed(there, row, staged, name=name, take=take, on_bytes=on_bytes)
        _require_sound(written, target / STAGING, there)
        staged.replace(recording_path(target, name))
    except BaseException:
        staged.unlink(missing_ok=True)
        raise


def _require_sound(written: RecordingInfo | None, folder: Path, source: Path) -> None:
    damages = [] if written is None else verify_recordings(folder, [written])
    if written is None or damages:
        what = f": {damages[0]}" if damages else ""
        raise DataError(f"{source}: its copy is not what was ingested{what}; ingest it again")


def _copy_file(source: Path, target: Path, size: int, on_bytes: Callable[[int], None]) -> None:
    """Copy, sync, and forget what was written, so that reading it back asks the disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    reading = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    writing = os.open(target, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    try:
        reserve(writing, size, path=target)
        done = 0
        while done < size:
            count = os.sendfile(writing, reading, done, min(_COPY_BYTES, size - done))
            if count == 0:
                raise CodecctlError(f"{source}: became shorter while it was copied")
            done += count
            on_bytes(count)
        os.fsync(writing)
        os.posix_fadvise(writing, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(reading)
        os.close(writing)
