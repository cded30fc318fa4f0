"""What `encode` takes besides WAV files on a disk: FLAC, AIFF, W64 and what comes through a pipe.

Each becomes a WAV file in a temporary folder, in pieces, so that memory stays bounded. A WAV file
is taken as it is: every byte of it comes back. Of the others it is the samples.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from codecctl.engine.lossless.wav import is_wav, packed, wav_header
from codecctl.errors import CodecctlError, DataError, NotFoundError, UsageError

PIPE = Path("-")
"""Stands for stdin and stdout."""
_BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24}
_PIECE_BYTES = 1 << 22


@dataclass(frozen=True)
class Source:
    """A WAV file to be coded."""

    path: Path
    kind: str
    """`WAV`, or the format that its samples are of."""


@contextmanager
def as_wav(source: Path, *, beside: Path) -> Iterator[Source]:
    """A WAV file with the samples of any source; a temporary one is gone after the block.

    Args:
        source: A file, or `PIPE`.
        beside: Folder for what is temporary.

    Raises:
        NotFoundError: There is no such file.
        DataError: It has no samples of 8, 16 or 24 bits.
        CodecctlError: There is no room for it.
        UsageError: stdin is a terminal.
    """
    if is_wav(source):
        yield Source(source, "WAV")
        return
    with tempfile.TemporaryDirectory(prefix=".codecctl-", dir=beside) as folder:
        path, name = source, str(source)
        if source == PIPE:
            path, name = Path(folder, "stdin"), "stdin"
            spool(path)
        try:
            if is_wav(path):
                yield Source(path, "WAV")
            else:
                yield _converted(path, Path(folder, "samples.wav"))
        except CodecctlError as error:
            raise type(error)(str(error).replace(str(path), name)) from error


def spool(target: Path) -> None:
    """Write what comes through stdin to a file.

    Raises:
        CodecctlError: There is no room for it.
        UsageError: stdin is a terminal.
    """
    if sys.stdin.isatty():
        raise UsageError(
            "stdin: found a terminal, needed a file or a pipe; name a file instead of -"
        )
    try:
        with target.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file, _PIECE_BYTES)
    except OSError as error:
        raise CodecctlError(
            f"stdin: cannot be kept in {target.parent}: {error.strerror}"
        ) from error


def _converted(path: Path, target: Path) -> Source:
    """The samples of what libsndfile reads, as a WAV file."""
    if not path.exists():
        raise NotFoundError(f"{path}: no such file")
    try:
        with soundfile.SoundFile(path) as file:
            bits = _BITS.get(file.subtype)
            if bits is None:
                raise DataError(
                    f"{path}: found {file.format} of {file.subtype}, needed samples stored as "
                    "integers of 8, 16 or 24 bits"
                )
            _write(file, target, bits)
            return Source(target, str(file.format))
    except soundfile.LibsndfileError as error:
        raise DataError(
            f"{path}: damaged, or no WAV, FLAC, AIFF or W64 file: {error.error_string.rstrip('.')}"
        ) from error


def _write(file: soundfile.SoundFile, target: Path, bits: int) -> None:
    channels, frames = file.channels, file.frames
    block = max(1, _PIECE_BYTES // (4 * channels))
    done = 0
    try:
        with target.open("wb") as out:
            out.write(wav_header(channels=channels, bits=bits, rate=file.samplerate, frames=frames))
            while len(piece := file.read(block, dtype="int32", always_2d=True)):
                out.write(packed(piece.astype(np.int64) >> (32 - bits), bits).tobytes())
                done += len(piece)
            out.write(bytes(done * channels * bits // 8 % 2))
    except OSError as error:
        raise CodecctlError(f"{target}: cannot be written: {error.strerror}") from error
    if done != frames:
        raise DataError(f"{file.name}: found {done} frames, needed the {frames} of its header")
