"""Recordings of several stores become one store; killed at any point, the same call goes on.

    <store>/.merge/journal.json    what is to be done; written first, removed last
    <store>/.merge/rec/<name>.h5   a copy that has not been compared with its hashes yet

Every recording is in the old store or in the new one at any time, and whole. The index of the new
store is written when all are there; then the old stores are removed.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from codecctl.datasets.ingest_lock import LOCK_NAME, StoreLock
from codecctl.datasets.ingest_space import require_space, spaces
from codecctl.datasets.ingest_target import (
    Target,
    clean,
    inspect_target,
    nearest_folder,
    remove_empty,
)
from codecctl.datasets.merge_journal import Merge, begun, write_journal
from codecctl.datasets.shards import NOTE_NAME
from codecctl.datasets.store import RecordingInfo, write_index
from codecctl.datasets.transfer import STAGING, can_rename, transfer
from codecctl.errors import DataError

_INDEX = "index.json"
_RECORDINGS = "rec"


@dataclass(frozen=True)
class Merged:
    """What a merge has done."""

    target: Path
    recordings: Mapping[str, RecordingInfo]
    """Everything that the new store holds."""
    brought: tuple[str, ...]
    """Names that this call brought there."""
    notes: tuple[str, ...]
    """What the user should know."""


Step = Callable[[str], None]
"""Called with a word after everything that changes a disk."""


def run(
    plan: Callable[[], Merge],
    *,
    target: Path,
    command: str,
    locked: Sequence[Path],
    on_bytes: Callable[[int], None],
    on_step: Step = lambda _: None,
) -> Merged:
    """Plan and do a merge, under the locks of all its stores.

    Args:
        plan: Says what is to be done; not asked where a merge of the same target was begun.
        target: Folder of the new store.
        command: That asks for it; another one cannot go on with a merge that was begun.
        locked: Folders of the old stores that are changed, those that exist.
        on_bytes: Called with the bytes done since the last call.
        on_step: Called after everything that changes a disk.

    Raises:
        DataError: A recording is damaged, or another merge has to be finished first.
        CodecctlError: A disk is too small, or an ingest is at work.
    """
    there = nearest_folder(target)
    try:
        with ExitStack() as stack:
            folders = sorted({target, *locked})
            locks = [stack.enter_context(StoreLock(folder)) for folder in folders]

            def count(number: int) -> None:
                on_bytes(number)
                for lock in locks:
                    lock.renew()

            clean(target, alone=all(lock.is_exclusive for lock in locks))
            merge = begun(target) or plan()
            if merge.command != command:
                raise DataError(f"{target}: a merge into it was begun; finish it: {merge.command}")
            return _run(merge, count, on_step)
    finally:
        remove_empty(target, down_to=there)


def _run(merge: Merge, on_bytes: Callable[[int], None], on_step: Step) -> Merged:
    target = inspect_target(merge.target)
    _require_space(merge, target)
    write_journal(merge)
    on_step("journal")
    _forget_replaced(merge, target)
    brought = []
    for entry in merge.entries:
        is_new = transfer(
            entry.row,
            Path(entry.folder),
            merge.target,
            name=entry.name,
            take=entry.take,
            move=entry.folder in merge.emptied,
            on_bytes=on_bytes,
        )
        brought += [entry.name] if is_new else []
        on_step("recording")
    recordings = inspect_target(merge.target).stored
    _write_index(merge, target, recordings)
    on_step("index")
    notes = []
    for folder in merge.emptied:
        notes += _leave(Path(folder), merge.kept.get(folder, ()))
        on_step("source")
    shutil.rmtree(merge.target / STAGING)
    return Merged(merge.target, recordings, tuple(brought), tuple(notes))


def _require_space(merge: Merge, target: Target) -> None:
    """Only copies need space; a link to be made across file systems becomes one."""
    needed = sum(
        entry.row.file_size
        for entry in merge.entries
        if entry.name not in target.stored
        and Path(entry.folder).is_dir()
        and (
            (entry.name, entry.take) != (entry.row.name, entry.row.take)
            or not can_rename(Path(entry.folder), merge.target)
        )
    )
    require_space(spaces([(merge.target, needed)]))


def _forget_replaced(merge: Merge, target: Target) -> None:
    """A store in use never lists what is being replaced."""
    replaced = {
        entry.name
        for entry in merge.entries
        if entry.name in target.listed and target.listed[entry.name] != entry.row
    }
    rest = {name: row for name, row in target.stored.items() if name not in replaced}
    if not replaced:
        return
    if rest:
        _write_index(merge, target, rest)
    else:
        (merge.target / _INDEX).unlink()


def _write_index(merge: Merge, target: Target, recordings: Mapping[str, RecordingInfo]) -> None:
    before = target.index
    used = {row.corpus for row in recordings.values()}
    rows = {corpus.id: corpus for corpus in (*merge.corpora, *(before.corpora if before else ()))}
    metadata = {**(before.metadata if before else {}), **merge.metadata}
    write_index(
        merge.target,
        name=merge.target.name,
        sample_rate=merge.sample_rate,
        dtype=merge.dtype,
        recordings=tuple(recordings.values()),
        corpora=[corpus for name, corpus in rows.items() if name in used],
        metadata={name: row for name, row in metadata.items() if name in recordings},
    )


def _leave(folder: Path, kept: Sequence[str]) -> list[str]:
    """Remove a store that gave its recordings away, or list what it keeps; what is to be said."""
    if not folder.is_dir():
        return []
    if kept:
        target = inspect_target(folder)
        rows = [row for name, row in target.stored.items() if name in kept]
        if rows and target.index is not None:
            write_index(
                folder,
                name=target.index.name,
                sample_rate=target.index.sample_rate,
                dtype=target.index.dtype,
                recordings=rows,
                corpora=target.index.corpora,
                metadata={key: row for key, row in target.index.metadata.items() if key in kept},
            )
        return [f"{folder}: keeps {', '.join(sorted(kept))}, which the new store has already"]
    clean(folder, alone=True)
    for name in (_INDEX, NOTE_NAME):
        (folder / name).unlink(missing_ok=True)
    try:
        if (folder / _RECORDINGS).is_dir():
            (folder / _RECORDINGS).rmdir()
        (folder / LOCK_NAME).unlink(missing_ok=True)
        folder.rmdir()
    except OSError:
        return [f"{folder}: empty of recordings, but holds other files and is not removed"]
    return []
