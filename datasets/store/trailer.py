"""What a recording file says of itself, behind its HDF5 part.

    JSON text, filled up with spaces | length of the text, 8 bytes | xxh3-64 of it, 8 bytes | magic

HDF5 ignores what follows the end that it has noted. So a file that no index lists is known, and
found damaged, without a library that trusts what it reads: bytes that changed make HDF5 crash or
loop. Numbers are little-endian.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping

import xxhash

from codecctl.datasets.store.hashes import hash_ranges, outside_chunks
from codecctl.datasets.store.layout import Geometry

MAGIC = b"codecrec"
_FOOTER = struct.Struct("<QQ8s")
_STEP = 1024
_LATE_BYTES = 512
"""Of what is known at the end only: four hashes and five numbers."""
_MOST_BYTES = 1 << 20


def trailer_size(content: Mapping[str, object]) -> int:
    """Bytes that a trailer takes when what is still unknown has been added to its content."""
    return -(-(len(_text(content)) + _LATE_BYTES + _FOOTER.size) // _STEP) * _STEP


def pack_trailer(content: Mapping[str, object], size: int) -> bytes:
    """The bytes of a trailer."""
    text = _text(content)
    room = size - _FOOTER.size
    assert len(text) <= room, (len(text), room)
    text = text.ljust(room)
    return text + _FOOTER.pack(room, xxhash.xxh3_64_intdigest(text), MAGIC)


def read_trailer(descriptor: int, *, file_size: int) -> tuple[dict[str, object], int] | None:
    """What an open file says of itself and where that begins; None for another kind of file.

    Raises:
        OSError: The disk cannot read it.
    """
    if file_size < _FOOTER.size:
        return None
    end = file_size - _FOOTER.size
    footer = os.pread(descriptor, _FOOTER.size, end)
    if len(footer) < _FOOTER.size:
        return None
    length, digest, magic = _FOOTER.unpack(footer)
    if magic != MAGIC or length > min(_MOST_BYTES, end):
        return None
    text = os.pread(descriptor, length, end - length)
    if len(text) < length or xxhash.xxh3_64_intdigest(text) != digest:
        return None
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return (content, end - length) if isinstance(content, dict) else None


def hash_outside(descriptor: int, audio_offset: int, geometry: Geometry, *, end: int) -> str:
    """Hash of every byte of an open file up to `end` that is not audio."""
    run = outside_chunks([audio_offset], geometry.audio_bytes, file_size=end)
    return hash_ranges(descriptor, run)


def _text(content: Mapping[str, object]) -> bytes:
    return json.dumps(content).encode()
