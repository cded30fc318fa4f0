"""What an ingest has to do: every file below the source, and what becomes of it in each store."""

from __future__ import annotations

import filecmp
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from codecctl.datasets.audiofile import AudioFile
from codecctl.datasets.discovery import Problem
from codecctl.datasets.ingest_goals import Goal
from codecctl.datasets.ingest_names import Candidate, Named, named
from codecctl.datasets.ingest_recording import Job, Output, changed
from codecctl.datasets.ingest_survey import Rules, Survey
from codecctl.datasets.metadata import Described
from codecctl.datasets.pcm import pcm_refusal
from codecctl.datasets.resample import converted_frames
from codecctl.datasets.shards import part_of, plan_hash
from codecctl.datasets.store import Geometry, RecordingInfo, pcm_dtype

_TABLE_BYTES = 12
"""Of scale and hash, for each channel and second."""

_STRUCTURE_BYTES = 65_536
"""Of HDF5 around the audio, generously."""


@dataclass(frozen=True)
class Held:
    """What is stored already, where a goal is to be."""

    stored: Mapping[str, RecordingInfo]
    """In the store itself."""
    merged: Mapping[str, RecordingInfo]
    """In the store that a shard becomes a part of; none for other stores."""


@dataclass(frozen=True)
class StorePlan:
    """What becomes of one store."""

    goal: Goal
    to_store: tuple[str, ...]
    unchanged: tuple[str, ...]
    """Names of recordings that the store already holds."""
    target_bytes: int
    """Bytes to write."""
    described: tuple[Described, ...]
    """All recordings of this source that the store holds or gets."""


@dataclass(frozen=True)
class Plan:
    """What becomes of the candidates."""

    stores: tuple[StorePlan, ...]
    jobs: tuple[Job, ...]
    """The longest first, so that no worker is left alone with it at the end."""
    refused: tuple[Problem, ...]
    left_out: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    digest: str
    """Of all files of the source: shards of one ingest agree in it."""

    @property
    def unchanged(self) -> tuple[str, ...]:
        """Names of recordings that the first store already holds."""
        return self.stores[0].unchanged

    @property
    def source_bytes(self) -> int:
        """Bytes to read."""
        return sum(job.source_size for job in self.jobs)

    @property
    def target_bytes(self) -> int:
        """Bytes to write."""
        return sum(store.target_bytes for store in self.stores)


def make_plan(found: Survey, rules: Rules, *, goals: Sequence[Goal], held: Sequence[Held]) -> Plan:
    """Compare the candidates with what the stores hold.

    A file of the size and time that were stored is not read again. One that was touched is
    hashed by a worker. One that differs is refused unless `rules.replace`.

    Args:
        found: The files below the source.
        rules: What the user asked for.
        goals: The stores to write.
        held: What is stored of each goal.
    """
    planner = _Planner(found, rules)
    for goal, one in zip(goals, held, strict=True):
        planner.add(goal, one)
    return planner.plan()


class _Planner:
    """What is decided so far, over all stores."""

    def __init__(self, found: Survey, rules: Rules) -> None:
        self._found, self._rules = found, rules
        self._goals: list[Goal] = []
        self._unchanged: list[list[str]] = []
        self._described: list[list[Described]] = []
        self._outputs: dict[str, list[Output]] = {}
        self._known: dict[str, str] = {}
        # Keys, because every store tells the same of a file.
        number, total = rules.shard or (1, 1)
        self._refused = dict.fromkeys(found.refused[number - 1 :: total])  # each by one shard
        self._left_out = dict.fromkeys(found.left_out)
        self._warnings = dict.fromkeys(found.warnings)
        self._mine = self._part()
        if rules.dtype == "pcm":
            for item in self._mine.values():
                if reason := pcm_refusal(item.audio):
                    self._refused[Problem(item.source_name, reason)] = None

    def _part(self) -> dict[str, Candidate]:
        """The candidates of this shard, by source name; all of them without shards."""
        items = [
            (item.source_name, item.audio.channels * item.audio.frames, item)
            for item in self._found.candidates
        ]
        number, total = self._rules.shard or (1, 1)
        return {item.source_name: item for item in part_of(items, number=number, total=total)}

    def add(self, goal: Goal, held: Held) -> None:
        """Decide about every candidate in one more store."""
        self._goals.append(goal)
        self._unchanged.append([])
        self._described.append([])
        for item in named(self._found.candidates, {**held.merged, **held.stored}):
            name = item.candidate.source_name
            if name not in self._mine or (self._rules.dtype == "pcm" and self._is_refused(name)):
                continue
            if item.twin is not None and self._is_copy(item, item.twin):
                continue
            before = held.stored.get(item.name) or held.merged.get(item.name)
            self._described[-1].append(Described(item.name, name, item.candidate.where))
            self._decide(goal, item, before)

    def _is_refused(self, source_name: str) -> bool:
        return any(problem.path == source_name for problem in self._refused)

    def _is_copy(self, item: Named, twin: Candidate) -> bool:
        name = item.candidate.source_name
        if _same_content(item.candidate, twin):
            self._left_out[Problem(name, f"a copy of {twin.source_name}")] = None
            return True
        reason = f"same scene and take as {twin.source_name}; stored as {item.name}"
        self._warnings[Problem(name, reason)] = None
        return False

    def _decide(self, goal: Goal, item: Named, before: RecordingInfo | None) -> None:
        audio, name = item.candidate.audio, item.candidate.source_name
        if before is not None and _same_file(before, audio):
            self._unchanged[-1].append(item.name)
            self._known[name] = before.source_hash
        elif before is not None and not self._rules.replace and before.source_size != audio.size:
            self._refused[Problem(name, changed(item.name))] = None
        elif before is not None and not self._rules.replace and not before.source_hash:
            reason = f"was touched since it was stored as {item.name} without a hash"
            self._refused[Problem(name, f"{reason}; --replace stores it again")] = None
        else:
            output = _output(goal, item, before, replace=self._rules.replace)
            self._outputs.setdefault(name, []).append(output)

    def plan(self) -> Plan:
        """Everything that was decided."""
        for problem in self._refused:
            self._outputs.pop(problem.path, None)  # all outputs of a file, or none
        jobs = [
            job
            for name, item in self._mine.items()
            if (job := self._job(item, self._outputs.get(name, []))) is not None
        ]
        return Plan(
            stores=tuple(map(self._store_plan, range(len(self._goals)))),
            jobs=tuple(sorted(jobs, key=lambda job: (-job.target_size, job.source_name))),
            refused=_sorted(self._refused),
            left_out=_sorted(self._left_out),
            warnings=_sorted(self._warnings),
            digest=self._digest(),
        )

    def _job(self, item: Candidate, outputs: Sequence[Output]) -> Job | None:
        """What a worker does with a file; None when there is nothing to do."""
        expected = self._found.expected.get(item.source_name, "")
        known = self._known.get(item.source_name, "")
        if not outputs and expected:
            same_kind = known.partition(":")[0] == expected.partition(":")[0]
            if same_kind and known != expected:
                reason = f"is stored, but differs from its published checksum: found {known}"
                self._refused[Problem(item.source_name, f"{reason}, needed {expected}")] = None
            if same_kind or self._is_refused(item.source_name):
                return None
        if not outputs and not expected:
            return None
        return Job(
            path=str(item.audio.path),
            source_name=item.source_name,
            corpus=item.corpus,
            scene=item.where.scene,
            array=item.array,
            source_size=item.audio.size,
            outputs=tuple(outputs),
            reader=self._rules.reader,
            source_hash=self._rules.source_hash,
            expected_hash=expected,
        )

    def _store_plan(self, index: int) -> StorePlan:
        goal = self._goals[index]
        outputs = [
            output
            for row in self._outputs.values()
            for output in row
            if output.store == str(goal.folder)
        ]
        return StorePlan(
            goal=goal,
            to_store=tuple(sorted(output.name for output in outputs)),
            unchanged=tuple(sorted(self._unchanged[index])),
            target_bytes=sum(output.target_size for output in outputs),
            described=tuple(self._described[index]),
        )

    def _digest(self) -> str:
        files = [(item.source_name, item.audio.size) for item in self._found.candidates]
        settings = [self._found.corpus.id, self._rules.dtype, self._rules.min_seconds]
        return plan_hash(files, settings)


def _output(goal: Goal, item: Named, before: RecordingInfo | None, *, replace: bool) -> Output:
    audio = item.candidate.audio
    frames = converted_frames(audio.frames, audio.sample_rate, goal.sample_rate)
    dtype = pcm_dtype(audio.bits) if goal.dtype == "pcm" else goal.dtype
    geometry = Geometry(audio.channels, max(1, frames), goal.sample_rate, dtype)
    tables = _TABLE_BYTES * audio.channels * geometry.seconds
    return Output(
        store=str(goal.folder),
        name=item.name,
        take=item.take,
        sample_rate=goal.sample_rate,
        dtype=dtype,
        target_size=geometry.audio_bytes + tables + _STRUCTURE_BYTES,
        known_hash="" if before is None else before.source_hash,
        replace=replace,
    )


def _same_file(before: RecordingInfo, audio: AudioFile) -> bool:
    return (before.source_size, before.source_mtime) == (audio.size, audio.mtime)


def _same_content(one: Candidate, other: Candidate) -> bool:
    if one.audio.size != other.audio.size:
        return False
    return filecmp.cmp(one.audio.path, other.audio.path, shallow=False)


def _sorted(problems: Mapping[Problem, None]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: (problem.path, problem.reason)))
