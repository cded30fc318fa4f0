"""What `codecctl data ingest` says: before hours of work begin, instead of them, and at the end."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from codecctl.output import note, result, result_json
from codecctl.terminal import count_text, duration_text

if TYPE_CHECKING:
    from codecctl.datasets.discovery import Problem
    from codecctl.datasets.ingest import Prepared
    from codecctl.datasets.ingest_estimate import Estimate
    from codecctl.datasets.ingest_plan import Plan, StorePlan
    from codecctl.datasets.ingest_report import Report, StoreReport
    from codecctl.datasets.store import RecordingInfo

_SHOWN = 10
_SHOWN_NAMES = 3
_PAIR = 2
_TRAINED_RATE = 24_000
"""Hz, of the profile `paired`."""


def tell(prepared: Prepared) -> None:
    """What the user should know about the source before hours of work begin."""
    plan = prepared.plan
    for kind, problems in (("left out", plan.left_out), ("warning", plan.warnings)):
        for problem in problems[:_SHOWN]:
            note(f"{kind}: {problem.path}: {problem.reason}")
        if len(problems) > _SHOWN:
            note(f"{kind}: and {len(problems) - _SHOWN} more")
    for sentence in prepared.notes:
        note(sentence)
    if prepared.found.others:
        kinds = ", ".join(f"{end} {count}" for end, count in prepared.found.others.items())
        number = count_text(sum(prepared.found.others.values()), "file")
        note(f"no audio by their names: {number} ({kinds})")
    if prepared.found.num_hidden:
        note(f"hidden and skipped: {prepared.found.num_hidden}")
    channels = Counter(candidate.audio.channels for candidate in prepared.survey.candidates)
    if len(channels) > 1:
        words = {1: "mono", 2: "stereo"}
        listing = ", ".join(
            f"{count} {words[number]}" if number in words else f"{count} of {number} ch"
            for number, count in channels.most_common()
        )
        note(f"channel counts differ: {listing}; a profile takes those that have enough")
    for target in prepared.targets:
        for lost in target.lost:
            note(f"warning: {lost}: the index lists it, but it is gone or damaged")
        if target.index_damaged:
            note(f"warning: {target.folder}: index.json was damaged and is written anew")


def print_plan(prepared: Prepared, *, num_workers: int, as_json: bool) -> None:
    """What an ingest would do, how long it would take, and whether the disk holds it."""
    from codecctl.datasets.ingest_estimate import estimate
    from codecctl.datasets.store import size_text

    plan = prepared.plan
    found = estimate(prepared, num_workers=num_workers)
    if as_json:
        result_json(_plan_json(prepared, found, num_workers=num_workers))
        return
    length = duration_text(sum(item.audio.seconds for item in prepared.survey.candidates))
    files = count_text(len(prepared.survey.candidates), "recording")
    for store in plan.stores:
        result(
            f"{store.goal.folder}: {files}, {length}, {_kind(store)}: to store "
            f"{len(store.to_store)}, unchanged {len(store.unchanged)}, writes "
            f"{size_text(store.target_bytes)}"
        )
    reads = f"reads {size_text(plan.source_bytes)} once, "
    for space in prepared.spaces:
        result(
            f"{reads}writes {size_text(space.needed)}, free {size_text(space.free)}, quota "
            f"{space.quota_text}"
        )
        reads = f"{space.folder}: "
    for kind, names in _by_channels(prepared).items():
        if names:
            result(f"{kind} {len(names)}: {_first(names)}")
    _print_corpus(prepared)
    result(_time_text(found, num_workers=num_workers, todo=len(plan.jobs)))


def print_report(prepared: Prepared, report: Report, *, as_json: bool) -> None:
    """What the stores hold now and what was done for it."""
    from codecctl.datasets.store import size_text

    if as_json:
        result_json(_report_json(prepared, report))
        return
    several = len(report.stores) > 1
    for store in report.stores:
        rows = store.recordings.values()
        files = count_text(len(rows), "recording")
        length = duration_text(sum(row.seconds for row in rows))
        size = size_text(sum(row.file_size for row in rows))
        here = f", {len(store.stored)} new" if several else ""
        kind = f"{store.goal.sample_rate} Hz {store.goal.dtype}"
        result(f"{store.goal.folder}: {files}, {length}, {kind}, {size}{here}")
    speed = report.source_bytes / 1e6 / max(report.seconds, 1e-3)
    stored = sum(len(store.stored) for store in report.stores)
    done = f" ({size_text(report.source_bytes)} in {report.seconds:.1f} s, {speed:.0f} MB/s)"
    result(
        f"stored {stored}{done if stored else ''}, unchanged "
        f"{sum(len(store.recordings) for store in report.stores) - stored}, left out "
        f"{len(report.plan.left_out)}, refused {len(report.refused) + len(report.failed)}"
    )
    if report.recordings:
        result(f"scenes: {_scenes(report.recordings)}")
    _print_corpus(prepared)
    if report.complete:
        result(f"next: {_next_command(report)}")


def _kind(store: StorePlan) -> str:
    return f"{store.goal.sample_rate} Hz {store.goal.dtype}"


def _by_channels(prepared: Prepared) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {"mono": [], "stereo": [], "multichannel": []}
    for item in prepared.survey.candidates:
        kind = {1: "mono", 2: "stereo"}.get(item.audio.channels, "multichannel")
        lists[kind].append(item.source_name)
    return lists


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return ", ".join(names[:_SHOWN_NAMES]) + more


def _print_corpus(prepared: Prepared) -> None:
    """What data set this is taken for, and what using it asks for."""
    corpus = prepared.survey.corpus
    title = corpus.title or corpus.id
    known = f" (id {corpus.id})" if title.lower() != corpus.id else ""
    if corpus.url and not prepared.rules.corpus:
        known = " by the names of its files (--corpus NAME says otherwise)"
    result(f"corpus: {title}{known}")
    licence = ", ".join(part for part in (corpus.licence, corpus.url) if part)
    for kind, text in (("licence", licence), ("cite", corpus.citation)):
        if text:
            result(f"{kind}: {text}")


def _time_text(found: Estimate | None, *, num_workers: int, todo: int) -> str:
    if not todo:
        return "time: nothing to do"
    if found is None:
        return "time: unknown, the largest file could not be measured"
    processes = min(num_workers, todo)
    return (
        f"time: about {_rounded(found.seconds)} with {processes} "
        f"process{'es' if processes > 1 else ''} if the disks keep up (measured on "
        f"{found.measured_seconds:.3g} s of {found.measured_on}: "
        f"{found.bytes_per_second / 1e6:.0f} MB/s each)"
    )


def _rounded(seconds: float) -> str:
    """An estimate with the digits that it deserves."""
    return duration_text(float(f"{max(1.0, seconds):.2g}"))


def _scenes(recordings: Mapping[str, RecordingInfo]) -> str:
    scenes = Counter(row.scene or "(no scene)" for row in recordings.values())
    return ", ".join(f"{scene} {count}" for scene, count in sorted(scenes.items()))


def _next_command(report: Report) -> str:
    from codecctl.datasets.shards import is_shard

    goal = report.stores[0].goal
    if goal.shard is not None:
        names = [store.goal.shard.name for store in report.stores if store.goal.shard is not None]
        commands = " && ".join(f"codecctl data merge {shlex.quote(name)}" for name in names)
        return f"{commands} (when all {goal.shard.total} parts are stored)"
    name = shlex.quote(goal.folder.name)
    pairs = any(row.channels >= _PAIR for row in report.recordings.values())
    if goal.sample_rate != _TRAINED_RATE or goal.dtype == "pcm" or not pairs:
        return f"codecctl data info {name}"
    others = [path.parent.name for path in goal.folder.parent.glob("*/index.json")]
    alone = sum(not is_shard(other) for other in others) == 1
    return "codecctl train --profile paired" + ("" if alone else f" data.store={name}")


def _plan_json(
    prepared: Prepared, found: Estimate | None, *, num_workers: int
) -> dict[str, object]:
    plan, candidates = prepared.plan, prepared.survey.candidates
    stores = [
        {
            "store": str(store.goal.folder),
            "sample_rate": store.goal.sample_rate,
            "dtype": store.goal.dtype,
            "to_store": list(store.to_store),
            "unchanged": list(store.unchanged),
            "target_bytes": store.target_bytes,
        }
        for store in plan.stores
    ]
    disks = [
        {
            "folder": str(space.folder),
            "needed_bytes": space.needed,
            "free_bytes": space.free,
            "quota_known": space.quota_known,
            "quota_left_bytes": None if space.quota is None else space.quota.left,
        }
        for space in prepared.spaces
    ]
    return {
        "schema": 1,
        **stores[0],
        "dry_run": True,
        "files": len(candidates),
        "hours": sum(candidate.audio.seconds for candidate in candidates) / 3600,
        "source_bytes": plan.source_bytes,
        "target_bytes": plan.target_bytes,
        "free_bytes": prepared.free_bytes,
        "stores": stores,
        "disks": disks,
        "channels": _by_channels(prepared),
        "estimate": None if found is None else {**asdict(found), "processes": num_workers},
        **_about(prepared),
        **_problems(plan, plan.refused, ()),
    }


def _report_json(prepared: Prepared, report: Report) -> dict[str, object]:
    stores = [_store_json(store) for store in report.stores]
    return {
        "schema": 1,
        **stores[0],
        "dry_run": False,
        "complete": report.complete,
        "source_bytes": report.source_bytes,
        "wall_seconds": report.seconds,
        "stores": stores,
        **_about(prepared),
        **_problems(report.plan, report.refused, report.failed),
    }


def _store_json(store: StoreReport) -> dict[str, object]:
    rows = store.recordings.values()
    return {
        "store": str(store.goal.folder),
        "sample_rate": store.goal.sample_rate,
        "dtype": store.goal.dtype,
        "recordings": len(rows),
        "hours": sum(row.seconds for row in rows) / 3600,
        "bytes": sum(row.file_size for row in rows),
        "stored": list(store.stored),
        "unchanged": list(store.unchanged),
    }


def _about(prepared: Prepared) -> dict[str, object]:
    return {
        "corpus": asdict(prepared.survey.corpus),
        "notes": list(prepared.notes),
        "not_audio": sum(prepared.found.others.values()),
        "hidden": prepared.found.num_hidden,
    }


def _problems(
    plan: Plan, refused: Sequence[Problem], failed: Sequence[Problem]
) -> dict[str, list[dict[str, str]]]:
    kinds = {
        "left_out": plan.left_out,
        "warnings": plan.warnings,
        "refused": refused,
        "failed": failed,
    }
    return {
        kind: [{"path": problem.path, "reason": problem.reason} for problem in problems]
        for kind, problems in kinds.items()
    }
