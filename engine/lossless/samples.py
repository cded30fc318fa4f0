"""The samples of a WAV file as a stream of symbols in chunks, read and written in place."""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from codecctl.datasets.tokens import Tokenizer, rectangles
from codecctl.engine.lossless.container import MOST_VERBATIM, SEALS, Header
from codecctl.engine.lossless.wav import WavParts, packed, unpacked
from codecctl.errors import DataError

_HASH_BYTES = 1 << 20


def read_chunk(samples: np.ndarray, header: Header, tokenizer: Tokenizer, index: int) -> np.ndarray:
    """The symbols of a chunk of the stream."""
    found = []
    for frames, channel in _pieces(header, index):
        signed = unpacked(np.asarray(samples[frames, channel]), header.bits)
        found.append(tokenizer.tokens(signed, bits=header.bits))
    return np.concatenate(found)


def write_chunk(
    samples: np.ndarray,
    header: Header,
    tokenizer: Tokenizer,
    index: int,
    tokens: np.ndarray,
    *,
    first: int = 0,
) -> None:
    """Put a chunk where it belongs.

    Args:
        samples: (frames, channels, bytes) of the recording, or of a part of it.
        header: Of the recording.
        tokenizer: Of its symbols.
        index: Of the chunk.
        tokens: Its symbols.
        first: Frame of the recording that `samples` begins with; what lies outside is left out.
    """
    at = 0
    for frames, channel in _pieces(header, index):
        begin, end = max(frames.start, first), min(frames.stop, first + len(samples))
        if begin < end:
            inside = tokens[at + begin - frames.start : at + end - frames.start]
            signed = tokenizer.samples(inside, bits=header.bits)
            samples[begin - first : end - first, channel] = packed(signed, header.bits)
        at += frames.stop - frames.start


def _pieces(header: Header, index: int) -> Iterator[tuple[slice, int]]:
    """Frames and channel of each run of a chunk, in the order of the stream."""
    for part in rectangles(
        index * header.chunk,
        header.length(index),
        channels=header.channels,
        frames=header.frames,
        block=header.block,
    ):
        at, end = part.cut.start, part.cut.stop
        while at < end:
            row, inside = divmod(at, part.frames)
            stop = min(end, (row + 1) * part.frames)
            first = part.start + inside
            yield slice(first, first + stop - at), part.channels[row]
            at = stop


def mapped_samples(path: Path, header: Header, *, mode: str) -> np.ndarray:
    """The samples of a WAV file as bytes, (frames, channels, bytes), mapped into memory."""
    shape = (header.frames, header.channels, header.bits // 8)
    if not header.frames:
        return np.empty(shape, np.uint8)
    mapped: np.ndarray = np.memmap(
        path,
        np.uint8,
        "r" if mode == "r" else "r+",
        offset=header.before,
        shape=shape,
    )
    return mapped


def let_go(samples: np.ndarray) -> None:
    """Give back the memory of mapped samples that were read or written; none of them is lost.

    Pages of a mapped file stay in the memory of a process until something else needs it: that of
    an hour of 32 channels would count as 16 GB. The file's own cache keeps them.
    """
    if isinstance(samples.base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        samples.base.madvise(mmap.MADV_DONTNEED)


def lay_out(path: Path, header: Header, verbatim: bytes) -> None:
    """Write a WAV file whose samples are still to come; their room is taken.

    Raises:
        OSError: The disk has no room for them. Samples are written through a mapping, and a process
            that does so on a full disk is killed (SIGBUS).
    """
    with path.open("wb") as file:
        file.write(verbatim[: header.before])
        file.seek(header.before + header.symbols * header.bits // 8)
        file.write(verbatim[header.before :])
        file.truncate()
        file.flush()
        _take_room(file, header.before, header.symbols * header.bits // 8)


def _take_room(file: BinaryIO, start: int, count: int) -> None:
    """Have the disk give the bytes of a hole."""
    if count and hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), start, count)
    elif count:
        file.seek(start)
        file.writelines(
            bytes(min(_HASH_BYTES, count - done)) for done in range(0, count, _HASH_BYTES)
        )


def verbatim_of(source: Path, parts: WavParts) -> bytes:
    """What stands before and behind the samples of a WAV file.

    Raises:
        DataError: It is too much to be metadata.
    """
    count = parts.size - (parts.end - parts.offset)
    if count > MOST_VERBATIM:
        raise DataError(
            f"{source}: found {count} bytes that are no samples, needed at most {MOST_VERBATIM}"
        )
    with source.open("rb") as file:
        before = file.read(parts.offset)
        file.seek(parts.end)
        return before + file.read()


def require_sealed(
    path: Path, header: Header, samples: np.ndarray, seals: bytes, target: Path
) -> None:
    """Compare a decoded file with what was coded, before it gets its name.

    Args:
        path: The file, still under another name.
        header: Of what was decoded.
        samples: The mapped samples of the file.
        seals: MD5 and SHA-256 that were coded.
        target: The name that it would get.

    Raises:
        DataError: It differs.
    """
    if isinstance(samples, np.memmap):
        samples.flush()
    if seals_of(path, header) != seals:
        raise DataError(
            f"{target}: what was decoded is not what was coded (MD5, SHA-256); nothing is "
            "written; copy the file again"
        )


def seals_of(path: Path, header: Header) -> bytes:
    """MD5 of the samples, then SHA-256 of the file."""
    samples, whole = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    left, count = header.before, header.symbols * header.bits // 8
    with path.open("rb") as file:
        whole.update(file.read(left))
        while count:
            data = file.read(min(count, _HASH_BYTES))
            if not data:
                raise DataError(f"{path}: became shorter while it was read")
            samples.update(data)
            whole.update(data)
            count -= len(data)
        whole.update(file.read())
    seals = samples.digest() + whole.digest()
    assert len(seals) == SEALS, len(seals)
    return seals
