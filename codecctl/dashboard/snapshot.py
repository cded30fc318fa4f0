"""A picture of all runs as plain text, and as JSON for scripts."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from codecctl.dashboard.axis import XAxis
from codecctl.dashboard.curves import all_metrics, curves_of, run_source, x_extent
from codecctl.dashboard.notes import EMPTY, loss_value, note_text, stages_text
from codecctl.dashboard.plot import View, draw
from codecctl.dashboard.reader import RunsReader
from codecctl.dashboard.views import RunView, Snapshot
from codecctl.dashboard.wording import GLYPHS, age_text, step_text, value_text
from codecctl.engine.rundir import Row, number

SMOOTHING = 0.6
_MIN_CHART_WIDTH, _MIN_CHART_HEIGHT = 36, 7
_GAP = 2


def read_everything(folder: Path, *, only: str = "") -> Snapshot:
    """All runs, with the scalars of the newest."""
    reader = RunsReader(folder, only=only, clock=time.time)
    snapshot = reader.poll(frozenset())
    newest = frozenset(run.name for run in snapshot.runs[:1])
    snapshot = reader.poll(newest)
    while not snapshot.complete:
        snapshot = reader.poll(newest)
    return snapshot


def snapshot_text(folder: Path, snapshot: Snapshot, *, width: int, height: int) -> str:
    """A table of all runs and charts of the newest one, without any escape codes.

    Args:
        folder: Where the runs are, for the words around them.
        snapshot: What to show.
        width: Cells across.
        height: Lines; the table takes what it needs, the charts get the rest.
    """
    if not snapshot.runs:
        return EMPTY.format(folder=folder)
    lines = list(_table(snapshot.runs, width))
    newest = snapshot.runs[0]
    lines += ["", note_text(newest)[:width]]
    if stages := stages_text(newest.stages, newest.summary.step):
        lines.append(f"stages: {stages}"[:width])
    lines += _charts(newest, width, height - len(lines))
    return "\n".join(line.rstrip() for line in lines)


def snapshot_rows(snapshot: Snapshot) -> list[dict[str, object]]:
    """One object for each run, with values that JSON can hold."""
    return [
        {
            "schema": 1,
            "run": run.name,
            "path": str(run.summary.path),
            "profile": run.summary.profile,
            "mode": run.summary.mode,
            "status": run.summary.status,
            "step": run.summary.step,
            "max_steps": run.summary.max_steps,
            "epoch": run.summary.epoch,
            "stage": run.summary.state.stage,
            "stages": [
                {**asdict(stage), "status": stage.status(run.summary.step)} for stage in run.stages
            ],
            "references": [asdict(each) for each in run.references],
            "age_seconds": round(run.summary.age_seconds, 1),
            "message": run.problem or run.summary.state.message,
            "best_metric": run.best_metric,
            "train": _scalars(run.summary.train),
            "validation": _scalars(run.summary.validation),
        }
        for run in snapshot.runs
    ]


def _scalars(row: Row) -> dict[str, object]:
    kept: dict[str, object] = {}
    for name, value in row.items():
        shown = number(value)
        if shown is not None and name != "schema":
            kept[name] = shown if math.isfinite(shown) else value_text(shown)
    return kept


def _table(runs: Sequence[RunView], width: int) -> Iterator[str]:
    head = ("state", "step", "seen", "val", "loss")
    widths = (10, 13, 7, 9, 9)
    name_width = max(3, min(max(len(run.name) for run in runs), width - sum(widths) - len(widths)))
    yield _row("run", name_width, head, widths)
    for run in runs:
        summary = run.summary
        cells = (
            f"{GLYPHS.get(summary.status, '?')} {summary.status}",
            step_text(summary.step, summary.max_steps),
            age_text(summary.age_seconds),
            value_text(number(summary.validation.get(run.best_metric))),
            value_text(loss_value(summary.train)),
        )
        yield _row(summary.name, name_width, cells, widths)


def _row(name: str, name_width: int, cells: Sequence[str], widths: Sequence[int]) -> str:
    fields = [cells[0].ljust(widths[0])]
    fields += [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
    return " ".join([name[:name_width].ljust(name_width), *fields])


def _charts(run: RunView, width: int, height: int) -> list[str]:
    """As many charts as fit, in rows."""
    source = run_source(run, color=0)
    columns = max(1, width // _MIN_CHART_WIDTH)
    rows = max(0, height // (_MIN_CHART_HEIGHT + 1))
    names = all_metrics([source])[: columns * rows]
    if not names:
        return []
    rows = -(-len(names) // columns)
    chart_width = (width - _GAP * (columns - 1)) // columns
    chart_height = min(16, height // rows - 1)
    extent = x_extent([source], XAxis.STEP)
    view = View(smoothing=SMOOTHING, extent=extent, with_raw=False)
    lines = []
    for first in range(0, len(names), columns):
        pictures = [
            list(
                draw(
                    name,
                    curves_of(name, [source], view),
                    view=view,
                    width=chart_width,
                    height=chart_height,
                ).rows()
            )
            for name in names[first : first + columns]
        ]
        lines.append("")
        lines += [(" " * _GAP).join(parts) for parts in zip(*pictures, strict=True)]
    return lines
