"""How long an ingest will take: the real pipeline on the first seconds of the largest file."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import soundfile

from codecctl.datasets.ingest import Prepared
from codecctl.datasets.ingest_names import Candidate
from codecctl.datasets.ingest_recording import Job, ingest_recording
from codecctl.errors import CodecctlError

_SECONDS = 3.0
_WARM_UP_SECONDS = 0.1


@dataclass(frozen=True)
class Estimate:
    """What was measured, and what follows for all files."""

    seconds: float
    """Wall time that all files will take, if the disks keep up."""
    measured_on: str
    """Source name of the file."""
    measured_seconds: float
    """Of audio."""
    bytes_per_second: float
    """Of that file, by one process."""


def estimate(prepared: Prepared, *, num_workers: int) -> Estimate | None:
    """Measure and extrapolate; None when there is nothing to store or nothing could be measured.

    Args:
        prepared: An ingest; nothing is written to its stores.
        num_workers: Processes that will share the work evenly.
    """
    by_name = {item.source_name: item for item in prepared.survey.candidates}
    jobs = [job for job in prepared.plan.jobs if job.outputs]
    if not jobs:
        return None
    largest = by_name[jobs[0].source_name]
    try:
        with tempfile.TemporaryDirectory(prefix="codecctl-estimate-") as folder:
            _time_clip(jobs[0], largest, Path(folder) / "warm", seconds=_WARM_UP_SECONDS)
            frames, seconds = _time_clip(jobs[0], largest, Path(folder) / "clip", seconds=_SECONDS)
    except (CodecctlError, OSError, soundfile.SoundFileError):
        return None  # a file that cannot be read is named by the ingest itself
    per_sample = seconds / (frames * largest.audio.channels)
    samples = sum(_samples(by_name[job.source_name]) for job in jobs)
    return Estimate(
        seconds=per_sample * samples / min(num_workers, len(jobs)),
        measured_on=largest.source_name,
        measured_seconds=frames / largest.audio.sample_rate,
        bytes_per_second=largest.audio.size / (per_sample * _samples(largest)),
    )


def _time_clip(job: Job, item: Candidate, folder: Path, *, seconds: float) -> tuple[int, float]:
    """Frames of a clip of a file, and the wall seconds that it takes to store it."""
    folder.mkdir()
    frames = min(item.audio.frames, max(1, round(seconds * item.audio.sample_rate)))
    path = folder / f"clip{item.audio.path.suffix}"
    with soundfile.SoundFile(bytes(item.audio.path)) as source:
        audio = source.read(frames, dtype="int32" if item.audio.is_integer else "float64")
        soundfile.write(
            path, audio, source.samplerate, subtype=source.subtype, format=source.format
        )
    outputs = [
        replace(output, store=str(folder / str(index)), known_hash="")
        for index, output in enumerate(job.outputs)
    ]
    clip = replace(job, path=str(path), outputs=tuple(outputs), expected_hash="")
    started = time.monotonic()
    ingest_recording(clip, lambda _: None)
    return frames, time.monotonic() - started


def _samples(item: Candidate) -> int:
    return item.audio.frames * item.audio.channels
