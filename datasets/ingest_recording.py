"""One recording: from a file of any rate to one or more stores, in blocks, in one pass."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from codecctl.datasets.audiofile import AudioFile, AudioFileError, probe
from codecctl.datasets.naming import channel_labels
from codecctl.datasets.pcm import AudioBlocks
from codecctl.datasets.resample import QUALITY, Resampler, converted_frames
from codecctl.datasets.sourcehash import SOURCE_HASHES, SourceHash
from codecctl.datasets.store import RecordingInfo, RecordingWriter, SourceFacts

_HASH_BYTES = 1 << 22


@dataclass(frozen=True)
class Output:
    """One store that a file goes to."""

    store: str
    """Folder of the store."""
    name: str
    """Of the recording."""
    take: str
    sample_rate: int
    """Hz, as stored."""
    dtype: str
    """Of the recording: `int16`, `float32`, `pcm16`, `pcm24`, `pcm32`."""
    target_size: int
    """Bytes, estimated."""
    known_hash: str = ""
    """Of the stored source: the file is hashed first and left alone when it is the same. Empty
    where nothing is stored, or was without a hash: the file is stored."""
    replace: bool = False
    """A file that differs from the known hash replaces the recording; else it is refused."""


@dataclass(frozen=True)
class Job:
    """What a worker needs to know to store one file."""

    path: str
    """The audio file."""
    source_name: str
    """Path below the ingested folder, as it is remembered and shown."""
    corpus: str
    """Id of the corpus; may be empty."""
    scene: str
    array: str
    source_size: int
    """Bytes."""
    outputs: tuple[Output, ...]
    reader: str = "auto"
    """`auto`, or `soundfile`: libsndfile reads every file."""
    source_hash: str = "xxh3-128"
    """`xxh3-128`, `sha256` as published checksums have it, or `none`."""

    @property
    def target_size(self) -> int:
        """Bytes of all outputs, estimated."""
        return sum(output.target_size for output in self.outputs)

    def to_json(self) -> dict[str, Any]:
        """Plain values, for a line to a worker."""
        return asdict(self)

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> Job:
        """The inverse of `to_json`; raises TypeError for keys that are not its own."""
        outputs = tuple(Output(**output) for output in values["outputs"])
        return Job(**{**values, "outputs": outputs})


def ingest_recording(job: Job, on_bytes: Callable[[int], None]) -> tuple[RecordingInfo | None, ...]:
    """Store one file in every output, each whole or not at all.

    The source is read and decoded once for all outputs. Memory depends on neither its length nor
    its number of channels.

    Args:
        job: What and where.
        on_bytes: Called with the bytes read since the last call.

    Returns:
        A row for each output; None where the store already holds this file.

    Raises:
        DataError: The file cannot be taken; nothing is left behind.
        CodecctlError: The disk does not take a recording; of that one nothing is left behind.
    """
    audio = probe(Path(job.path))
    wanted = _changed_outputs(audio, job.outputs, on_bytes)
    rows = iter(_store(audio, job, wanted, on_bytes) if wanted else ())
    return tuple(next(rows) if output in wanted else None for output in job.outputs)


def changed(name: str) -> str:
    """Why a file is refused that the store holds in another version."""
    return (
        f"differs from what was stored as {name}; --replace stores it again, "
        "--name writes another store"
    )


def _changed_outputs(
    audio: AudioFile, outputs: Sequence[Output], on_bytes: Callable[[int], None]
) -> list[Output]:
    """The outputs that do not hold this file; raises `AudioFileError` for one to be left alone."""
    known = {output.known_hash for output in outputs if output.known_hash}
    found = _hashes(audio, {name.partition(":")[0] for name in known}, on_bytes) if known else ()
    wanted = [output for output in outputs if output.known_hash not in found]
    for output in wanted:
        if output.known_hash and not output.replace:
            raise AudioFileError(audio.path, changed(output.name))
    return wanted


def _store(
    audio: AudioFile, job: Job, outputs: Sequence[Output], on_bytes: Callable[[int], None]
) -> list[RecordingInfo]:
    with ExitStack() as stack:
        writers = [stack.enter_context(_writer(audio, job, output)) for output in outputs]
        source_hash = _stream(audio, job, dict(zip(outputs, writers, strict=True)), on_bytes)
        return [writer.commit(source_hash=source_hash) for writer in writers]


def _writer(audio: AudioFile, job: Job, output: Output) -> RecordingWriter:
    frames = converted_frames(audio.frames, audio.sample_rate, output.sample_rate)
    if frames == 0:
        raise AudioFileError(audio.path, f"holds no sample at {output.sample_rate} Hz")
    return RecordingWriter(
        Path(output.store),
        name=output.name,
        scene=job.scene,
        take=output.take,
        array=job.array,
        channels=audio.channels,
        frames=frames,
        sample_rate=output.sample_rate,
        dtype=output.dtype,
        source=_facts(audio, job, output),
        labels=channel_labels(job.array, audio.channels),
    )


def _stream(
    audio: AudioFile,
    job: Job,
    writers: Mapping[Output, RecordingWriter],
    on_bytes: Callable[[int], None],
) -> str:
    """Send a file through one resampler for each rate into the stores; the hash of the file."""
    blocks = AudioBlocks(audio, reader=job.reader, source_hash=job.source_hash)
    resamplers = {
        rate: Resampler(audio.channels, source_rate=audio.sample_rate, rate=rate)
        for rate in {output.sample_rate for output in writers}
    }
    position = reported = 0
    for block in blocks:
        position += block.shape[1]
        for rate, resampler in resamplers.items():
            converted = resampler.convert(block, last=position == audio.frames)
            _write(converted, [writers[key] for key in writers if key.sample_rate == rate])
        on_bytes(blocks.bytes_read - reported)
        reported = blocks.bytes_read
    on_bytes(blocks.bytes_read - reported)
    return blocks.source_hash


def _write(block: np.ndarray, writers: Sequence[RecordingWriter]) -> None:
    for writer in writers:
        writer.write(block)


def _facts(audio: AudioFile, job: Job, output: Output) -> SourceFacts:
    resampled = audio.sample_rate != output.sample_rate
    return SourceFacts(
        name=job.source_name,
        rate=audio.sample_rate,
        bits=audio.bits,
        frames=audio.frames,
        size=audio.size,
        mtime=audio.mtime,
        resampler=f"soxr {QUALITY} {soxr.__version__}" if resampled else "none",
    )


def _hashes(
    audio: AudioFile, algorithms: set[str], on_bytes: Callable[[int], None]
) -> tuple[str, ...]:
    """The hash of a file by each algorithm, in one pass."""
    digests = [SourceHash(name) for name in sorted(algorithms.intersection(SOURCE_HASHES))]
    try:
        with audio.path.open("rb", buffering=0) as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
            while data := file.read(_HASH_BYTES):
                for digest in digests:
                    digest.update(data)
                on_bytes(len(data))
    except OSError as error:
        raise AudioFileError(audio.path, f"cannot be read: {error.strerror}") from error
    return tuple(digest.text for digest in digests)
