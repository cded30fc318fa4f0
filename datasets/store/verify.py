"""Find damage: in the structure without reading audio, in the audio chunk by chunk."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codecctl.datasets.store.files import open_hdf5
from codecctl.datasets.store.hashes import hash_chunk, hash_ranges, outside_chunks
from codecctl.datasets.store.layout import RecordingInfo
from codecctl.datasets.store.structure import chunk_offsets

_REPORT_BYTES = 4 << 20


@dataclass(frozen=True)
class Damage:
    """One thing that is not as it was written."""

    recording: str
    channel: int | None
    """Index from 0; None where the damage is not in the audio."""
    second: int | None
    """Second of the recording, from 0."""
    what: str

    def __str__(self) -> str:
        where = (
            "" if self.channel is None else f", channel {self.channel + 1}, second {self.second}"
        )
        return f"{self.recording}{where}: {self.what}"


def structure_damage(path: Path, info: RecordingInfo) -> str:
    """What is wrong with the part of a recording file that is not audio, "" when nothing is.

    Reads the structure only: about 250 kB of a 900 MB recording.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return "missing, though the index lists it"
    except OSError as error:
        return f"cannot be opened ({error.strerror})"
    try:
        size = os.fstat(descriptor).st_size
        if size != info.file_size:
            kind = "truncated" if size < info.file_size else "damaged"
            return f"{kind}: found {size} bytes, needed {info.file_size}"
        found = hash_ranges(descriptor, _structure_ranges(path, info))
    except OSError as error:
        return f"cannot be read ({error})"
    finally:
        os.close(descriptor)
    return "" if found == info.structure_hash else "damaged: its structure is not what was written"


def verify_recording(
    path: Path, info: RecordingInfo, on_progress: Callable[[int], None]
) -> list[Damage]:
    """Compare each chunk with its hash in `/check`.

    Args:
        path: A file whose structure is sound.
        info: Its row of the index.
        on_progress: Called with the bytes of audio done.
    """
    with open_hdf5(path) as file:
        check: np.ndarray = file["check"][...]
        offsets = chunk_offsets(file["audio"].id, info.geometry)
    length = info.geometry.chunk_bytes
    damages = []
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        done = 0
        for channel, second in np.ndindex(offsets.shape):
            offset, expected = int(offsets[channel, second]), check[channel, second]
            what = _chunk_damage(descriptor, offset, length, expected=int(expected))
            if what:
                damages.append(Damage(info.name, channel, second, what))
            done += length
            if done % _REPORT_BYTES < length or done == info.geometry.audio_bytes:
                on_progress(done)
    finally:
        os.close(descriptor)
    return damages


def _chunk_damage(descriptor: int, offset: int, length: int, *, expected: int) -> str:
    try:
        chunk = os.pread(descriptor, length, offset)
    except OSError as error:  # a bad sector spoils a chunk, not the search for others
        return f"cannot be read ({error.strerror})"
    return "" if hash_chunk(chunk) == expected else "the audio is not what was written"


def _structure_ranges(path: Path, info: RecordingInfo) -> list[tuple[int, int]]:
    geometry, size = info.geometry, info.file_size
    if info.audio_offset >= 0:
        run = np.array([info.audio_offset])
        return outside_chunks(run, geometry.audio_bytes, file_size=size)
    with open_hdf5(path) as file:
        offsets = chunk_offsets(file["audio"].id, geometry)
    return outside_chunks(offsets, geometry.chunk_bytes, file_size=size)
