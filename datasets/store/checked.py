"""Reads that prove what they read: each chunk is compared with its hash before its first use."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from codecctl.datasets.store.damage import Damage
from codecctl.datasets.store.hashes import hash_chunk
from codecctl.datasets.store.layout import RecordingInfo
from codecctl.datasets.store.tables import read_check
from codecctl.errors import DataError


class CheckedChunks:
    """Which chunks of a recording this process has found as they were written.

    A chunk costs a read and a hash once; threads that meet at the same one check it twice.

    Args:
        path: Of the recording.
        info: Its row of the index.

    Raises:
        DataError: The hashes cannot be read.
    """

    def __init__(self, path: Path, info: RecordingInfo) -> None:
        self._info = info
        self._path = path
        self._length = info.geometry.chunk_bytes
        try:
            self._hashes = read_check(path, info)
        except OSError as error:
            raise DataError(f"{path}: cannot read its hashes ({error}); ingest again") from error
        self._sound = np.zeros(self._hashes.shape, dtype=bool)

    def require(self, descriptor: int, channels: Sequence[int], start: int, frames: int) -> None:
        """Check the chunks of a span that were not checked before.

        Args:
            descriptor: Of the recording's file.
            channels: Within the recording, as the span is.
            start: First frame.
            frames: Frames of the span.

        Raises:
            DataError: Names recording, channel and second of a chunk that is not as written.
        """
        rate = self._info.sample_rate
        seconds = range(start // rate, -(-(start + frames) // rate))
        for channel in channels:
            for second in seconds:
                if not self._sound[channel, second]:
                    self._check(descriptor, channel, second)

    def _check(self, descriptor: int, channel: int, second: int) -> None:
        chunk = (channel * self._hashes.shape[1] + second) * self._length
        try:
            content = os.pread(descriptor, self._length, self._info.audio_offset + chunk)
        except OSError as error:
            raise self._damaged(channel, second, f"cannot be read ({error.strerror})") from error
        if hash_chunk(content) != int(self._hashes[channel, second]):
            raise self._damaged(channel, second, "the audio is not what was written")
        self._sound[channel, second] = True

    def _damaged(self, channel: int, second: int, what: str) -> DataError:
        damage = Damage(self._info.name, what, (channel, channel), (second, second))
        return DataError(f"{self._path}: {damage}; see all of it with: codecctl data verify")
