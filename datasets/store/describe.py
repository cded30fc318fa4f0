"""A row of the index, made from a recording file alone."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from codecctl.datasets.store.layout import FORMAT, FORMAT_VERSION, RecordingInfo
from codecctl.datasets.store.regular import open_regular
from codecctl.datasets.store.trailer import hash_outside, read_trailer


def describe(path: Path) -> RecordingInfo | None:
    """The row of a recording; None for a file that is not one, not complete or damaged.

    Damage of the audio itself is left to `verify`.
    """
    try:
        descriptor = open_regular(path)
    except OSError:
        return None
    try:
        return _describe(descriptor)
    except (OSError, TypeError, ValueError):  # an unreadable disk; a row that lacks a part
        return None
    finally:
        os.close(descriptor)


def _describe(descriptor: int) -> RecordingInfo | None:
    size = os.fstat(descriptor).st_size
    found = read_trailer(descriptor, file_size=size)
    if found is None:
        return None
    content, start = found
    if [content.get(key) for key in ("format", "format_version")] != [FORMAT, FORMAT_VERSION]:
        return None
    info = RecordingInfo.from_json({**content, "structure_hash": ""})
    body = hash_outside(descriptor, info.audio_offset, info.geometry, end=start)
    if info.file_size != size or content.get("body_hash") != body:
        return None
    whole = hash_outside(descriptor, info.audio_offset, info.geometry, end=size)
    return replace(info, structure_hash=whole)
