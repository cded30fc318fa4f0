"""Reads what the page of a run shows: events, validation items, checkpoints, previews, system."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from codecctl.dashboard.columns import parse_lines
from codecctl.dashboard.follow import Follower, decode_rows
from codecctl.dashboard.log_tails import LogReader
from codecctl.dashboard.table import Table
from codecctl.dashboard.views import Detail, ItemScore, Preview, SceneScore
from codecctl.engine.rundir import (
    CheckpointInfo,
    Row,
    list_checkpoints,
    number,
    read_json,
    read_requests,
)

if TYPE_CHECKING:
    from codecctl.engine.array_report import ArrayReport

MAX_EVENTS = 2000
_PREVIEW_PREFIX = "step-"


class DetailReader:
    """Follows the files of one run.

    Args:
        path: The run folder.

    Attributes:
        detail: What is known after the last `read`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._events = Follower(path / "events.jsonl", decode_rows)
        self._system = Follower(path / "system.jsonl", parse_lines)
        self._validation = Follower(path / "validation.jsonl", decode_rows)
        self._event_rows: list[Row] = []
        self._system_table = Table("time")
        self._newest = _NewestValidation()
        self._logs = LogReader(path)
        self.detail = Detail()

    def read(self, deadline: float) -> bool:
        """Read what is new until the deadline (`time.monotonic`); whether that was all."""
        events = self._events.read(deadline)
        self._event_rows = ([] if events.restarted else self._event_rows) + events.rows
        self._event_rows = self._event_rows[-MAX_EVENTS:]
        system = self._system.read(deadline)
        old = Table("time") if system.restarted else self._system_table
        self._system_table = old.add_blocks(system.rows)
        validation = self._validation.read(deadline)
        if validation.restarted:
            self._newest = _NewestValidation()
        self._newest.add(validation.rows)
        self.detail = Detail(
            profile=read_json(self._path / "profile.json"),
            environment=read_json(self._path / "environment.json"),
            events=tuple(self._event_rows),
            system=self._system_table,
            checkpoints=_checkpoints(self._path),
            previews=list_previews(self._path),
            scenes=self._newest.scenes(),
            items=self._newest.items(),
            requests=read_requests(self._path),
            logs=self._logs.read(),
            array=_latest_survey(self._path),
        )
        return events.complete and system.complete and validation.complete


def list_previews(run: Path) -> tuple[Preview, ...]:
    """The previews of a run by step and item."""
    found = []
    files = (run / "previews").glob(f"{_PREVIEW_PREFIX}*/*.wav")
    for path in sorted(files, key=lambda path: (path.parent.name, path.stem)):
        digits = path.parent.name.removeprefix(_PREVIEW_PREFIX)
        if not digits.isdigit() or path.name.startswith("."):
            continue
        # item-000.swap.wav is another way of decoding item-000.
        name = path.stem.partition(".")[0]
        reference = run / "previews" / "reference" / f"{name}.wav"
        found.append(
            Preview(
                step=int(digits),
                item=path.stem,
                reconstruction=str(path),
                reference=str(reference) if reference.is_file() else "",
            )
        )
    return tuple(found)


def _checkpoints(run: Path) -> tuple[CheckpointInfo, ...]:
    try:
        return tuple(list_checkpoints(run))
    except FileNotFoundError:  # an old checkpoint was deleted while it was listed
        return ()


class _NewestValidation:
    """The values of the newest validation by item; a later row of an item replaces its value."""

    def __init__(self) -> None:
        self._step = -1.0
        self._values: dict[tuple[float, str], tuple[str, float]] = {}
        self._places: dict[float, Row] = {}
        self._items: tuple[ItemScore, ...] | None = None

    def add(self, rows: list[Row]) -> None:
        """Take rows of validation.jsonl."""
        for row in rows:
            step, item = number(row.get("step")), number(row.get("item"))
            value, metric = number(row.get("value")), row.get("metric")
            if step is None or item is None or value is None or not isinstance(metric, str):
                continue
            if step > self._step:
                self._step, self._values, self._places = step, {}, {}
            if step == self._step:
                self._values[item, metric] = (str(row.get("scene", "")), value)
                self._places[item] = row
                self._items = None

    def scenes(self) -> tuple[SceneScore, ...]:
        """Means over the items of each scene."""
        sums: dict[tuple[str, str], list[float]] = {}
        for (_, metric), (scene, value) in self._values.items():
            sums.setdefault((metric, scene), []).append(value)
        return tuple(
            SceneScore(metric, scene, sum(values) / len(values), len(values))
            for (metric, scene), values in sorted(sums.items())
        )

    def items(self) -> tuple[ItemScore, ...]:
        """Every item with all of its values; computed again only after news."""
        if self._items is None:
            values: dict[float, dict[str, float]] = {}
            for (item, metric), (_, value) in self._values.items():
                values.setdefault(item, {})[metric] = value
            self._items = tuple(
                _item_score(item, self._places[item], found)
                for item, found in sorted(values.items())
            )
        return self._items


def _item_score(item: float, row: Row, values: dict[str, float]) -> ItemScore:
    channels = row.get("channels")
    return ItemScore(
        item=int(item),
        scene=str(row.get("scene", "")),
        recording=str(row.get("recording", "")),
        seconds=number(row.get("start_seconds")) or 0.0,
        channels=tuple(c for c in channels if isinstance(c, int))
        if isinstance(channels, list)
        else (),
        values=values,
    )


def _latest_survey(run: Path) -> ArrayReport | None:
    """The last survey of whole arrays; what reads it is loaded only where there is one."""
    if not (run / "array").is_dir():
        return None
    from codecctl.engine.array_report import latest_report

    return latest_report(run)
