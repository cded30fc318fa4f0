"""A copy of a recording under another name: its structure is made anew, its audio is copied."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from codecctl.datasets.store.describe import describe
from codecctl.datasets.store.disk import reserve, write_all, write_error
from codecctl.datasets.store.layout import RecordingInfo
from codecctl.datasets.store.regular import open_regular
from codecctl.datasets.store.structure import Structure
from codecctl.datasets.store.tables import read_check, read_scale
from codecctl.datasets.store.trailer import (
    hash_outside,
    pack_trailer,
    read_trailer,
    trailer_size,
)
from codecctl.errors import DataError

_COPY_BYTES = 1 << 23
_LATE = ("source_hash", "audio_hash", "file_size", "body_hash", "structure_hash")
_DERIVED = ("channels", "audio_offset", "scale_offset", "check_offset", *_LATE)
"""Of the trailer, and no attributes."""


def write_renamed(
    source: Path,
    info: RecordingInfo,
    target: Path,
    *,
    name: str,
    take: str,
    on_bytes: Callable[[int], None],
) -> RecordingInfo:
    """Write a recording under another name and sync it; the caller renames or removes the file.

    Args:
        source: A recording whose structure is sound.
        info: Its row.
        target: The file to write, replaced where it exists.
        name: The new one.
        take: The new one.
        on_bytes: Called with the bytes of audio copied since the last call.

    Raises:
        DataError: The source is no recording any more.
        CodecctlError: The disk does not take it.
    """
    reading = open_regular(source)
    try:
        found = read_trailer(reading, file_size=os.fstat(reading).st_size)
        if found is None:
            raise DataError(f"{source}: damaged, its last bytes are not what was written")
        content = {**found[0], "name": name, "take": take}
        structure = _structure(source, info, content)
        try:
            _write(reading, source, info, target, structure, content, on_bytes)
        finally:
            structure.close()
    finally:
        os.close(reading)
    written = describe(target)
    assert written is not None and written.audio_hash == info.audio_hash, target
    return written


def _structure(source: Path, info: RecordingInfo, content: dict[str, object]) -> Structure:
    labels = content.get("channel_labels")
    if not isinstance(labels, list) or len(labels) != info.channels:
        raise DataError(f"{source}: its labels are missing; ingest again")
    directions = content.get("channel_directions")
    attributes = {
        key: value
        for key, value in content.items()
        if key not in _DERIVED and isinstance(value, str | int | float)
    }
    return Structure(
        info.geometry,
        attributes,
        labels=tuple(map(str, labels)),
        directions=None if directions is None else np.asarray(directions),
    )


def _write(
    reading: int,
    source: Path,
    info: RecordingInfo,
    target: Path,
    structure: Structure,
    content: dict[str, object],
    on_bytes: Callable[[int], None],
) -> None:
    places = {
        "audio_offset": structure.audio_offset,
        "scale_offset": structure.scale_offset,
        "check_offset": structure.check_offset,
        "h5py": h5py.__version__,
    }
    early = {key: value for key, value in content.items() if key not in _LATE} | places
    size = structure.size + trailer_size(early)
    scale = read_scale(source, info) if info.scale_offset >= 0 else None
    text = str(content["source_hash"])
    structure.finish(scale, read_check(source, info), attributes={"source_hash": text})
    target.parent.mkdir(parents=True, exist_ok=True)
    writing = os.open(target, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    try:
        reserve(writing, size, path=target)
        _copy_audio(reading, writing, info, structure.audio_offset, on_bytes)
        structure.copy_to(writing)
        end = structure.size
        late = {
            "source_hash": text,
            "audio_hash": info.audio_hash,
            "file_size": size,
            "body_hash": hash_outside(writing, structure.audio_offset, info.geometry, end=end),
        }
        write_all(writing, pack_trailer({**early, **late}, size - end), end)
        os.fsync(writing)
    except OSError as error:
        raise write_error(error, path=target, needed=size) from error
    finally:
        os.close(writing)


def _copy_audio(
    reading: int,
    writing: int,
    info: RecordingInfo,
    offset: int,
    on_bytes: Callable[[int], None],
) -> None:
    done, total = 0, info.geometry.audio_bytes
    while done < total:
        data = os.pread(reading, min(_COPY_BYTES, total - done), info.audio_offset + done)
        if not data:
            raise DataError(f"recording {info.name}: became shorter while it was copied")
        write_all(writing, data, offset + done)
        done += len(data)
        on_bytes(len(data))
