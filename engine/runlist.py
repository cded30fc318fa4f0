"""What watchers know of runs: summaries and checkpoints, read without torch."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

from codecctl.engine.lease import RunState, read_state
from codecctl.engine.rows import Row, last_rows, latest_rows, number, read_rows

STEP_PREFIX = "step-"
LARGER_IS_BETTER = ("val/si_sdr", "val/eval/sisdr")
"""Validation scalars of which the largest value is the best; of all others it is the smallest."""


@dataclass(frozen=True)
class RunSummary:
    """One line about a run."""

    path: Path
    profile: str
    """Name of the profile, "" when profile.json cannot be read."""
    mode: str
    state: RunState
    status: str
    """The status of state.json, or "lost": active by its own word, but without a heartbeat."""
    step: int
    max_steps: int
    epoch: int
    age_seconds: float
    """Since the last sign of life."""
    train: Row
    """The row of training that was written last, {} when none was found."""
    validation: Row
    """The row of validation that was written last, {} when none was found."""
    tags: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.path.name


@dataclass(frozen=True)
class CheckpointInfo:
    """What meta.json says about a checkpoint folder."""

    path: Path
    step: int
    epoch: int
    metrics: Row
    bytes: int
    """Size of all files together."""
    is_last: bool
    is_best: bool

    @property
    def name(self) -> str:
        """The name of the folder, `step-000000500`."""
        return self.path.name


def list_runs(folder: Path) -> list[RunSummary]:
    """Summaries of all runs below a folder, the newest start first."""
    runs = [summarize_run(path.parent) for path in folder.glob("*/profile.json")]
    return sorted(runs, key=lambda run: (-run.state.started, run.name))


def summarize_run(run: Path, *, max_bytes: int = 1 << 22) -> RunSummary:
    """The summary of one run folder; survives missing and broken files.

    Args:
        run: The folder.
        max_bytes: How far back from the end of its metrics the last rows are looked for.
    """
    now = time.time()
    profile = read_json(run / "profile.json")
    state = read_state(run) or RunState(status="failed", message="state.json is missing")
    rows = last_rows(run / "metrics.jsonl", max_bytes=max_bytes)
    mode = (_mapping(profile.get("profile"))).get("mode", "")
    return RunSummary(
        path=run,
        profile=str(profile.get("name", "")),
        mode=str(mode),
        state=state,
        status=state.shown(now),
        step=state.step,
        max_steps=state.max_steps,
        epoch=state.epoch,
        age_seconds=max(0.0, now - state.heartbeat),
        train=rows.get("train", {}),
        validation=rows.get("val", {}),
        tags=read_tags(run),
    )


def read_metrics(run: Path, split: str = "") -> list[Row]:
    """The rows of metrics.jsonl by step, later ones in place of earlier ones.

    Args:
        run: The run folder.
        split: "train" or "val"; "" for both.
    """
    rows = latest_rows(read_rows(run / "metrics.jsonl"))
    return [row for row in rows if not split or row.get("split") == split]


def list_checkpoints(run: Path) -> list[CheckpointInfo]:
    """The complete checkpoints of a run by step; folders without meta.json do not count."""
    folder = run / "checkpoints"
    last, best = read_pointer(folder, "last"), read_pointer(folder, "best")
    found = []
    for path in sorted(folder.glob(f"{STEP_PREFIX}*/meta.json")):
        meta, name = read_json(path), path.parent.name
        found.append(
            CheckpointInfo(
                path=path.parent,
                step=int(number(meta.get("step")) or 0),
                epoch=int(number(meta.get("epoch")) or 0),
                metrics=_mapping(meta.get("metrics")),
                bytes=sum(file.stat().st_size for file in path.parent.iterdir()),
                is_last=name == last,
                is_best=name == best,
            )
        )
    return found


def read_pointer(checkpoints: Path, name: str) -> str:
    """The folder name in the text file `last` or `best`; "" when there is none."""
    try:
        return (checkpoints / name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def read_tags(run: Path) -> tuple[str, ...]:
    """The tags of a run, sorted."""
    tags = read_json(run / "tags.json").get("tags")
    return tuple(sorted(str(tag) for tag in tags)) if isinstance(tags, list) else ()


def read_json(path: Path) -> Row:
    """The object in a JSON file; {} when it is missing or broken."""
    try:
        return _mapping(json.loads(path.read_bytes()))
    except (OSError, ValueError, RecursionError):
        return {}


def _mapping(value: object) -> Row:
    return value if isinstance(value, dict) else {}
