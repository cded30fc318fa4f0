"""One recording: from a file of any rate to the store, in blocks."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import soxr
import xxhash

from codecctl.datasets.audiofile import AudioFile, AudioFileError, probe
from codecctl.datasets.naming import channel_labels
from codecctl.datasets.pcm import AudioBlocks
from codecctl.datasets.resample import QUALITY, Resampler, converted_frames
from codecctl.datasets.store import RecordingInfo, RecordingWriter, SourceFacts

_HASH_BYTES = 1 << 22


@dataclass(frozen=True)
class Job:
    """What a worker needs to know to store one recording."""

    store: str
    """Folder of the store."""
    path: str
    """The audio file."""
    source_name: str
    """Path below the ingested folder, as it is remembered and shown."""
    name: str
    scene: str
    take: str
    array: str
    sample_rate: int
    """Hz, as stored."""
    dtype: str
    source_size: int
    """Bytes."""
    target_size: int
    """Bytes, estimated."""
    known_hash: str = ""
    """Of the stored source: the file is hashed first and left alone when it is the same."""
    replace: bool = False
    """A file that differs from the known hash replaces the recording; else it is refused."""


def ingest_recording(job: Job, on_bytes: Callable[[int], None]) -> RecordingInfo | None:
    """Store one recording, whole or not at all; None when the store already holds this file.

    Memory depends on neither its length nor its number of channels.

    Args:
        job: What and where.
        on_bytes: Called with the bytes read since the last call.

    Raises:
        DataError: The file cannot be taken; nothing is left behind.
        CodecctlError: The disk does not take the recording; nothing is left behind.
    """
    audio = probe(Path(job.path))
    if job.known_hash:
        if _hash(audio, on_bytes) == job.known_hash:
            return None
        if not job.replace:
            raise AudioFileError(audio.path, changed(job.name))
    frames = converted_frames(audio.frames, audio.sample_rate, job.sample_rate)
    if frames == 0:
        raise AudioFileError(audio.path, f"holds no sample at {job.sample_rate} Hz")
    writer = RecordingWriter(
        Path(job.store),
        name=job.name,
        scene=job.scene,
        take=job.take,
        array=job.array,
        channels=audio.channels,
        frames=frames,
        sample_rate=job.sample_rate,
        dtype=job.dtype,
        source=_facts(audio, job),
        labels=channel_labels(job.array, audio.channels),
    )
    with writer:
        source_hash = _stream(audio, writer, rate=job.sample_rate, on_bytes=on_bytes)
        return writer.commit(source_hash=source_hash)


def changed(name: str) -> str:
    """Why a file is refused that the store holds in another version."""
    return (
        f"differs from what was stored as {name}; --replace stores it again, "
        "--name writes another store"
    )


def _stream(
    audio: AudioFile, writer: RecordingWriter, *, rate: int, on_bytes: Callable[[int], None]
) -> str:
    """Send a file through the resampler into the store; the hash of the file."""
    blocks = AudioBlocks(audio)
    resampler = Resampler(audio.channels, source_rate=audio.sample_rate, rate=rate)
    position = reported = 0
    for block in blocks:
        position += block.shape[1]
        writer.write(resampler.convert(block, last=position == audio.frames))
        on_bytes(blocks.bytes_read - reported)
        reported = blocks.bytes_read
    on_bytes(blocks.bytes_read - reported)
    return blocks.source_hash


def _facts(audio: AudioFile, job: Job) -> SourceFacts:
    resampled = audio.sample_rate != job.sample_rate
    return SourceFacts(
        name=job.source_name,
        rate=audio.sample_rate,
        bits=audio.bits,
        frames=audio.frames,
        size=audio.size,
        mtime=audio.mtime,
        resampler=f"soxr {QUALITY} {soxr.__version__}" if resampled else "none",
    )


def _hash(audio: AudioFile, on_bytes: Callable[[int], None]) -> str:
    digest = xxhash.xxh3_128()
    try:
        with audio.path.open("rb", buffering=0) as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
            while data := file.read(_HASH_BYTES):
                digest.update(data)
                on_bytes(len(data))
    except OSError as error:
        raise AudioFileError(audio.path, f"cannot be read: {error.strerror}") from error
    return f"xxh3-128:{digest.hexdigest()}"
