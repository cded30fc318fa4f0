"""A part of a coded file as a WAV file of its own; what lies outside is not decoded.

Every chunk that is read is compared with its CRC; the hashes are of the whole and say nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from codecctl.engine.lossless.arrays import MODEL, require_no_model, segments
from codecctl.engine.lossless.container import Header, Reader
from codecctl.engine.lossless.disk import Advance, Sizes, appearing, opened
from codecctl.engine.lossless.samples import lay_out, mapped_samples
from codecctl.engine.lossless.wav import packed, wav_header
from codecctl.errors import DataError, UsageError


def frames_of(header: Header, source: Path, *, start: float, seconds: float) -> range:
    """The frames of a part.

    Args:
        header: Of the coded file.
        source: Its name, for messages.
        start: Seconds before the part.
        seconds: Of the part; 0: to the end. It ends where the recording does.

    Raises:
        UsageError: It begins behind the end, or the file does not say how long a frame lasts.
    """
    if not header.rate:
        raise UsageError(f"{source}: its rate is 0 Hz, so that seconds mean nothing in it")
    first = round(start * header.rate)
    if first >= header.frames:
        raise UsageError(
            f"{source}: found {header.frames / header.rate:.3f} s, needed more than the "
            f"{start:g} s of --start"
        )
    wanted = round(seconds * header.rate) or header.frames
    return range(first, min(header.frames, first + wanted))


def require_some_model(header: Header, source: Path) -> None:
    """Refuse what was coded without a model, before one is loaded.

    Raises:
        DataError: It was.
    """
    if header.model == MODEL:
        raise DataError(f"{source}: coded without a model; decode it without --model")


def decode_array_part(
    source: Path, target: Path, frames: range, *, advance: Advance = lambda _count: None
) -> Sizes:
    """Decode some frames of what `encode_array` wrote.

    Args:
        source: The coded file.
        target: Where the WAV file goes; it appears whole or not at all.
        frames: One behind the other, within the recording.
        advance: Told how many samples are done.

    Raises:
        NotFoundError: There is no such source.
        DataError: It is damaged, or needs a model.
        CodecctlError: This machine makes other tables than the encoder's.
    """
    with opened(source) as reader:
        header = reader.header
        require_no_model(header, source)
        wanted = range(frames.start // header.block, -(-frames.stop // header.block))
        with part_of(reader, target, frames) as samples:
            for start, piece in segments(reader, wanted):
                begin, end = max(start, frames.start), min(start + len(piece), frames.stop)
                inside = piece[begin - start : end - start]
                samples[begin - frames.start : end - frames.start] = packed(inside, header.bits)
                advance(piece.size)
    return sizes_of(header, frames, target)


@contextmanager
def part_of(reader: Reader, target: Path, frames: range) -> Iterator[np.ndarray]:
    """The samples of a new WAV file (T, C, bytes) to be filled."""
    header = reader.header
    form = wav_header(
        channels=header.channels, bits=header.bits, rate=header.rate, frames=len(frames)
    )
    pad = len(frames) * header.channels * header.bits // 8 % 2
    part = replace(header, frames=len(frames), before=len(form), behind=pad)
    with appearing(target) as path:
        lay_out(path, part, form + bytes(pad))
        samples = mapped_samples(path, part, mode="r+")
        yield samples
        if isinstance(samples, np.memmap):
            samples.flush()


def sizes_of(header: Header, frames: range, target: Path) -> Sizes:
    """What decoding a part did; the part itself has no size in the coded file."""
    return Sizes(target.stat().st_size, 0, len(frames) * header.channels)
