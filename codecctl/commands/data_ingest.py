"""`codecctl data ingest`: recordings below a folder become a store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codecctl.errors import CodecctlError, DataError, UsageError
from codecctl.locations import stores_folder
from codecctl.output import note, progress, result, result_json

if TYPE_CHECKING:
    from codecctl.datasets.discovery import Problem
    from codecctl.datasets.ingest import Prepared, Report
    from codecctl.datasets.ingest_plan import Plan

_DTYPES = ("int16", "float32")
_LOWEST_RATE, _HIGHEST_RATE = 1_000, 768_000
_SHOWN = 10


def ingest(
    source: Annotated[Path, typer.Argument(help="Folder of recordings, searched below too.")],
    name: Annotated[
        str, typer.Option(help="Name of the store; the folder's name in lower case without.")
    ] = "",
    rate: Annotated[
        str, typer.Option(metavar="HZ|native", help="Rate of the store; native keeps the source's.")
    ] = "24000",
    dtype: Annotated[
        str, typer.Option(help="int16 (a scale for each second) or float32 (twice the size).")
    ] = "int16",
    min_seconds: Annotated[
        float, typer.Option(min=0, help="Shorter files are left out; 0 takes everything.")
    ] = 1.0,
    jobs: Annotated[
        int, typer.Option(min=0, help="Processes; 0: one for each processor given to us.")
    ] = 0,
    replace: Annotated[
        bool, typer.Option("--replace", help="Store files again that changed since.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 4 on warnings about the source, too.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Resample the recordings below SOURCE into a store that `train` reads.

    Interrupted, it goes on where it was; complete, it does nothing. Files that cannot be taken
    are named at the end, with exit code 4, and all others are stored.
    """
    from codecctl.datasets.ingest import ingest as ingest_prepared
    from codecctl.datasets.ingest import prepare
    from codecctl.datasets.ingest_plan import Rules

    rules = Rules(rate=_rate(rate), dtype=_dtype(dtype), min_seconds=min_seconds, replace=replace)
    folder = stores_folder() / (_checked(name) if name else _default_name(source))
    prepared = prepare(source, folder, rules)
    _tell(prepared)
    if dry_run:
        _show_plan(prepared, as_json=as_json)
        _complain(prepared.plan.refused, (), prepared.plan, strict=strict)
        return
    with progress("ingest", prepared.plan.source_bytes / 1e6) as advance:
        report = ingest_prepared(
            prepared,
            num_workers=jobs or _workers(),
            on_bytes=lambda count: advance(count / 1e6),
        )
    if report.recordings:
        _show_report(prepared, report, as_json=as_json)
    _complain(report.refused, report.failed, report.plan, strict=strict)
    if not report.recordings:
        raise DataError(f"{source}: nothing to store; {_reasons(report.plan.left_out)}")


def _rate(text: str) -> int | None:
    if text.strip().lower() == "native":
        return None
    if not text.isdecimal() or not _LOWEST_RATE <= int(text) <= _HIGHEST_RATE:
        needed = f"needed one rate of {_LOWEST_RATE} to {_HIGHEST_RATE} Hz, or native"
        raise UsageError(f"--rate {text}: {needed}, such as 24000")
    return int(text)


def _dtype(text: str) -> str:
    if text == "pcm":
        raise UsageError("--dtype pcm: this version stores int16 or float32 only")
    if text not in _DTYPES:
        raise UsageError(f"--dtype {text}: needed {' or '.join(_DTYPES)}")
    return text


def _checked(name: str) -> str:
    from codecctl.datasets.naming import sanitized

    if name != sanitized(name) or name.startswith((".", "-")):
        raise UsageError(f"--name {name!r}: needed letters, digits and - _ . +, such as eigenscape")
    return name


def _default_name(source: Path) -> str:
    from codecctl.datasets.naming import sanitized

    path = source.resolve()
    name = sanitized(path.stem if path.is_file() else path.name).strip("-.").lower()
    if not name:
        raise UsageError(f"{source}: its name makes no name for a store; give --name")
    return name


def _workers() -> int:
    from codecctl.datasets.ingest import default_workers

    return default_workers()


def _tell(prepared: Prepared) -> None:
    """What the user should know about the source before hours of work begin."""
    plan = prepared.plan
    for kind, problems in (("left out", plan.left_out), ("warning", plan.warnings)):
        for problem in problems[:_SHOWN]:
            note(f"{kind}: {problem.path}: {problem.reason}")
        if len(problems) > _SHOWN:
            note(f"{kind}: and {len(problems) - _SHOWN} more")
    channels = Counter(candidate.audio.channels for candidate in prepared.survey.candidates)
    if len(channels) > 1:
        listing = ", ".join(f"{count} of {number} ch" for number, count in channels.most_common())
        note(f"channel counts differ: {listing}; a profile takes those that have enough")
    for lost in prepared.target.lost:
        note(f"warning: {lost}: the index lists it, but it is gone or damaged")
    if prepared.target.index_damaged:
        note(f"warning: {prepared.target.folder}: index.json was damaged and is written anew")


def _show_plan(prepared: Prepared, *, as_json: bool) -> None:
    from codecctl.datasets.store import size_text

    plan, candidates = prepared.plan, prepared.survey.candidates
    hours = sum(candidate.audio.seconds for candidate in candidates) / 3600
    if as_json:
        figures = {
            "dry_run": True,
            "files": len(candidates),
            "hours": hours,
            "to_store": [output.name for job in plan.jobs for output in job.outputs],
            "unchanged": list(plan.unchanged),
            "source_bytes": plan.source_bytes,
            "target_bytes": plan.target_bytes,
            "free_bytes": prepared.free_bytes,
        }
        result_json({**_heading(prepared), **figures, **_problems(plan, plan.refused, ())})
        return
    result(
        f"{prepared.target.folder}: {len(candidates)} recordings, {hours:.3g} h, "
        f"{plan.sample_rate} Hz {prepared.rules.dtype}"
    )
    result(
        f"to store {len(plan.jobs)}, unchanged {len(plan.unchanged)}; reads "
        f"{size_text(plan.source_bytes)}, writes {size_text(plan.target_bytes)}, "
        f"free {size_text(prepared.free_bytes)}"
    )


def _show_report(prepared: Prepared, report: Report, *, as_json: bool) -> None:
    from codecctl.datasets.store import size_text

    if as_json:
        problems = _problems(report.plan, report.refused, report.failed)
        result_json({**_heading(prepared), **_figures(report), **problems})
        return
    folder, rows = prepared.target.folder, report.recordings.values()
    hours = sum(row.seconds for row in rows) / 3600
    size = size_text(sum(row.file_size for row in rows))
    rate = report.plan.sample_rate
    result(
        f"{folder}: {len(rows)} recordings, {hours:.3g} h, {rate} Hz {prepared.rules.dtype}, {size}"
    )
    speed = report.source_bytes / 1e6 / max(report.seconds, 1e-3)
    done = f" ({size_text(report.source_bytes)} in {report.seconds:.1f} s, {speed:.0f} MB/s)"
    result(
        f"stored {len(report.stored)}{done if report.stored else ''}, unchanged "
        f"{len(rows) - len(report.stored)}, left out {len(report.plan.left_out)}, "
        f"refused {len(report.refused) + len(report.failed)}"
    )
    scenes = Counter(row.scene or "(no scene)" for row in rows)
    result("scenes: " + ", ".join(f"{scene} {count}" for scene, count in sorted(scenes.items())))
    if report.complete:
        result(f"next: {_next_command(rate, folder.name)}")


def _heading(prepared: Prepared) -> dict[str, object]:
    return {
        "schema": 1,
        "store": str(prepared.target.folder),
        "sample_rate": prepared.plan.sample_rate,
        "dtype": prepared.rules.dtype,
    }


def _figures(report: Report) -> dict[str, object]:
    rows = report.recordings.values()
    return {
        "dry_run": False,
        "complete": report.complete,
        "recordings": len(rows),
        "hours": sum(row.seconds for row in rows) / 3600,
        "bytes": sum(row.file_size for row in rows),
        "stored": list(report.stored),
        "unchanged": list(report.plan.unchanged),
        "source_bytes": report.source_bytes,
        "wall_seconds": report.seconds,
    }


def _next_command(rate: int, store: str) -> str:
    return "codecctl train --profile paired" if rate == 24_000 else f"codecctl data info {store}"


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


def _complain(
    refused: Sequence[Problem], failed: Sequence[Problem], plan: Plan, *, strict: bool
) -> None:
    """Raise what the exit code has to say; every file is named."""
    if failed:
        listing = _listing("could not be stored", (*failed, *refused))
        raise CodecctlError(f"{listing}; the same command goes on where this one ended")
    if refused:
        raise DataError(_listing("cannot be ingested", refused))
    if strict and plan.warnings:
        raise DataError(_listing("--strict does not accept", plan.warnings))


def _listing(what: str, problems: Sequence[Problem]) -> str:
    if len(problems) == 1:
        return f"1 file {what}: {problems[0].path}: {problems[0].reason}"
    lines = "".join(f"\n  {problem.path}: {problem.reason}" for problem in problems)
    return f"{len(problems)} files {what}:{lines}"


def _reasons(left_out: Sequence[Problem]) -> str:
    if not left_out:
        return "no file can be taken"
    more = f" and {len(left_out) - 1} more" if len(left_out) > 1 else ""
    return f"{left_out[0].path}: {left_out[0].reason}{more}"
