"""A row of the index, made from a recording file alone."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np

from codecctl.datasets.store.files import open_hdf5
from codecctl.datasets.store.hashes import hash_ranges, hash_tables, outside_chunks
from codecctl.datasets.store.layout import (
    FORMAT,
    FORMAT_VERSION,
    Geometry,
    RecordingInfo,
)
from codecctl.datasets.store.structure import chunk_offsets, unbroken_offset


def describe(path: Path) -> RecordingInfo | None:
    """The row of a recording; None for a file that is not one, not ours or not complete."""
    try:
        with open_hdf5(path) as file:
            attributes = {key: _plain(value) for key, value in file.attrs.items()}
            found = [attributes.get(key) for key in ("format", "format_version", "complete")]
            if found != [FORMAT, FORMAT_VERSION, 1]:
                return None
            return RecordingInfo.from_json({**attributes, **_measure(path, file)})
    # What h5py and the row say of a file that is not HDF5 or lacks a part.
    except (OSError, KeyError, TypeError, ValueError):
        return None


def _measure(path: Path, file: h5py.File) -> dict[str, object]:
    """What the attributes do not say."""
    audio = file["audio"]
    channels, frames = audio.shape
    geometry = Geometry(channels, frames, int(file.attrs["sample_rate"]), str(file.attrs["dtype"]))
    if audio.dtype != geometry.sample_type:
        raise TypeError(f"/audio holds {audio.dtype}")
    offsets = chunk_offsets(audio.id, geometry)
    size = path.stat().st_size
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        gaps = outside_chunks(offsets, geometry.chunk_bytes, file_size=size)
        structure_hash = hash_ranges(descriptor, gaps)
    finally:
        os.close(descriptor)
    scale = file["scale"][...] if geometry.dtype == "int16" else None
    return {
        "channels": channels,
        "audio_offset": unbroken_offset(offsets, geometry),
        "file_size": size,
        "structure_hash": structure_hash,
        "audio_hash": hash_tables(file["check"][...], scale),
    }


def _plain(value: object) -> object:
    """An attribute as Python's own type."""
    item = value.item() if isinstance(value, np.generic) else value
    return item.decode() if isinstance(item, bytes) else item
