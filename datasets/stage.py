"""A copy of a store on another disk, such as the one of the node that trains.

    <folder>/<store>/staged.json          where the copy came from; written first
    <folder>/<store>/.staging/rec/*.h5    recordings on their way, until they are verified
    <folder>/<store>/rec/*.h5             verified recordings
    <folder>/<store>/splits, check.json   as in the source
    <folder>/<store>/index.json           written last, byte for byte the source's

A copy that was killed goes on where it was; a complete one is left alone.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from codecctl.datasets.copying import copy_file
from codecctl.datasets.ingest_lock import StoreLock
from codecctl.datasets.split_file import FOLDER as SPLITS
from codecctl.datasets.stage_target import STAGED_NAME, Patience, refuse_itself, refuse_others
from codecctl.datasets.store import (
    Index,
    RecordingInfo,
    free_bytes,
    read_index,
    recording_path,
    size_text,
)
from codecctl.datasets.store.disk import sync_folder, write_error
from codecctl.datasets.store.layout import INDEX_NAME, RECORDINGS_FOLDER
from codecctl.datasets.store.verify import structure_damage, verify_recordings
from codecctl.errors import CodecctlError, DataError

STAGING = ".staging"
_BESIDE = ("check.json",)
"""Files of a store that go with it, beside recordings, splits and index."""
_RENEW_SECONDS = 5.0
_SHOWN = 5


@dataclass(frozen=True)
class Staged:
    """What a stage did."""

    path: Path
    """The copy."""
    index: Index
    copied: tuple[str, ...]
    """Names of recordings."""
    kept: tuple[str, ...]
    """Names of those that were there."""
    seconds: float

    @property
    def bytes_copied(self) -> int:
        """Of recordings."""
        return sum(i.file_size for i in self.index.recordings if i.name in self.copied)


def stage(
    source: Path,
    folder: Path,
    *,
    num_jobs: int = 2,
    on_bytes: Callable[[int], None] | None = None,
    tell: Callable[[str], None] | None = None,
    free: Callable[[Path], int] = free_bytes,
) -> Staged:
    """Copy a store below a folder and verify every byte of the copy.

    Two stages of one store wait for each other.

    Args:
        source: Folder of the store.
        folder: Made where it is missing; the copy keeps the folder's name of the store.
        num_jobs: Recordings at a time.
        on_bytes: Called with bytes that are in place; all recordings together in the end.
        tell: Shows a line to the user.
        free: Bytes that can be written beside a file.

    Raises:
        NotFoundError: The source is no store.
        UsageError: Something else is in the place of the copy.
        DataError: Recordings of the source are damaged; all of them are named.
        CodecctlError: The disk is full or refuses to write.
    """
    started = time.monotonic()
    index = read_index(source)
    target = folder / source.resolve().name
    refuse_itself(source, target)
    refuse_others(target, index, source)
    with StoreLock(target, lock=Patience(target, tell)) as lock:
        refuse_others(target, index, source)
        work = _Work(source, target, lock, on_bytes or (lambda _: None), free)
        copied, kept = work.run(index, num_jobs)
    return Staged(target, index, copied, kept, time.monotonic() - started)


@dataclass
class _Work:
    """One stage, that holds the lock of its target."""

    source: Path
    target: Path
    lock: StoreLock
    on_bytes: Callable[[int], None]
    free: Callable[[Path], int]
    _stop: threading.Event = field(default_factory=threading.Event)
    _renewed: float = 0.0

    def run(self, index: Index, num_jobs: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Names of recordings copied and of those that were there."""
        missing = [info for info in index.recordings if self._is_missing(info)]
        kept = [info for info in index.recordings if info not in missing]
        for info in kept:
            self.on_bytes(info.file_size)
        content = self._beside(index)
        late = [name for name, data in content.items() if not self._has(name, data)]
        outdated = self._outdated(content)
        if missing or late or outdated:
            try:
                self._prepare(missing, content)
                self._copy_all(missing, num_jobs)
                self._require_same(index, content[Path(INDEX_NAME)])
                for name in outdated:
                    (self.target / name).unlink()
                for name in late:
                    self._put(name, content[name])
                shutil.rmtree(self.target / STAGING)
            except OSError as error:
                raise write_error(error, path=self.target / INDEX_NAME, needed=0) from error
        return tuple(info.name for info in missing), tuple(info.name for info in kept)

    def _prepare(self, missing: list[RecordingInfo], content: Mapping[Path, bytes]) -> None:
        """Make room, and say what the folder is before anything else is in it."""
        shutil.rmtree(self.target / STAGING, ignore_errors=True)
        self._require_space(sum(info.file_size for info in missing))
        (self.target / STAGING / RECORDINGS_FOLDER).mkdir(parents=True)
        note = Path(STAGED_NAME)
        self._put(note, content[note])
        (self.target / RECORDINGS_FOLDER).mkdir(exist_ok=True)

    def _is_missing(self, info: RecordingInfo) -> bool:
        return structure_damage(recording_path(self.target, info.name), info) != ""

    def _require_space(self, needed: int) -> None:
        free = self.free(self.target / INDEX_NAME)
        if needed > free:
            raise CodecctlError(
                f"{self.target}: found {size_text(free)} free, needed {size_text(needed)}; free "
                "some, or give another folder"
            )

    def _copy_all(self, missing: list[RecordingInfo], num_jobs: int) -> None:
        damaged: list[str] = []

        def copy(info: RecordingInfo) -> None:
            try:
                self._copy(info)
            except DataError as error:
                damaged.append(str(error))
            except BaseException:
                self._stop.set()
                raise

        with ThreadPoolExecutor(max(1, num_jobs), "stage") as pool:
            waiting = [pool.submit(copy, info) for info in missing]
            try:
                for future in waiting:
                    future.result()
            except BaseException:
                self._stop.set()
                pool.shutdown(cancel_futures=True)
                raise
        if damaged:
            more = f"; and {len(damaged) - _SHOWN} more" if len(damaged) > _SHOWN else ""
            raise DataError(f"{'; '.join(sorted(damaged)[:_SHOWN])}{more}; ingest again")

    def _copy(self, info: RecordingInfo) -> None:
        """Copy a recording, compare it with its hashes, and put it into its place."""
        here, there = recording_path(self.source, info.name), recording_path(self.target, info.name)
        staging = self.target / STAGING
        found = here.stat().st_size if here.is_file() else -1
        if found != info.file_size:
            what = "missing" if found < 0 else f"found {found} bytes, needed {info.file_size}"
            raise DataError(f"{here}: {what}")
        copy = recording_path(staging, info.name)
        copy_file(here, copy, info.file_size, self._advance)
        if damages := verify_recordings(staging, [info]):
            copy.unlink()
            if verify_recordings(self.source, [info]):
                raise DataError(f"{here}: damaged: {damages[0]}")
            raise CodecctlError(
                f"{self.target}: a copy differs from its source ({damages[0]}); the disk does not "
                "keep what is written"
            )
        copy.replace(there)
        sync_folder(there.parent)

    def _advance(self, count: int) -> None:
        if self._stop.is_set():
            raise CodecctlError(f"{self.target}: stopped; the same command goes on")
        if time.monotonic() - self._renewed > _RENEW_SECONDS:
            self._renewed = time.monotonic()
            self.lock.renew()
        self.on_bytes(count)

    def _beside(self, index: Index) -> dict[Path, bytes]:
        """Content of the small files that belong to the copy, by name; the index is last."""
        note = {
            "format": "codecctl-staged",
            "schema": 1,
            "source": str(self.source.resolve()),
            "fingerprint": index.fingerprint,
        }
        names = [Path(name) for name in _BESIDE if (self.source / name).is_file()]
        splits = sorted((self.source / SPLITS).glob("[!.]*.json"))
        names += [Path(SPLITS) / path.name for path in splits]
        return {
            Path(STAGED_NAME): (json.dumps(note, indent=1) + "\n").encode(),
            **{name: (self.source / name).read_bytes() for name in names},
            Path(INDEX_NAME): (self.source / INDEX_NAME).read_bytes(),
        }

    def _outdated(self, content: Mapping[Path, bytes]) -> list[Path]:
        """Small files of the copy that the source does not have any more."""
        names = [Path(name) for name in _BESIDE]
        names += [Path(SPLITS) / path.name for path in (self.target / SPLITS).glob("[!.]*.json")]
        return [name for name in names if name not in content and (self.target / name).is_file()]

    def _has(self, name: Path, data: bytes) -> bool:
        there = self.target / name
        return there.is_file() and there.read_bytes() == data

    def _require_same(self, index: Index, data: bytes) -> None:
        """The bytes of the index are to be those of what was copied."""
        copy = self.target / STAGING / INDEX_NAME
        copy.write_bytes(data)
        if read_index(copy.parent) != index:
            raise CodecctlError(
                f"{self.source}: its index changed while it was copied; the same command goes on"
            )

    def _put(self, name: Path, data: bytes) -> None:
        """Write a small file whole or not at all."""
        copy, there = self.target / STAGING / name.name, self.target / name
        there.parent.mkdir(exist_ok=True)
        with copy.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        copy.replace(there)
        sync_folder(there.parent)
