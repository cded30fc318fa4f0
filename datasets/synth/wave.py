"""Blocks of 32 channels into a file as the em32 recorder writes it.

WAVE_FORMAT_EXTENSIBLE, 24 bit, channel mask 0, `fact` chunk, data at byte 80: the header of the
genuine EigenScape excerpt.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from codecctl.errors import CodecctlError

Samples = npt.NDArray[np.float32]

HEADER_BYTES = 80
BYTES_PER_SAMPLE = 3
LARGEST_FILE_BYTES = 2**32 - 2**16  # sizes in a RIFF header have 32 bits
FULL_SCALE = 2**23


def wave_bytes(frames: int, channels: int) -> int:
    """Size of the file."""
    return HEADER_BYTES + frames * channels * BYTES_PER_SAMPLE


def write_wave(path: Path, blocks: Iterable[Samples], *, sample_rate: int, channels: int) -> int:
    """Write a 24-bit WAVE_EXTENSIBLE file; it appears whole or not at all.

    Args:
        path: Replaced if it exists.
        blocks: (C, n) each, full scale at 1; beyond it samples are clipped.
        sample_rate: Hz.
        channels: C.

    Returns:
        Samples that were clipped, over all channels.

    Raises:
        CodecctlError: The file could not be written, for example on a full disk.
    """
    import soundfile

    clipped = 0
    with replacing(path) as temporary:
        try:
            with soundfile.SoundFile(
                temporary,
                "w",
                samplerate=sample_rate,
                channels=channels,
                subtype="PCM_24",
                format="WAVEX",
            ) as file:
                for block in blocks:
                    steps = np.rint(block.T.astype(np.float64) * FULL_SCALE)
                    clipped += int(np.count_nonzero((steps < -FULL_SCALE) | (steps >= FULL_SCALE)))
                    pcm = np.clip(steps, -FULL_SCALE, FULL_SCALE - 1).astype(np.int32)
                    file.write(pcm << 8)
        except soundfile.LibsndfileError as error:
            raise CodecctlError(
                f"{path}: could not be written ({error.error_string}); is the disk full or a "
                "quota reached? Nothing was left behind; free some space and run again"
            ) from error
    return clipped


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A name beside a file to write to, which then takes its place; removed on any error.

    Args:
        path: The final name.
    """
    temporary = path.with_name(f".{path.name}.{temporary_mark(os.getpid())}")
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def temporary_mark(pid: int) -> str:
    """End of the temporary names of a process on this host."""
    return f"tmp-{socket.gethostname()}-{pid}"
