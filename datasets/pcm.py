"""Samples of an audio file in blocks of planar float32, with a hash of every byte of the file.

Plain little-endian WAV is read and unpacked here: three times faster than a decoder and equal to
libsndfile to the last bit. Everything else goes through libsndfile.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import soundfile

from codecctl.datasets.audiofile import AudioFile, AudioFileError
from codecctl.datasets.container import SampleFormat
from codecctl.datasets.sourcehash import SourceHash

_BLOCK_SAMPLES = 2_000_000
"""Samples of a block over all channels: 8 MB as float32, whatever the length of the file. No power
of two: the rows of a block would share their cache lines."""

_TILE_FRAMES = 2048
"""Frames turned at once from interleaved to planar; a tile stays in the cache."""

_HASH_BYTES = 1 << 20

READERS = ("auto", "soundfile")
"""Own unpacking where a file is plain, or libsndfile for every file."""


class AudioBlocks:
    """Iterates once over the samples of a file, in order.

    Each block is a view (C, n) float32 of one buffer, full scale at [-1, 1]: use or copy it
    before taking the next. Integers of up to 24 bits and 32-bit floats arrive exactly.
    Iterating raises `AudioFileError` when the file ends early, cannot be decoded, changes while
    it is read, or holds a sample that is not a finite number (names channel and time).

    Args:
        audio: A probed file.
        reader: `auto`, or `soundfile`: libsndfile decodes every file.
        source_hash: One of `sourcehash.SOURCE_HASHES`.
    """

    def __init__(
        self, audio: AudioFile, *, reader: str = "auto", source_hash: str = "xxh3-128"
    ) -> None:
        assert reader in READERS, reader
        self._audio = audio
        self._plain = reader == "auto" and audio.container is not None
        self._hash = SourceHash(source_hash)
        self._position = 0
        frames = max(1, min(audio.frames, _BLOCK_SAMPLES // audio.channels))
        self._planar = np.empty((audio.channels, frames), np.float32)
        self.bytes_read = 0
        """Bytes of the file that are done with so far."""

    @property
    def source_hash(self) -> str:
        """`<algorithm>:<hex>` over the whole file, or empty; known after the last block."""
        assert self.bytes_read == self._audio.size, (self.bytes_read, self._audio.size)
        return self._hash.text

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield the blocks (C, n); raises `AudioFileError`."""
        audio = self._audio
        try:
            with audio.path.open("rb", buffering=0) as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
                for block in self._unpacked(file) if self._plain else self._decoded(file):
                    if audio.is_float:
                        self._require_finite(block)
                    self._position += block.shape[1]
                    yield block
                self._require_all()
                self._hash_up_to(file, audio.size)
                self._require_unchanged(file)
        except OSError as error:
            raise AudioFileError(audio.path, f"cannot be read: {error.strerror}") from error

    def _unpacked(self, file: BinaryIO) -> Iterator[np.ndarray]:
        container = self._audio.container
        assert container is not None and container.format is not None, self._audio
        self._hash_up_to(file, container.offset)
        file.seek(container.offset)
        unpacker = _Unpacker(container.format, self._planar.shape[1])
        while self._position < self._audio.frames:
            frames = min(self._audio.frames - self._position, self._planar.shape[1])
            data = unpacker.room(frames)
            self._read_exactly(file, data)
            block = self._planar[:, :frames]
            unpacker.unpack(block)
            yield block

    def _decoded(self, file: BinaryIO) -> Iterator[np.ndarray]:
        audio = self._audio
        step = self._planar.shape[1]
        interleaved = np.empty((step, audio.channels), np.float32)
        with soundfile.SoundFile(bytes(audio.path)) as decoder:
            while self._position < audio.frames:
                # The bytes of this block first: the decoder then finds them in the page cache.
                share = min(1.0, (self._position + step) / audio.frames)
                self._hash_up_to(file, int(share * audio.size))
                try:
                    samples = decoder.read(out=interleaved, dtype="float32", always_2d=True)
                except soundfile.LibsndfileError as error:
                    second = self._position / audio.sample_rate
                    reason = f"cannot be decoded from {second:.3f} s on: {error.error_string}"
                    raise AudioFileError(audio.path, f"{reason}; copy it again") from error
                if len(samples) == 0:
                    return
                block = self._planar[:, : len(samples)]
                for start in range(0, len(samples), _TILE_FRAMES):
                    tile = slice(start, start + _TILE_FRAMES)
                    block[:, tile] = samples[tile].T
                yield block

    def _read_exactly(self, file: BinaryIO, data: np.ndarray) -> None:
        view = data.data
        while len(view) > 0:
            count = file.readinto(view)  # type: ignore[attr-defined]  # unbuffered files have it
            if not count:
                raise AudioFileError(self._audio.path, "became shorter while it was read")
            view = view[count:]
        self._hash.update(data.data)
        self.bytes_read += len(data)

    def _hash_up_to(self, file: BinaryIO, end: int) -> None:
        if not self._hash:
            self.bytes_read = end
        while self.bytes_read < end:
            data = np.empty(min(_HASH_BYTES, end - self.bytes_read), np.uint8)
            self._read_exactly(file, data)

    def _require_finite(self, block: np.ndarray) -> None:
        odd = ~np.isfinite(block)
        if not odd.any():
            return
        frame = int(odd.any(axis=0).argmax())
        channel = int(odd[:, frame].argmax())
        second = (self._position + frame) / self._audio.sample_rate
        value = block[channel, frame]
        reason = f"channel {channel + 1} holds {value} at {second:.4f} s; needed finite samples"
        raise AudioFileError(self._audio.path, reason)

    def _require_all(self) -> None:
        if self._position != self._audio.frames:
            reason = f"the header announces {self._audio.frames} frames, found {self._position}"
            raise AudioFileError(self._audio.path, f"truncated: {reason}; copy it again")

    def _require_unchanged(self, file: BinaryIO) -> None:
        status = os.fstat(file.fileno())
        if (status.st_size, status.st_mtime) != (self._audio.size, self._audio.mtime):
            raise AudioFileError(self._audio.path, "changed while it was read; ingest it again")


class _Unpacker:
    """Interleaved integers or floats of a WAV file to planar float32.

    24-bit samples are seen as 32-bit integers that begin one byte early; a shift drops the byte.
    """

    def __init__(self, layout: SampleFormat, most_frames: int) -> None:
        self._layout = layout
        self._frame_bytes = layout.channels * layout.bits // 8
        self._bytes = np.zeros(1 + most_frames * self._frame_bytes, np.uint8)
        self._tile = np.empty((layout.channels, min(most_frames, _TILE_FRAMES)), np.int32)

    def room(self, frames: int) -> np.ndarray:
        """Where the bytes of the next block belong, uint8."""
        return self._bytes[1 : 1 + frames * self._frame_bytes]

    def unpack(self, block: np.ndarray) -> None:
        """Turn what lies in `room` into a block (C, n) float32."""
        frames = block.shape[1]
        for start in range(0, frames, _TILE_FRAMES):
            stop = min(frames, start + _TILE_FRAMES)
            self._unpack_tile(block[:, start:stop], start)

    def _unpack_tile(self, tile: np.ndarray, start: int) -> None:
        bits = self._layout.bits
        kind = "<f4" if self._layout.is_float else {16: "<i2", 24: "<i4", 32: "<i4"}[bits]
        samples = np.ndarray(
            tile.shape,
            np.dtype(kind),
            self._bytes.data,
            offset=start * self._frame_bytes + (0 if bits == 24 else 1),
            strides=(bits // 8, self._frame_bytes),
        )
        if self._layout.is_float:
            tile[:] = samples
        elif bits == 24:
            integers = self._tile[:, : tile.shape[1]]
            np.right_shift(samples, 8, out=integers)
            np.multiply(integers, np.float32(2.0**-23), out=tile, casting="unsafe")
        else:
            full_scale = np.float32(2.0 ** (1 - bits))
            np.multiply(samples, full_scale, out=tile, casting="unsafe", dtype=np.float32)
