"""`codecctl runs`: what ran, with which profile, and where it stands."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Annotated

import typer

from codecctl.commands.runs_previews import previews
from codecctl.engine.rundir import (
    CheckpointInfo,
    Row,
    RunSummary,
    list_checkpoints,
    list_runs,
    number,
    read_json,
    read_last_rows,
    read_metrics,
    read_tags,
    remove_run,
    request,
    summarize_run,
    write_tags,
)
from codecctl.engine.stages import read_stages
from codecctl.errors import UsageError
from codecctl.locations import find_run, runs_folder
from codecctl.output import note, result, result_json

app = typer.Typer(no_args_is_help=True, help="Look at runs, stop them, remove them, tag them.")
app.command()(previews)

_EVENTS_SHOWN = 8
_Run = Annotated[str, typer.Argument(metavar="RUN", help="Name or path of a run.")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command("list")
def list_all(
    tag: Annotated[str, typer.Option(help="Only runs with this tag.")] = "", json: _Json = False
) -> None:
    """List runs, the newest first."""
    folder = runs_folder()
    runs = [run for run in list_runs(folder) if not tag or tag in run.tags]
    if json:
        result_json({"schema": 1, "folder": str(folder), "runs": [_as_dict(run) for run in runs]})
        return
    if not runs:
        result(f"{folder}: no run; start one with: codecctl train --profile paired")
        return
    head = ("name", "status", "step", "age", "val/mel", "profile", "tags")
    cells = [head, *(_cells(run) for run in runs)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    for row in cells:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        result(line.rstrip())


@app.command()
def show(run: _Run, json: _Json = False) -> None:
    """Show one run: state, last values, checkpoints, events, how it was started."""
    from codecctl.engine.array_report import latest_report, report_lines
    from codecctl.engine.verdicts import judge, verdict_lines

    path = find_run(run)
    arrays = latest_report(path)
    summary = summarize_run(path)
    profile = read_json(path / "profile.json")
    events = read_last_rows(path / "events.jsonl")
    verdicts = judge(read_metrics(path), mode=summary.mode)
    if json:
        result_json(
            {
                "schema": 1,
                **_as_dict(summary),
                "overrides": profile.get("overrides", []),
                "resolved": profile.get("profile", {}),
                "validation_rows": read_metrics(path, "val"),
                "verdicts": [verdict.row() for verdict in verdicts],
                "arrays": arrays.model_dump(by_alias=True) if arrays else None,
                "checkpoints": [_checkpoint_as_dict(info) for info in list_checkpoints(path)],
                "events": events,
            }
        )
        return
    _print_state(summary, profile.get("overrides"))
    _print_values("training", summary.train)
    _print_values("validation", summary.validation)
    for line in verdict_lines(verdicts):
        result(line)
    if arrays:
        result(f"whole arrays, step {arrays.step}:")
        for line in report_lines(arrays):
            result(f"  {line}")
    for info in list_checkpoints(path):
        marks = f"{' last' if info.is_last else ''}{' best' if info.is_best else ''}"
        result(f"checkpoint {info.name}: {info.bytes / 1e6:.1f} MB{marks}")
    happened = [event for event in events if event.get("kind") != "verdict"]  # they stand above
    for event in happened[-_EVENTS_SHOWN:]:
        what = f"{event.get('kind')}: {event.get('message')}"
        result(f"{_clock(event.get('time'))} step {event.get('step')}: {what}")


@app.command()
def stop(
    run: _Run,
    save: Annotated[bool, typer.Option("--save", help="Save a checkpoint and go on.")] = False,
) -> None:
    """Ask the process that trains a run to save and stop, from any node."""
    path = find_run(run)
    state = summarize_run(path)
    if state.status not in ("starting", "running"):
        raise UsageError(f"{path.name}: found a run that is {state.status}, needed a running one")
    request(path, "save" if save else "stop")
    note(
        f"{path.name}: asked process {state.state.pid} on {state.state.host} to save"
        f"{'' if save else ' and stop'}; it does so after its step"
    )


@app.command()
def remove(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Names or paths of runs.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete runs with all checkpoints and previews."""
    paths = [find_run(run) for run in runs]
    for path in paths:
        if summarize_run(path).status in ("starting", "running"):
            raise UsageError(
                f"{path.name}: is training; stop it first: codecctl runs stop {path.name}"
            )
    for path in paths:
        size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 1e6
        if not yes:
            if not sys.stdin.isatty():
                raise UsageError(f"{path.name}: not removed; say --yes where nobody can be asked")
            if not typer.confirm(f"remove {path} ({size:.0f} MB)?", err=True):
                continue
        remove_run(path)
        note(f"{path}: removed, {size:.0f} MB")


@app.command()
def tag(
    run: _Run,
    tags: Annotated[
        list[str] | None, typer.Argument(metavar="[TAG]...", help="Tags to add.")
    ] = None,
    drop: Annotated[list[str] | None, typer.Option("--drop", help="A tag to take away.")] = None,
) -> None:
    """Add tags to a run, or take them away; without either, print them."""
    path = find_run(run)
    have = set(read_tags(path))
    if tags or drop:
        have = (have | set(tags or ())) - set(drop or ())
        write_tags(path, have)
    result(" ".join(sorted(have)))


def _print_state(summary: RunSummary, overrides: object) -> None:
    result(f"{summary.path}: {summary.status} at step {summary.step} of {summary.max_steps}")
    changes = " ".join(str(item) for item in overrides) if isinstance(overrides, list) else ""
    result(f"profile {summary.profile} {changes}".rstrip())
    for stage in read_stages(summary.path):
        steps = f"steps {stage.first_step} to {stage.end_step}"
        result(f"stage {stage.name}: {steps}, {stage.status(summary.step)}")
    if summary.state.message:
        result(summary.state.message)
    if summary.tags:
        result(f"tags: {' '.join(summary.tags)}")


def _print_values(title: str, row: Row) -> None:
    if not row:
        return
    result(f"last {title}, step {row.get('step')}:")
    for name in sorted(name for name in row if "/" in name):
        value = number(row[name])
        result(f"  {name:32} {row[name] if value is None else format(value, '.5g')}")


def _checkpoint_as_dict(info: CheckpointInfo) -> dict[str, object]:
    return {
        "name": info.name,
        "step": info.step,
        "bytes": info.bytes,
        "metrics": info.metrics,
        "last": info.is_last,
        "best": info.is_best,
    }


def _cells(run: RunSummary) -> tuple[str, ...]:
    distance = number(run.validation.get("val/mel"))
    return (
        run.name,
        run.status,
        f"{run.step}/{run.max_steps}",
        _age(run.age_seconds) if run.state.heartbeat else "",
        "" if distance is None else f"{distance:.4g}",
        run.profile,
        " ".join(run.tags),
    )


def _as_dict(run: RunSummary) -> dict[str, object]:
    return {
        "name": run.name,
        "path": str(run.path),
        "status": run.status,
        "profile": run.profile,
        "mode": run.mode,
        "step": run.step,
        "max_steps": run.max_steps,
        "epoch": run.epoch,
        "stage": run.state.stage,
        "started": run.state.started,
        "heartbeat": run.state.heartbeat,
        "host": run.state.host,
        "pid": run.state.pid,
        "message": run.state.message,
        "train": run.train,
        "validation": run.validation,
        "tags": list(run.tags),
    }


def _age(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _clock(value: object) -> str:
    stamp = number(value)
    if stamp is None:
        return ""
    try:
        return datetime.fromtimestamp(stamp).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except (OverflowError, ValueError, OSError):  # no time of any calendar
        return ""
