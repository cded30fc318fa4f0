"""`codecctl data list`: the stores, what is not finished yet, and the disk they lie on."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codecctl.errors import CodecctlError, DataError
from codecctl.locations import stores_folder
from codecctl.output import note, result, result_json
from codecctl.terminal import count_text, duration_text, shortened, table_lines

if TYPE_CHECKING:
    from codecctl.datasets.store import Index, RecordingInfo

_BLOCK = 512  # bytes of `st_blocks`, whatever the file system


@dataclass(frozen=True)
class StoreRow:
    """One store that can be used."""

    name: str
    path: str
    recordings: int
    hours: float
    sample_rate: int
    """Hz."""
    dtype: str
    channels: str
    bytes: int
    """Of the recordings that the index lists."""
    disk_bytes: int
    """That all its files take on the disk."""
    corpora: list[str]
    """Titles, or ids where a title is not known."""
    source_folder: str


@dataclass(frozen=True)
class WaitingShards:
    """Parts of a cluster ingest that `data merge` will make one store of."""

    name: str
    total: int
    done: list[int]
    """Numbers of the parts that are finished."""
    missing: list[int]
    disk_bytes: int

    def __str__(self) -> str:
        ready = f"{len(self.done)} of {self.total} shards wait for a merge"
        if self.missing:
            numbers = shortened([str(number) for number in self.missing], 40)
            return f"{self.name}: {ready}; not finished: {numbers}"
        return f"{self.name}: {ready}: codecctl data merge {self.name}"


@dataclass(frozen=True)
class Unfinished:
    """A folder that an ingest began and did not finish."""

    name: str
    path: str
    recordings: int
    """Whole ones that no index lists yet."""
    disk_bytes: int
    writer: str
    """Process and host of the ingest that is at work; empty when there is none."""

    def __str__(self) -> str:
        from codecctl.datasets.store import size_text

        held = f"{count_text(self.recordings, 'recording')}, {size_text(self.disk_bytes)}"
        if self.writer:
            return f"{self.path}: being written by {self.writer} ({held} so far)"
        return f"{self.path}: an ingest that was not finished ({held}); run the same command again"


@dataclass(frozen=True)
class Disk:
    """The file system of the stores, bytes."""

    used_by_stores: int
    free: int
    total: int


@dataclass(frozen=True)
class Listing:
    """Everything below the folder of stores."""

    stores: list[StoreRow]
    shards: list[WaitingShards]
    unfinished: list[Unfinished]
    problems: list[str]
    """Sentences about stores that cannot be read."""
    disk: Disk


def list_stores(
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """List the stores with their size, hours, rate and type.

    Also what is unfinished, shards that wait for a merge, and the space that is left.
    """
    folder = stores_folder()
    listing = read_listing(folder)
    if as_json:
        result_json({"schema": 1, "folder": str(folder), **asdict(listing)})
        return
    if not any((listing.stores, listing.shards, listing.unfinished, listing.problems)):
        result(f"{folder}: no store; make one with: codecctl data ingest FOLDER")
        return
    for line in _lines(folder, listing):
        result(line)
    for sentence in (*map(str, listing.shards), *map(str, listing.unfinished), *listing.problems):
        note(f"codecctl: {sentence}")


def read_listing(folder: Path) -> Listing:
    """Look at every store below a folder, which need not exist."""
    from codecctl.datasets.shards import is_shard

    listing = Listing([], [], [], [], _disk(folder))
    parts: list[Path] = []
    for path in _entries(folder):
        if is_shard(path.name):
            parts.append(path)
            continue
        try:
            _look_at(path, listing)
        except OSError as error:
            listing.problems.append(f"{path}: cannot be read: {error.strerror}")
        except CodecctlError as error:
            listing.problems.append(str(error))
    listing.shards.extend(_shards(parts))
    return listing


def _entries(folder: Path) -> list[Path]:
    """What lies in a folder, sorted; nothing where there is none.

    Raises:
        DataError: The folder cannot be read.
    """
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise DataError(f"{folder}: cannot be listed: {error.strerror}") from error


def _look_at(path: Path, listing: Listing) -> None:
    """Add a folder to what it belongs to, if it is any kind of store."""
    from codecctl.datasets.store import read_index

    if (path / "index.json").exists():
        listing.stores.append(_store_row(path, read_index(path)))
    elif (path / "rec").is_dir():
        count = len(list((path / "rec").glob("[!.]*.h5")))
        row = Unfinished(path.name, str(path), count, disk_bytes(path), _writer(path))
        listing.unfinished.append(row)


def _writer(path: Path) -> str:
    """The ingest that holds a store, as its lock file says; empty when that is old or missing."""
    from codecctl.datasets.ingest_lock import LOCK_NAME, STALE_SECONDS

    lock = path / LOCK_NAME
    try:
        if time.time() - lock.stat().st_mtime > STALE_SECONDS:
            return ""
        holder = json.loads(lock.read_bytes())
        return f"process {int(holder['pid'])} on {holder['host']}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def disk_bytes(folder: Path) -> int:
    """Bytes that the files of a folder take on the disk; what cannot be seen counts as 0."""
    walk = os.walk(folder)
    return sum(_file_bytes(Path(path) / name) for path, _, names in walk for name in names)


def _file_bytes(path: Path) -> int:
    try:
        return path.lstat().st_blocks * _BLOCK
    except OSError:
        return 0


def channels_text(rows: Sequence[RecordingInfo]) -> str:
    """The channel counts that occur, such as `25, 32`."""
    return shortened([str(count) for count in sorted({row.channels for row in rows})], 20)


def _store_row(path: Path, index: Index) -> StoreRow:
    return StoreRow(
        name=path.name,
        path=str(path),
        recordings=len(index.recordings),
        hours=sum(row.seconds for row in index.recordings) / 3600,
        sample_rate=index.sample_rate,
        dtype=index.dtype,
        channels=channels_text(index.recordings),
        bytes=sum(row.file_size for row in index.recordings),
        disk_bytes=disk_bytes(path),
        corpora=[corpus.title or corpus.id for corpus in index.corpora],
        source_folder=index.source_folder,
    )


def _shards(parts: Sequence[Path]) -> list[WaitingShards]:
    """The parts of each ingest together; finished ones carry a note of their own."""
    from codecctl.datasets.shards import NOTE_NAME, parse_shard

    groups: dict[tuple[str, int], dict[int, Path]] = {}
    for path in parts:
        shard = parse_shard(path.name)
        if shard is not None:
            groups.setdefault((shard.name, shard.total), {})[shard.number] = path
    waiting = []
    for (name, total), found in sorted(groups.items()):
        done = [number for number, path in sorted(found.items()) if (path / NOTE_NAME).is_file()]
        missing = [number for number in range(1, total + 1) if number not in done]
        size = sum(disk_bytes(path) for path in found.values())
        waiting.append(WaitingShards(name, total, done, missing, size))
    return waiting


def _disk(folder: Path) -> Disk:
    place = folder.absolute()
    while not place.is_dir():
        place = place.parent
    usage = shutil.disk_usage(place)
    return Disk(disk_bytes(folder), usage.free, usage.total)


def _cut(text: str, most: int = 30) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _lines(folder: Path, listing: Listing) -> list[str]:
    from codecctl.datasets.store import size_text

    head = ["name", "recordings", "length", "rate", "dtype", "channels", "size", "corpora"]
    rows = [
        [
            row.name,
            str(row.recordings),
            duration_text(row.hours * 3600),
            f"{row.sample_rate} Hz",
            row.dtype,
            row.channels,
            size_text(row.disk_bytes),
            _cut(shortened(row.corpora, 24)) or "unknown",
        ]
        for row in listing.stores
    ]
    disk = listing.disk
    share = f"{disk.used_by_stores / disk.total:.1%}" if disk.total else "?"
    last = (
        f"{folder}: {size_text(disk.used_by_stores)} on a disk of {size_text(disk.total)} "
        f"({share}), {size_text(disk.free)} free"
    )
    return [*(table_lines([head, *rows], right=(1, 2, 3, 6)) if rows else []), last]
