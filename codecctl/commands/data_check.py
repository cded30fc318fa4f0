"""`codecctl data check`: is what a store holds fit to train on?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from codecctl.errors import DataError
from codecctl.locations import find_store
from codecctl.output import note, progress, result, result_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from codecctl.datasets.check import Finding, Report
    from codecctl.datasets.store import RecordingInfo, Store

_COLORS = {"error": "31;1", "warning": "33", "note": "2"}
_MOST_SPANS = 4


def check(
    store: Annotated[str, typer.Argument(metavar="STORE", help="Name or folder of a store.")],
    recording: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this recording; may be given again."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 4 on warnings, too.")] = False,
    jobs: Annotated[
        int,
        typer.Option(min=0, help="Threads; 0: one for each processor that this process may use."),
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Look for dead, clipped, silent and swapped channels.

    Also for offsets, dropouts, inverted and duplicated channels, wrong arrays, levels out of the
    ordinary, copies of recordings and published faults. Each finding says what it does to a
    training; the result is kept in check.json in the store.
    """
    from codecctl.datasets.store import Store

    opened = Store.open(find_store(store))
    rows = [opened.recording(name) for name in dict.fromkeys(recording or [])]
    report = _checked(opened, rows, jobs)
    if not rows:
        _keep(opened, report)
    if as_json:
        result_json({**report.to_json(), "store": opened.name, "path": str(opened.path)})
    else:
        _print_report(opened, report)
    errors, warnings = report.count("error"), report.count("warning")
    if errors or (strict and warnings):
        if errors:
            what = _plural(errors, "finding") + " of severity error"
        else:
            what = _plural(warnings, "warning") + ", and --strict"
        raise DataError(f"{opened.path}: {what}; remove or mend what is named, then check again")


def _checked(store: Store, rows: Sequence[RecordingInfo], jobs: int) -> Report:
    from codecctl.datasets.check import check_store
    from codecctl.datasets.ingest import default_workers

    total = sum(
        row.channels * row.frames * row.geometry.sample_type.itemsize
        for row in rows or store.recordings
    )
    with progress("check", total / 1e6) as advance:
        before = 0

        def show(done: int, _: int) -> None:
            nonlocal before
            advance((done - before) / 1e6)
            before = done

        return check_store(
            store, recordings=rows, num_threads=jobs or default_workers(), on_progress=show
        )


def _keep(store: Store, report: Report) -> None:
    """Keep the report; a store that cannot be written to is checked all the same."""
    from codecctl.datasets.check import write_report
    from codecctl.errors import CodecctlError

    try:
        write_report(store.path, report)
    except CodecctlError as error:
        note(f"codecctl: the result is not kept: {error}")


def _print_report(store: Store, report: Report) -> None:
    from codecctl.datasets.check import verdict

    color = sys.stdout.isatty()
    for line in report_lines(report, color=color):
        result(line)
    result(f"{store.path}: {verdict(report)} ({report.cpu_seconds:.1f} s of processor time)")


def report_lines(report: Report, *, color: bool) -> Iterator[str]:
    """The findings, grouped by recording; what a kind means is told at its first."""
    before: str | None = None
    told: set[str] = set()
    for finding in report.findings:
        if finding.recording != before:
            yield f"{finding.recording or 'the store'}"
            before = finding.recording
        yield from _finding_lines(finding, told, color=color)


def _finding_lines(finding: Finding, told: set[str], *, color: bool) -> Iterator[str]:
    word = f"{finding.severity:<8}"
    if color:
        word = f"\x1b[{_COLORS[finding.severity]}m{word}\x1b[0m"
    yield f"  {word} {finding.kind}: {finding.text}{_spans(finding)}"
    if finding.kind not in told:
        told.add(finding.kind)
        yield f"           {finding.meaning}"


def _spans(finding: Finding) -> str:
    """The first spans, as ` at 12.0-13.5 s`."""
    if not finding.spans:
        return ""
    shown = ", ".join(f"{start:g}-{stop:g}" for start, stop in finding.spans[:_MOST_SPANS])
    more = len(finding.spans) - _MOST_SPANS
    return f"; at {shown} s" + (f" and {more} more" if more > 0 else "")


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
