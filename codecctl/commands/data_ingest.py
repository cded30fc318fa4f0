"""`codecctl data ingest`: recordings below a folder become a store, or one for each rate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codecctl.errors import CodecctlError, DataError, UsageError
from codecctl.locations import stores_folder
from codecctl.output import progress

if TYPE_CHECKING:
    from codecctl.datasets.discovery import Problem
    from codecctl.datasets.ingest import Prepared
    from codecctl.datasets.ingest_pool import Outcome
    from codecctl.datasets.ingest_report import Report
    from codecctl.datasets.ingest_survey import Rules

_DEFAULT_RATE = 24_000
_LOWEST_RATE, _HIGHEST_RATE = 1_000, 768_000
_MOST_RATES = 8
_HASHES = {"xxh3": "xxh3-128", "sha256": "sha256", "none": "none"}


def ingest(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE", readable=False, help="Folder of recordings, searched below too."
        ),
    ],
    name: Annotated[
        str, typer.Option(help="Name of the store. [default: the folder's name in lower case]")
    ] = "",
    rate: Annotated[
        str,
        typer.Option(
            metavar="HZ|native[,...]",
            help="Rate of the store, native keeps the source's; several make a store each: NAME, "
            "NAME-44100, NAME-native. [default: 24000; native with --dtype pcm]",
        ),
    ] = "",
    dtype: Annotated[
        str,
        typer.Option(
            help="int16 (a scale for each second), float32 (twice the size), or pcm (the integers "
            "of the source)."
        ),
    ] = "int16",
    min_seconds: Annotated[
        float, typer.Option(min=0, help="Shorter files are left out; 0 takes everything.")
    ] = 1.0,
    jobs: Annotated[
        int,
        typer.Option(min=0, help="Processes; 0: one for each processor that this process may use."),
    ] = 0,
    shard: Annotated[
        str, typer.Option(metavar="I/N", help="Do part I of N; `data merge NAME` joins all parts.")
    ] = "",
    corpus: Annotated[
        str, typer.Option(help="Id of the data set. [default: recognized, or the folder's name]")
    ] = "",
    metadata: Annotated[
        Path | None,
        typer.Option(
            readable=False, help="CSV with a column Filename. [default: metadata*.csv below SOURCE]"
        ),
    ] = None,
    verify_source: Annotated[
        str,
        typer.Option(
            metavar="auto|FILE",
            help="Store no file that differs from its published checksum: of lists beside the "
            "audio and of known data sets, or of this list.",
        ),
    ] = "",
    replace: Annotated[
        bool, typer.Option("--replace", help="Store files again that changed since.")
    ] = False,
    reader: Annotated[
        str, typer.Option(help="auto, or soundfile: libsndfile reads every file.")
    ] = "auto",
    source_hash: Annotated[
        str, typer.Option(help="Of every source file: xxh3, sha256 or none.")
    ] = "xxh3",
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 4 on warnings about the source, too.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Turn a folder of recordings into a store that `train` reads.

    Interrupted, it goes on where it was; complete, it does nothing. Files that cannot be taken
    are named at the end, with exit code 4, and all others are stored.
    """
    from codecctl.commands.data_ingest_lines import print_plan, print_report, tell
    from codecctl.datasets.ingest import prepare
    from codecctl.datasets.ingest_survey import Rules
    from codecctl.datasets.shards import shard_option

    rules = Rules(
        rates=_rates(rate, dtype=_one_of("--dtype", dtype, ("int16", "float32", "pcm"))),
        dtype=dtype,
        min_seconds=min_seconds,
        replace=replace,
        reader=_one_of("--reader", reader, ("auto", "soundfile")),
        source_hash=_HASHES[_one_of("--source-hash", source_hash, tuple(_HASHES))],
        corpus=_checked("--corpus", corpus) if corpus else "",
        metadata=metadata,
        verify=verify_source,
        shard=shard_option(shard) if shard else None,
    )
    folder = stores_folder() / (_checked("--name", name) if name else default_name(source))
    prepared = prepare(source, folder, rules)
    tell(prepared)
    if dry_run:
        print_plan(prepared, num_workers=_workers(jobs), as_json=as_json)
        _complain(prepared.plan.refused, (), prepared.plan.warnings, strict=strict)
        return
    report = _run(prepared, num_workers=_workers(jobs))
    if report.recordings or rules.shard is not None:
        print_report(prepared, report, as_json=as_json)
    _complain(report.refused, report.failed, report.plan.warnings, strict=strict)
    if not report.recordings and not _elsewhere(rules, prepared):
        raise DataError(f"{source}: nothing to store; {_reasons(report.plan.left_out)}")


def _run(prepared: Prepared, *, num_workers: int) -> Report:
    from codecctl.datasets.ingest import ingest as ingest_prepared

    total = len(prepared.plan.jobs)
    done = bad = 0
    with progress("ingest", prepared.plan.source_bytes / 1e6) as advance:

        def count(outcome: Outcome) -> None:
            nonlocal done, bad
            done += 1
            bad += bool(outcome.refused or outcome.failed or outcome.crashed)
            failed = f", {bad} not taken" if bad else ""
            advance(0, f"{done} of {total} files{failed}")

        advance(0, f"0 of {total} files")
        return ingest_prepared(
            prepared,
            num_workers=num_workers,
            on_bytes=lambda number: advance(number / 1e6),
            on_file=count,
        )


def _rates(text: str, *, dtype: str) -> tuple[int | None, ...]:
    if not text:
        return (None,) if dtype == "pcm" else (_DEFAULT_RATE,)
    words = [word.strip().lower() for word in text.split(",")]
    for word in words:
        number = int(word) if word.isdecimal() and word.isascii() else 0
        if word != "native" and not _LOWEST_RATE <= number <= _HIGHEST_RATE:
            needed = f"needed rates of {_LOWEST_RATE} to {_HIGHEST_RATE} Hz, or native"
            raise UsageError(f"--rate {text}: {needed}, such as 24000 or 24000,44100,native")
    rates = tuple(None if word == "native" else int(word) for word in words)
    if len(set(rates)) < len(rates) or len(rates) > _MOST_RATES:
        raise UsageError(f"--rate {text}: needed each rate once, {_MOST_RATES} at most")
    if dtype == "pcm" and rates != (None,):
        raise UsageError(
            f"--rate {text}: --dtype pcm keeps the integers of the source and its rate; needed "
            "--rate native"
        )
    return rates


def _one_of(option: str, text: str, choices: Sequence[str]) -> str:
    if text not in choices:
        raise UsageError(f"{option} {text}: needed {', '.join(choices[:-1])} or {choices[-1]}")
    return text


def _checked(option: str, name: str) -> str:
    from codecctl.datasets.naming import sanitized
    from codecctl.datasets.shards import is_shard

    if name != sanitized(name) or name.startswith((".", "-")):
        raise UsageError(
            f"{option} {name!r}: needed letters, digits and - _ . +, such as eigenscape"
        )
    if is_shard(name):
        raise UsageError(f"{option} {name}: names a part; needed the whole, with --shard I/N")
    return name


def default_name(source: Path) -> str:
    """The name of the store of a folder that was given none.

    Raises:
        UsageError: The folder's name has no letter that could stand in it.
    """
    from codecctl.datasets.naming import sanitized

    path = source.resolve()
    name = sanitized(path.stem if path.is_file() else path.name).strip("-.").lower()
    if not name:
        raise UsageError(f"{source}: its name makes no name for a store; give --name")
    return name


def _workers(jobs: int) -> int:
    from codecctl.datasets.ingest import default_workers

    return jobs or default_workers()


def _elsewhere(rules: Rules, prepared: Prepared) -> bool:
    """Whether a part has nothing of its own because other parts or the whole have it."""
    return rules.shard is not None and bool(prepared.survey.candidates)


def _complain(
    refused: Sequence[Problem],
    failed: Sequence[Problem],
    warnings: Sequence[Problem],
    *,
    strict: bool,
) -> None:
    """Raise what the exit code has to say; every file is named."""
    if failed:
        listing = _listing("could not be stored", (*failed, *refused))
        raise CodecctlError(f"{listing}; the same command goes on where this one ended")
    if refused:
        raise DataError(_listing("cannot be ingested", refused))
    if strict and warnings:
        raise DataError(_listing("--strict does not accept", warnings))


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
