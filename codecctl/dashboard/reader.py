"""Reads run folders a little at a time; used by one thread, knows no screen."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from codecctl.dashboard.columns import Block, parse_lines
from codecctl.dashboard.detail import DetailReader
from codecctl.dashboard.follow import Follower
from codecctl.dashboard.settings import flatten
from codecctl.dashboard.table import Table
from codecctl.dashboard.views import DEFAULT_BEST, RunView, Snapshot
from codecctl.engine.limits import limited
from codecctl.engine.references import FILE as REFERENCES_FILE
from codecctl.engine.references import read_missing, read_references
from codecctl.engine.rundir import (
    Row,
    RunState,
    RunSummary,
    number,
    read_json,
    read_last_rows,
    summarize_run,
)
from codecctl.engine.stages import read_stages

POLL_SECONDS = 0.8
"""So that a new row is seen within a second, the time to draw it included."""
BUDGET_SECONDS = 0.25
"""A poll reads no longer than about this, whatever there is."""

Parse = Callable[[Sequence[bytes], int], list[Block]]
_Stamp = tuple[int, int, int]
_Signature = tuple[_Stamp, ...]


class RunsReader:
    """Follows all runs of a folder.

    A run costs six `stat` calls a poll; its files are read when they change. Scalars are read
    in full only for the runs that are shown, everything else only for the run that is opened.

    Args:
        folder: Holds one folder for each run; may not exist yet.
        only: The name of the single run to follow, "" for all.
        clock: Unix time in seconds.
        parse: What `parse_lines` does.
    """

    def __init__(
        self,
        folder: Path,
        *,
        only: str = "",
        clock: Callable[[], float] = time.time,
        parse: Parse = parse_lines,
    ) -> None:
        self._folder = folder
        self._only = only
        self._clock = clock
        self._parse = parse
        self._runs: dict[str, _RunReader] = {}

    def poll(self, shown: frozenset[str], opened: str = "") -> Snapshot:
        """The runs now; reads what is new, within the budget.

        Args:
            shown: Runs whose scalars are wanted in full.
            opened: The run whose page is open, "" for none.
        """
        deadline = time.monotonic() + BUDGET_SECONDS
        for name in self._runs.keys() - self._names():
            del self._runs[name]
        for name in sorted(self._names() - self._runs.keys()):
            self._runs[name] = _RunReader(self._folder / name, self._parse)
        views = []
        complete = True
        for name, reader in list(self._runs.items()):
            wanted = name in shown or name == opened
            try:
                complete &= reader.read(wanted, deadline=deadline, opened=name == opened)
            except OSError as error:
                reader.fail(error)
            views.append(reader.view(self._clock()))
        views.sort(key=lambda view: (-view.summary.state.started, view.name))
        return Snapshot(tuple(views), complete)

    def _names(self) -> set[str]:
        marker = f"{self._only or '*'}/profile.json"
        return {path.parent.name for path in self._folder.glob(marker)}


class _RunReader:
    """One run: what was read of it so far."""

    def __init__(self, path: Path, parse: Parse) -> None:
        self._path = path
        self._watched = [path / name for name in _WATCHED]
        self._signature: _Signature | None = None
        self._metrics = Follower(path / "metrics.jsonl", parse)
        self._view: RunView | None = None
        self._detail = DetailReader(path)

    def read(self, wanted: bool, *, deadline: float, opened: bool) -> bool:
        """Read what changed; whether everything that is wanted has been read."""
        signature = tuple(map(_stamp, self._watched))
        if self._view is None or signature != self._signature:
            summary, problem = self._summary(signature)
            self._view = replace(
                self._view or RunView(summary),
                summary=summary,
                problem=problem,
                warning=_newest_warning(self._path),
                stages=read_stages(self._path),
                references=read_references(self._path),
                references_missing=read_missing(self._path),
            )
            if not self._signature or self._signature[_PROFILE] != signature[_PROFILE]:
                self._view = _with_profile(self._view, read_json(self._path / "profile.json"))
            self._signature = signature
        complete = True
        if wanted:
            self._view, complete = self._read_metrics(self._view, deadline)
        if opened:
            complete &= self._detail.read(deadline)
            self._view = replace(self._view, detail=self._detail.detail)
        return complete

    def _summary(self, signature: _Signature) -> tuple[RunSummary, str]:
        """The summary of the run, and what is wrong with its files.

        Validations may lie far apart: what was looked for once, far back in the metrics, is
        remembered while these grow.
        """
        known = self._view.summary if self._view and self._signature else None
        if self._signature and _is_replaced(self._signature[_METRICS], signature[_METRICS]):
            known = None
        if known is None:
            summary = summarize_run(self._path)
        else:
            summary = summarize_run(self._path, max_bytes=_NEWS_BYTES)
            train, validation = summary.train or known.train, summary.validation or known.validation
            summary = replace(summary, train=train, validation=validation)
        for name in ("state.json", "profile.json"):
            if not read_json(self._path / name):
                return summary, f"{name} is missing or cannot be read"
        return summary, ""

    def view(self, now: float) -> RunView:
        """The run with its age at this moment."""
        assert self._view is not None, "read() comes first"
        summary = self._view.summary
        state = summary.state
        age = max(0.0, now - state.heartbeat)
        return replace(
            self._view, summary=replace(summary, status=state.shown(now), age_seconds=age)
        )

    def fail(self, error: OSError) -> None:
        """Keep what was read before, and say what is wrong."""
        view = self._view or RunView(_unknown(self._path))
        self._view = replace(view, problem=str(error))
        self._signature = None

    def _read_metrics(self, view: RunView, deadline: float) -> tuple[RunView, bool]:
        news = self._metrics.read(deadline)
        if news.restarted:
            view = replace(view, train=Table(), validation=Table())
        if news.rows:
            train = [block for block in news.rows if block.words.get("split") == "train"]
            validation = [block for block in news.rows if block.words.get("split") == "val"]
            view = replace(
                view,
                train=view.train.add_blocks(train),
                validation=view.validation.add_blocks(validation),
            )
        return view, news.complete


_WATCHED = (
    "state.json",
    "metrics.jsonl",
    "events.jsonl",
    "profile.json",
    "tags.json",
    REFERENCES_FILE,
)
_METRICS, _PROFILE = (_WATCHED.index(name) for name in ("metrics.jsonl", "profile.json"))
_EVENT_BYTES = 1 << 15
_NEWS_BYTES = 1 << 17
"""More than a run writes between two looks at it."""


def _stamp(path: Path) -> _Stamp:
    """What changes when a file does; zeros when there is none."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0, 0
    return status.st_ino, status.st_size, status.st_mtime_ns


def _is_replaced(old: _Stamp, new: _Stamp) -> bool:
    """Whether a file is another one, or shorter than it was."""
    return old[0] != new[0] or new[1] < old[1]


def _with_profile(view: RunView, profile: Row) -> RunView:
    """What the profile of a run says, which is read once: it has some hundred values."""
    return replace(
        view,
        best_metric=_best_metric(profile),
        steps_per_epoch=steps_per_epoch(profile),
        settings=dict(flatten(profile.get("profile"))),
    )


def _newest_warning(path: Path) -> str:
    """Of the last events; an older one is no news."""
    rows = read_last_rows(path / "events.jsonl", _EVENT_BYTES)
    warnings = [row for row in rows if row.get("kind") == "warning"]
    return f"{warnings[-1].get('time')} {warnings[-1].get('message')}" if warnings else ""


def _unknown(path: Path) -> RunSummary:
    """The summary of a folder that cannot be read at all."""
    return RunSummary(
        path=path,
        profile="",
        mode="",
        state=RunState(status="failed"),
        status="failed",
        step=0,
        max_steps=0,
        epoch=0,
        age_seconds=0.0,
        train={},
        validation={},
        tags=(),
    )


def _profile_part(profile: Row, *path: str) -> Row:
    part: object = profile.get("profile")
    for name in path:
        part = part.get(name) if isinstance(part, dict) else None
    return part if isinstance(part, dict) else {}


def _best_metric(profile: Row) -> str:
    name = _profile_part(profile, "trainer").get("best_metric")
    return name if isinstance(name, str) and name else DEFAULT_BEST


def steps_per_epoch(profile: Row) -> float:
    """Updates of one epoch by the profile; 0 when it does not say."""
    trainer, data = _profile_part(profile, "trainer"), _profile_part(profile, "data")
    updates = number(trainer.get("updates_per_epoch"))
    items, batch = number(data.get("items_per_epoch")), number(data.get("batch_size"))
    whole = updates or (items // batch if items and batch else 0.0)
    limit = trainer.get("limit_train_batches")
    if isinstance(limit, int) and limit > 0:
        return float(min(whole, limit))
    if isinstance(limit, float) and 0 < limit < 1 and whole < math.inf:
        return float(limited(int(whole), limit))
    return whole
