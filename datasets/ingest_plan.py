"""What an ingest has to do: every file below the source, and what becomes of it."""

from __future__ import annotations

import filecmp
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from codecctl.datasets.audiofile import AudioFile, AudioFileError, probe
from codecctl.datasets.discovery import Discovery, Problem, shown
from codecctl.datasets.ingest_names import Candidate, Named, named
from codecctl.datasets.ingest_recording import Job, Output, changed
from codecctl.datasets.naming import array_of, oddity, place
from codecctl.datasets.resample import converted_frames
from codecctl.datasets.store import Geometry, RecordingInfo
from codecctl.errors import UsageError

_TABLE_BYTES = 12
"""Of scale and hash, for each channel and second."""

_STRUCTURE_BYTES = 65_536
"""Of HDF5 around the audio, generously."""


@dataclass(frozen=True)
class Rules:
    """What the user asked for."""

    rate: int | None
    """Hz, as stored; None keeps the rate of the source."""
    dtype: str
    min_seconds: float
    """Shorter files are left out."""
    replace: bool
    """Files that changed since they were stored are stored again."""


@dataclass(frozen=True)
class Survey:
    """Every file below the source, opened."""

    candidates: tuple[Candidate, ...]
    refused: tuple[Problem, ...]
    left_out: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    """Faults of files that are taken all the same."""


@dataclass(frozen=True)
class Plan:
    """What becomes of the candidates."""

    sample_rate: int
    """Hz, as stored."""
    jobs: tuple[Job, ...]
    """The longest first, so that no worker is left alone with it at the end."""
    unchanged: tuple[str, ...]
    """Names of recordings that the store already holds."""
    refused: tuple[Problem, ...]
    left_out: tuple[Problem, ...]
    warnings: tuple[Problem, ...]

    @property
    def source_bytes(self) -> int:
        """Bytes to read."""
        return sum(job.source_size for job in self.jobs)

    @property
    def target_bytes(self) -> int:
        """Bytes to write."""
        return sum(job.target_size for job in self.jobs)


def survey(found: Discovery, *, min_seconds: float) -> Survey:
    """Open the header of every candidate."""
    candidates: list[Candidate] = []
    refused = list(found.broken)
    left_out = list(found.left_out)
    warnings: list[Problem] = []
    for path in found.files:
        name = shown(path)
        try:
            audio = probe(found.folder / path)
        except AudioFileError as error:
            refused.append(Problem(name, error.reason))
            continue
        if audio.seconds < min_seconds:
            reason = f"{audio.seconds:.3g} s is shorter than --min-seconds {min_seconds:g}"
            left_out.append(Problem(name, f"{reason} (0 takes everything)"))
            continue
        where = place(path)
        faults = (oddity(where, audio.channels), *audio.warnings)
        warnings.extend(Problem(name, fault) for fault in faults if fault)
        candidates.append(Candidate(audio, name, where, array_of(audio.channels)))
    return Survey(tuple(candidates), tuple(refused), tuple(left_out), tuple(warnings))


def stored_rate(found: Survey, rules: Rules) -> int:
    """The rate of the store, in Hz.

    Raises:
        UsageError: The native rates differ.
    """
    if rules.rate is not None:
        return rules.rate
    rates = Counter(candidate.audio.sample_rate for candidate in found.candidates)
    if len(rates) > 1:
        listing = ", ".join(f"{rate} Hz ({number} files)" for rate, number in rates.most_common())
        raise UsageError(
            f"--rate native: found {listing}; a store holds one rate, give it: "
            f"--rate {rates.most_common(1)[0][0]}"
        )
    return next(iter(rates), 0)


def make_plan(
    found: Survey, rules: Rules, *, store: Path, stored: Mapping[str, RecordingInfo]
) -> Plan:
    """Compare the candidates with what the store holds.

    A file of the size and time that were stored is not read again. One that was touched is
    hashed by a worker. One that differs is refused unless `rules.replace`.

    Args:
        found: The files below the source.
        rules: What the user asked for.
        store: Folder of the store.
        stored: Its whole recordings, by name.
    """
    rate = stored_rate(found, rules)
    refused, left_out, warnings = map(list, (found.refused, found.left_out, found.warnings))
    jobs: list[Job] = []
    unchanged: list[str] = []
    for item in named(found.candidates, stored):
        source, before = item.candidate, stored.get(item.name)
        if item.twin is not None:
            if _same_content(source, item.twin):
                left_out.append(Problem(source.source_name, f"a copy of {item.twin.source_name}"))
                continue
            reason = f"the scene and take of {item.twin.source_name}; stored as {item.name}"
            warnings.append(Problem(source.source_name, reason))
        if before is not None and _same_file(before, source.audio):
            unchanged.append(item.name)
        elif before is not None and not rules.replace and before.source_size != source.audio.size:
            refused.append(Problem(source.source_name, changed(item.name)))
        else:
            jobs.append(_job(item, before, store=store, rate=rate, rules=rules))
    return Plan(
        sample_rate=rate,
        jobs=tuple(sorted(jobs, key=lambda job: (-job.target_size, job.source_name))),
        unchanged=tuple(sorted(unchanged)),
        refused=_sorted(refused),
        left_out=_sorted(left_out),
        warnings=_sorted(warnings),
    )


def _job(item: Named, before: RecordingInfo | None, *, store: Path, rate: int, rules: Rules) -> Job:
    audio = item.candidate.audio
    frames = converted_frames(audio.frames, audio.sample_rate, rate)
    geometry = Geometry(audio.channels, max(1, frames), rate, rules.dtype)
    tables = _TABLE_BYTES * audio.channels * geometry.seconds
    output = Output(
        store=str(store),
        name=item.name,
        take=item.take,
        sample_rate=rate,
        dtype=rules.dtype,
        target_size=geometry.audio_bytes + tables + _STRUCTURE_BYTES,
        known_hash="" if before is None else before.source_hash,
        replace=rules.replace,
    )
    return Job(
        path=str(audio.path),
        source_name=item.candidate.source_name,
        corpus="",
        scene=item.candidate.where.scene,
        array=item.candidate.array,
        source_size=audio.size,
        outputs=(output,),
    )


def _same_file(before: RecordingInfo, audio: AudioFile) -> bool:
    return (before.source_size, before.source_mtime) == (audio.size, audio.mtime)


def _same_content(one: Candidate, other: Candidate) -> bool:
    if one.audio.size != other.audio.size:
        return False
    return filecmp.cmp(one.audio.path, other.audio.path, shallow=False)


def _sorted(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: (problem.path, problem.reason)))
