"""Samples of an audio file in blocks, with hashes of every byte of the file.

Plain little-endian WAV is read and unpacked here: four times faster than a decoder and equal to
libsndfile to the last bit. Everything else goes through libsndfile.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np
import soundfile

from codecctl.datasets.audiofile import AudioFile, AudioFileError
from codecctl.datasets.sourcehash import FileHashes
from codecctl.datasets.unpack import Unpacker

_BLOCK_SAMPLES = 76_800
"""Samples of a block over all channels, whatever the length of the file: with what is made of them
they stay in the second cache until they are resampled."""

_HASH_BYTES = 1 << 20

READERS = ("auto", "soundfile")
"""Own unpacking where a file is plain, or libsndfile for every file."""


class AudioBlocks:
    """Iterates once over the samples of a file, in order.

    Each block is a view (C, n) of one buffer, transposed: the samples of a frame are neighbours,
    as in the file. Use or copy it before taking the next. As float32, full scale is [-1, 1];
    integers of up to 24 bits and 32-bit floats arrive exactly. As int32, integers arrive as they
    are, those of unsigned 8 bits less 128.
    Iterating raises `AudioFileError` when the file ends early, cannot be decoded, changes while
    it is read, or holds a sample that is not a finite number (names channel and time).

    Args:
        audio: A probed file.
        integers: Blocks of int32, of a file that `pcm_refusal` has nothing against.
        reader: One of `READERS`.
        hashes: Algorithms of `sourcehash`; without any, only the samples of a plain file are read.
    """

    def __init__(
        self,
        audio: AudioFile,
        *,
        integers: bool = False,
        reader: str = "auto",
        hashes: Sequence[str] = ("xxh3-128",),
    ) -> None:
        assert reader in READERS, reader
        assert not (integers and pcm_refusal(audio)), audio
        self._audio = audio
        self._plain = reader == "auto" and audio.container is not None
        self._hashes = FileHashes(hashes)
        self._position = 0
        frames = max(1, min(audio.frames, _BLOCK_SAMPLES // audio.channels))
        self._frames = np.empty((frames, audio.channels), np.int32 if integers else np.float32)
        self.bytes_read = 0
        """Bytes of the file that are done with so far."""

    def hash(self, algorithm: str) -> str:
        """`<algorithm>:<hex>` over the whole file, known after the last block; "" if not asked."""
        assert self.bytes_read == self._audio.size, (self.bytes_read, self._audio.size)
        return self._hashes.text(algorithm)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield the blocks (C, n); raises `AudioFileError`."""
        audio = self._audio
        try:
            with audio.path.open("rb", buffering=0) as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
                for block in self._unpacked(file) if self._plain else self._decoded(file):
                    if audio.is_float:
                        self._require_finite(block)
                    self._position += len(block)
                    yield block.T
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
        unpacker = Unpacker(container.format, len(self._frames))
        while self._position < self._audio.frames:
            block = self._frames[: self._audio.frames - self._position]
            self._read_exactly(file, unpacker.room(len(block)))
            unpacker.unpack(block)
            yield block

    def _decoded(self, file: BinaryIO) -> Iterator[np.ndarray]:
        audio = self._audio
        with soundfile.SoundFile(bytes(audio.path)) as decoder:
            while self._position < audio.frames:
                out = self._frames[: audio.frames - self._position]
                # The bytes of this block first: the decoder then finds them in the page cache.
                share = (self._position + len(out)) / audio.frames
                self._hash_up_to(file, int(share * audio.size))
                block = self._decode(decoder, out)
                if len(block) == 0:
                    return
                yield block

    def _decode(self, decoder: soundfile.SoundFile, out: np.ndarray) -> np.ndarray:
        """The next samples (n, C), n as many as are left and fit; raises `AudioFileError`."""
        try:
            samples: np.ndarray = decoder.read(out=out, dtype=out.dtype.name, always_2d=True)
        except soundfile.LibsndfileError as error:
            second = self._position / self._audio.sample_rate
            reason = f"cannot be decoded from {second:.3f} s on: {error.error_string}"
            raise AudioFileError(self._audio.path, f"{reason}; copy it again") from error
        if out.dtype == np.int32:  # libsndfile puts the highest bit of a sample highest
            np.right_shift(samples, 32 - self._audio.bits, out=samples)
        return samples

    def _read_exactly(self, file: BinaryIO, data: np.ndarray) -> None:
        view = data.data
        while len(view) > 0:
            count = file.readinto(view)  # type: ignore[attr-defined]  # unbuffered files have it
            if not count:
                raise AudioFileError(self._audio.path, "became shorter while it was read")
            view = view[count:]
        self._hashes.update(data.data)
        self.bytes_read += len(data)

    def _hash_up_to(self, file: BinaryIO, end: int) -> None:
        if not self._hashes:
            self.bytes_read = end
        while self.bytes_read < end:
            data = np.empty(min(_HASH_BYTES, end - self.bytes_read), np.uint8)
            self._read_exactly(file, data)

    def _require_finite(self, block: np.ndarray) -> None:
        odd = ~np.isfinite(block)
        if not odd.any():
            return
        frame = int(odd.any(axis=1).argmax())
        channel = int(odd[frame].argmax())
        second = (self._position + frame) / self._audio.sample_rate
        value = block[frame, channel]
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


def pcm_refusal(audio: AudioFile) -> str:
    """Why a file has no integers to keep as they are, "" when it has.

    Floats have none, lossy codings depend on the decoder, and libsndfile returns loud ALAC changed.
    """
    if audio.is_integer:
        return ""
    coding = f"{audio.bits}-bit floats" if audio.coding in ("FLOAT", "DOUBLE") else audio.coding
    return f"holds {coding}; --dtype pcm keeps integers (PCM, FLAC), take --dtype float32"
