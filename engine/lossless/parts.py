"""Where decoded samples go: into the whole WAV file, or into one of a part of it.

What lies outside a part is not decoded. Every chunk that is read is compared with its CRC; the
hashes are of the whole and say nothing of a part.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from codecctl.engine.lossless.container import Header, Reader
from codecctl.engine.lossless.disk import Sizes, appearing
from codecctl.engine.lossless.samples import lay_out, mapped_samples, require_sealed
from codecctl.engine.lossless.wav import wav_header
from codecctl.errors import UsageError


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


@contextmanager
def restoring(reader: Reader, target: Path, frames: range | None) -> Iterator[np.ndarray]:
    """The samples of a new WAV file (T, C, bytes), to be filled; then it appears.

    Args:
        reader: Of the coded file; behind the last chunk when the whole is filled.
        target: Where the WAV file goes.
        frames: Of a part; None: the whole, every byte of it compared with its hashes.

    Raises:
        DataError: What was filled in is not what was coded.
    """
    header, verbatim = reader.header, reader.verbatim
    if frames is not None:
        form = wav_header(
            channels=header.channels, bits=header.bits, rate=header.rate, frames=len(frames)
        )
        pad = len(frames) * header.channels * header.bits // 8 % 2
        verbatim = form + bytes(pad)
        header = replace(header, frames=len(frames), before=len(form), behind=pad)
    with appearing(target) as path:
        lay_out(path, header, verbatim)
        samples = mapped_samples(path, header, mode="r+")
        yield samples
        if frames is None:
            require_sealed(path, header, samples, b"".join(reader.end()), target)
        elif isinstance(samples, np.memmap):
            samples.flush()


def restored_sizes(source: Path, target: Path, header: Header, frames: range | None) -> Sizes:
    """What decoding did; a part has no size in the coded file."""
    raw = target.stat().st_size
    if frames is None:
        return Sizes(raw, source.stat().st_size, header.symbols)
    return Sizes(raw, 0, len(frames) * header.channels)
