"""What two or more checkpoints have against each other, read away from the screen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from codecctl.dashboard.aligned import Alignment, aligned
from codecctl.dashboard.columns import parse_lines
from codecctl.dashboard.curves import Source
from codecctl.dashboard.follow import Follower
from codecctl.dashboard.reader import steps_per_epoch
from codecctl.dashboard.settings import flatten
from codecctl.dashboard.table import Table
from codecctl.dashboard.wording import higher_is_better
from codecctl.engine.paired_statistics import Difference, compare, item_values
from codecctl.engine.references import read_references
from codecctl.engine.rundir import Row, list_checkpoints, read_json, read_rows
from codecctl.engine.stages import read_stages
from codecctl.engine.weight_files import WeightChange, by_layer, compare_weights
from codecctl.errors import CodecctlError

WEIGHTS = "weights.safetensors"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Mark:
    """A checkpoint that was chosen to be compared."""

    run: Path
    step: int

    @property
    def text(self) -> str:
        """As commands take it."""
        return f"{self.run.name}:{self.step}"


@dataclass(frozen=True)
class LayerChange:
    """How far the weights of a module went."""

    layer: str
    count: int
    """Values."""
    norm: float
    """In the first checkpoint."""
    change: float
    """Norm of the difference."""


@dataclass(frozen=True)
class Against:
    """One checkpoint against the first."""

    mark: Mark
    differences: tuple[Difference, ...]
    layers: tuple[LayerChange, ...]
    unlike: tuple[str, ...]
    """Tensors without a counterpart of their shape."""
    problem: str = ""
    """Why the weights cannot be compared, "" when they can."""


@dataclass(frozen=True)
class RunCurves:
    """The scalars of a run of which a checkpoint is compared."""

    source: Source
    chosen: int
    """The step of its checkpoint."""
    best: int | None
    """That of its best checkpoint; None while there is none."""

    def placed(self, alignment: Alignment) -> Source:
        """The run with a moment of it at 0; one without a best checkpoint stays where it is."""
        steps = {Alignment.BEST: self.best, Alignment.CHOSEN: self.chosen}
        step = steps.get(alignment)
        return self.source if step is None else aligned(self.source, step)


@dataclass(frozen=True)
class Comparison:
    """Several checkpoints against the first of them."""

    first: Mark
    others: tuple[Against, ...]
    curves: tuple[RunCurves, ...]
    """Of every run once, in the order of the marks."""
    settings: dict[str, tuple[str, ...]]
    """Keys of the profiles that differ: the value of each checkpoint, "" where it has none."""


def best_mark(run: Path) -> Mark | None:
    """The best checkpoint of a run, else its last; None if it has none."""
    found = list_checkpoints(run)
    chosen = [info for info in found if info.is_best] or found[-1:]
    return Mark(run, chosen[0].step) if chosen else None


def compare_marks(marks: Sequence[Mark]) -> Comparison:
    """Compare checkpoints with the first one; reads their validations, profiles and weights."""
    first, *others = marks
    rows: dict[Path, list[Row]] = {
        mark.run: read_rows(mark.run / "validation.jsonl") for mark in marks
    }
    chosen = {mark.run: mark for mark in reversed(marks)}
    return Comparison(
        first=first,
        others=tuple(_against(first, mark, rows) for mark in others),
        curves=tuple(_curves(chosen[run], place) for place, run in enumerate(dict.fromkeys(rows))),
        settings=_settings(marks),
    )


def _curves(mark: Mark, place: int) -> RunCurves:
    """All scalars of the run of a checkpoint."""
    blocks = Follower(mark.run / "metrics.jsonl", parse_lines).read(math.inf).rows
    train, validation = (
        Table().add_blocks([block for block in blocks if block.words.get("split") == split])
        for split in ("train", "val")
    )
    source = Source(
        train,
        validation,
        steps_per_epoch(read_json(mark.run / "profile.json")),
        color=place,
        letter=LETTERS[place % len(LETTERS)],
        name=mark.run.name,
        stages=read_stages(mark.run),
        references=read_references(mark.run),
    )
    best = next((info.step for info in list_checkpoints(mark.run) if info.is_best), None)
    return RunCurves(source, mark.step, best)


def _against(first: Mark, mark: Mark, rows: dict[Path, list[Row]]) -> Against:
    old, new = (item_values(rows[each.run], each.step) for each in (first, mark))
    up = {metric: higher_is_better(metric) for metric in old}
    differences = tuple(compare(old, new, higher_better=up))
    try:
        changes = compare_weights(_weights(first), _weights(mark))
    except CodecctlError as error:
        return Against(mark, differences, (), (), str(error))
    layers = tuple(
        LayerChange(layer, count, norm, change)
        for layer, (norm, change, count) in by_layer(changes).items()
    )
    return Against(mark, differences, layers, tuple(_unlike(changes)))


def _weights(mark: Mark) -> Path:
    for info in list_checkpoints(mark.run):
        if info.step == mark.step:
            return info.path / WEIGHTS
    raise CodecctlError(f"{mark.text}: no such checkpoint (any more); choose another")


def _unlike(changes: Sequence[WeightChange]) -> list[str]:
    return [each.name for each in changes if each.change != each.change]


def _settings(marks: Sequence[Mark]) -> dict[str, tuple[str, ...]]:
    profiles = [
        dict(flatten(read_json(mark.run / "profile.json").get("profile"))) for mark in marks
    ]
    keys = {key: None for profile in profiles for key in profile}
    values = {key: tuple(profile.get(key, "") for profile in profiles) for key in keys}
    return {key: each for key, each in values.items() if len(set(each)) > 1}
