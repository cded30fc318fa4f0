"""`index.json`: what a store holds; written last and as a whole."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import xxhash

from codecctl.datasets.store.describe import describe
from codecctl.datasets.store.disk import sync_folder, temporary_path, write_error
from codecctl.datasets.store.layout import (
    FORMAT,
    FORMAT_VERSION,
    INDEX_NAME,
    RECORDINGS_FOLDER,
    SAMPLE_TYPES,
    RecordingInfo,
)
from codecctl.errors import DataError, NotFoundError


@dataclass(frozen=True)
class Index:
    """What `index.json` says."""

    name: str
    sample_rate: int
    """Hz, of every recording."""
    dtype: str
    source_folder: str
    """The folder that was ingested; empty when unknown."""
    recordings: tuple[RecordingInfo, ...]
    """Sorted by name, so that nothing depends on the order of writing."""

    @property
    def fingerprint(self) -> str:
        """Hash of what the recordings are and of their audio, whenever and wherever written."""
        rows = [
            [row.name, row.scene, row.take, row.array, row.channels, row.frames, row.audio_hash]
            for row in self.recordings
        ]
        identity = json.dumps([self.sample_rate, self.dtype, rows])
        return f"xxh3-128:{xxhash.xxh3_128_hexdigest(identity.encode())}"


def write_index(
    store_folder: Path,
    *,
    name: str,
    sample_rate: int,
    dtype: str,
    recordings: Sequence[RecordingInfo],
    source_folder: str = "",
) -> None:
    """Make a store visible, or replace what it lists.

    Args:
        store_folder: Holds the recordings already.
        name: Of the store.
        sample_rate: Hz, of every recording.
        dtype: Of every recording.
        recordings: At least one, in any order.
        source_folder: The folder that was ingested; named in the fix when a profile needs
            another rate.

    Raises:
        CodecctlError: The disk does not take it.
    """
    wrong = [row.name for row in recordings if (row.sample_rate, row.dtype) != (sample_rate, dtype)]
    assert recordings and not wrong, (len(recordings), wrong)
    content = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "name": name,
        "sample_rate": sample_rate,
        "dtype": dtype,
        "source_folder": source_folder,
        "recordings": [row.to_json() for row in sorted(recordings, key=lambda row: row.name)],
    }
    path = store_folder / INDEX_NAME
    temporary = temporary_path(path)
    data = json.dumps(content, indent=1).encode()
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(store_folder)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise write_error(error, path=path, needed=len(data)) from error


def read_index(store_folder: Path) -> Index:
    """Read and check `index.json`.

    Raises:
        NotFoundError: There is none.
        DataError: It is damaged, or of another format or version.
    """
    path = store_folder / INDEX_NAME
    try:
        content = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"{store_folder}: no store here (no {INDEX_NAME})") from None
    except OSError as error:
        raise DataError(f"{path}: cannot read: {error.strerror}") from error
    except ValueError as error:
        raise DataError(f"{path}: damaged, not JSON ({error}); ingest again") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError(f"{path}: not the index of a store; needed format {FORMAT!r}")
    version = content.get("format_version")
    if version != FORMAT_VERSION:
        raise DataError(
            f"{path}: found store format version {version}, this codecctl reads version "
            f"{FORMAT_VERSION}; remove the store, or ingest again with another --name"
        )
    try:
        return _parse(content)
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: damaged, {error}; ingest again") from error


def _parse(content: dict[str, object]) -> Index:
    name, source = content.get("name"), content.get("source_folder", "")
    rate, dtype, rows = (content.get(key) for key in ("sample_rate", "dtype", "recordings"))
    if not isinstance(name, str) or not isinstance(source, str):
        raise TypeError(f"name: found {name!r}, source_folder: found {source!r}, needed texts")
    if not isinstance(rate, int) or rate <= 0:
        raise ValueError(f"sample_rate: found {rate!r}, needed Hz")
    if not isinstance(dtype, str) or dtype not in SAMPLE_TYPES:
        raise ValueError(f"dtype: found {dtype!r}, needed one of {', '.join(SAMPLE_TYPES)}")
    if not isinstance(rows, list) or not rows:
        raise ValueError("recordings: found none")
    recordings = [RecordingInfo.from_json(row if isinstance(row, dict) else {}) for row in rows]
    ordered = tuple(sorted(recordings, key=lambda info: info.name))
    return Index(name, rate, dtype, source, ordered)


def committed_recordings(store_folder: Path) -> dict[str, RecordingInfo]:
    """The whole recordings of a folder, whether an index lists them or not.

    What an interrupted ingest can build on. Temporary files, files without `complete` and files
    that HDF5 cannot open are left out: writing them again replaces them.
    """
    found = {}
    for path in sorted((store_folder / RECORDINGS_FOLDER).glob("[!.]*.h5")):
        info = describe(path)
        if info is not None and info.name == path.stem:
            found[path.stem] = info
    return found
