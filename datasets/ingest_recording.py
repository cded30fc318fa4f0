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

from codecctl.datasets import em32
from codecctl.datasets.audiofile import AudioFile, AudioFileError, probe
from codecctl.datasets.naming import channel_labels
from codecctl.datasets.pcm import AudioBlocks, pcm_refusal
from codecctl.datasets.resample import QUALITY, Resampler, converted_frames
from codecctl.datasets.sourcehash import FileHashes, algorithm_of
from codecctl.datasets.store import RecordingInfo, RecordingWriter, SourceFacts, store_dtype
from codecctl.datasets.unpack import to_floats

_REPORT_BYTES = 1 << 22


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
    """One of `sourcehash.SOURCE_HASHES`."""
    expected_hash: str = ""
    """`<algorithm>:<hex>` as published: another file is refused before anything appears."""

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
        job: What and where; without outputs, the file is compared with its expected hash alone.
        on_bytes: Called with the bytes read since the last call, every few megabytes.

    Returns:
        A row for each output; None where the store already holds this file.

    Raises:
        DataError: The file cannot be taken; nothing is left behind.
        CodecctlError: The disk does not take a recording; of that one nothing is left behind.
    """
    known = [output.known_hash for output in job.outputs if output.known_hash]
    if not job.outputs and job.expected_hash:
        known.append(job.expected_hash)
    outputs = _changed_outputs(job, _hashes(job, known, on_bytes)) if known else job.outputs
    rows = iter(_store(job, outputs, on_bytes) if outputs else ())
    return tuple(next(rows) if output in outputs else None for output in job.outputs)


def changed(name: str) -> str:
    """Why a file is refused that the store holds in another version."""
    return (
        f"differs from what was stored as {name}; --replace stores it again, "
        "--name writes another store, --corpus keeps both"
    )


def _changed_outputs(job: Job, found: FileHashes) -> tuple[Output, ...]:
    """The outputs that do not hold this file; raises `AudioFileError` for one to be left alone."""
    wanted = [
        output
        for output in job.outputs
        if not output.known_hash or found.text(algorithm_of(output.known_hash)) != output.known_hash
    ]
    for output in wanted:
        if output.known_hash and not output.replace:
            raise AudioFileError(Path(job.path), changed(output.name))
    return tuple(wanted)


def _store(
    job: Job, outputs: Sequence[Output], on_bytes: Callable[[int], None]
) -> list[RecordingInfo]:
    audio = probe(Path(job.path))
    for output in outputs:
        _require_fit(audio, output)
    with ExitStack() as stack:
        writers = [stack.enter_context(_writer(audio, job, output)) for output in outputs]
        blocks = _stream(audio, job, dict(zip(outputs, writers, strict=True)), on_bytes)
        _require_expected(job, blocks.hash(algorithm_of(job.expected_hash)))
        source_hash = blocks.hash(job.source_hash)
        return [writer.commit(source_hash=source_hash) for writer in writers]


def _is_pcm(output: Output) -> bool:
    return store_dtype(output.dtype) == "pcm"


def _require_fit(audio: AudioFile, output: Output) -> None:
    if converted_frames(audio.frames, audio.sample_rate, output.sample_rate) == 0:
        raise AudioFileError(audio.path, f"holds no sample at {output.sample_rate} Hz")
    if not _is_pcm(output):
        return
    if refusal := pcm_refusal(audio):
        raise AudioFileError(audio.path, refusal)
    if output.sample_rate != audio.sample_rate:
        raise AudioFileError(
            audio.path,
            f"is of {audio.sample_rate} Hz, the store of {output.sample_rate} Hz; --dtype pcm "
            f"never resamples, take --rate native or --rate {audio.sample_rate}",
        )


def _writer(audio: AudioFile, job: Job, output: Output) -> RecordingWriter:
    is_em32 = (job.array, audio.channels) == (em32.ARRAY_NAME, em32.NUM_CAPSULES)
    return RecordingWriter(
        Path(output.store),
        name=output.name,
        scene=job.scene,
        take=output.take,
        array=job.array,
        channels=audio.channels,
        frames=converted_frames(audio.frames, audio.sample_rate, output.sample_rate),
        sample_rate=output.sample_rate,
        dtype=output.dtype,
        source=_facts(audio, job, output),
        labels=channel_labels(job.array, audio.channels),
        corpus=job.corpus,
        directions=np.array(em32.COLATITUDE_AZIMUTH_DEGREES, np.float64) if is_em32 else None,
    )


def _stream(
    audio: AudioFile,
    job: Job,
    writers: Mapping[Output, RecordingWriter],
    on_bytes: Callable[[int], None],
) -> AudioBlocks:
    """Send a file into the stores, in one pass."""
    integers = any(_is_pcm(output) for output in writers)
    blocks = AudioBlocks(
        audio,
        integers=integers,
        reader=job.reader,
        hashes=(job.source_hash, algorithm_of(job.expected_hash)),
    )
    fork = _Fork(audio, writers)
    position = reported = 0
    for block in blocks:
        position += block.shape[1]
        fork.write(block, last=position == audio.frames)
        if blocks.bytes_read - reported >= _REPORT_BYTES:
            on_bytes(blocks.bytes_read - reported)
            reported = blocks.bytes_read
    on_bytes(blocks.bytes_read - reported)
    return blocks


class _Fork:
    """Gives every writer the samples that it takes: integers, or floats of its rate.

    Args:
        audio: The file.
        writers: One for each output; outputs of one rate share a resampler.
    """

    def __init__(self, audio: AudioFile, writers: Mapping[Output, RecordingWriter]) -> None:
        self._bits = audio.bits
        self._integers = [writer for output, writer in writers.items() if _is_pcm(output)]
        self._floats: dict[int, list[RecordingWriter]] = {}
        for output, writer in writers.items():
            if not _is_pcm(output):
                self._floats.setdefault(output.sample_rate, []).append(writer)
        self._resamplers = {
            rate: Resampler(audio.channels, source_rate=audio.sample_rate, rate=rate)
            for rate in self._floats
        }

    def write(self, block: np.ndarray, *, last: bool) -> None:
        """Pass on a block (C, n), int32 when an output takes integers, else float32."""
        for writer in self._integers:
            writer.write(block)
        if self._integers and self._floats:
            block = to_floats(block, bits=self._bits, out=np.empty(block.shape, np.float32))
        for rate, writers in self._floats.items():
            converted = self._resamplers[rate].convert(block, last=last)
            for writer in writers:
                writer.write(converted)


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


def _hashes(job: Job, known: Sequence[str], on_bytes: Callable[[int], None]) -> FileHashes:
    """What the file hashes to by the algorithms of these hashes and of the expected one."""
    hashes = FileHashes(algorithm_of(text) for text in (*known, job.expected_hash))
    try:
        with Path(job.path).open("rb", buffering=0) as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
            while data := file.read(_REPORT_BYTES):
                hashes.update(data)
                on_bytes(len(data))
    except OSError as error:
        raise AudioFileError(Path(job.path), f"cannot be read: {error.strerror}") from error
    _require_expected(job, hashes.text(algorithm_of(job.expected_hash)))
    return hashes


def _require_expected(job: Job, found: str) -> None:
    if job.expected_hash and found != job.expected_hash.lower():
        algorithm, _, needed = job.expected_hash.partition(":")
        raise AudioFileError(
            Path(job.path),
            f"differs from its published {algorithm}: found {found.partition(':')[2]}, "
            f"needed {needed}; download it again",
        )
