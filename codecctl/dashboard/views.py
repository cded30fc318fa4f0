"""What the reader thread hands to the screen: immutable views of runs at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from codecctl.dashboard.table import Table
from codecctl.engine.references import Reference
from codecctl.engine.rundir import CheckpointInfo, Request, Row, RunSummary
from codecctl.engine.stages import Stage

if TYPE_CHECKING:
    from codecctl.engine.array_report import ArrayReport

DEFAULT_BEST = "val/mel"

# Shown first, in this order; the rest follows by name, single capsules at the end.
_ORDER = (
    "val/mel",
    "val/bits_per_sample",
    "loss/mel",
    "loss/bits_per_sample",
    "val/si_sdr",
    "loss/total",
    "loss/time",
    "loss/similarity",
    "loss/diversity",
    "loss/",
    "val/",
    "codebook/",
    "balancer/",
    "lr/",
    "grad_norm/",
    "speed/",
    "memory/",
)


@dataclass(frozen=True)
class Preview:
    """A reconstruction and what it should sound like; paths of WAV files."""

    step: int
    item: str
    reconstruction: str
    reference: str
    """"" when the run has not written one."""


@dataclass(frozen=True)
class SceneScore:
    """Mean of a validation metric over the items of one scene, at the newest validation."""

    metric: str
    """As in validation.jsonl, without "val/"."""
    scene: str
    mean: float
    num_items: int


@dataclass(frozen=True)
class ItemScore:
    """A validation item at the newest validation."""

    item: int
    """Its number, that of its preview."""
    scene: str
    recording: str
    seconds: float
    """Where it begins in the recording."""
    channels: tuple[int, ...]
    """Counted from 0."""
    values: Mapping[str, float]
    """By metric, as in validation.jsonl."""


@dataclass(frozen=True)
class LogTail:
    """The end of a log of a run."""

    name: str
    """Of the file."""
    lines: tuple[str, ...]
    is_cut: bool
    """The file begins before them."""


@dataclass(frozen=True)
class Detail:
    """What only the page of a run shows."""

    profile: Row = field(default_factory=dict)
    """profile.json as it is."""
    environment: Row = field(default_factory=dict)
    events: tuple[Row, ...] = ()
    system: Table = field(default_factory=lambda: Table("time"))
    checkpoints: tuple[CheckpointInfo, ...] = ()
    previews: tuple[Preview, ...] = ()
    scenes: tuple[SceneScore, ...] = ()
    items: tuple[ItemScore, ...] = ()
    requests: tuple[Request, ...] = ()
    """Requests to the training process that it has not served yet."""
    logs: tuple[LogTail, ...] = ()
    """Those that there are, train.log first."""
    array: ArrayReport | None = None
    """The last survey of whole arrays."""


@dataclass(frozen=True)
class RunView:
    """A run as it stands."""

    summary: RunSummary
    problem: str = ""
    """Why the run cannot be read in full, "" when it can."""
    warning: str = ""
    """Time and message of its newest warning, "" when there is none."""
    best_metric: str = DEFAULT_BEST
    steps_per_epoch: float = 0.0
    stages: tuple[Stage, ...] = ()
    """Parts of its training; none where it is one."""
    references: tuple[Reference, ...] = ()
    """What its scalars are read against."""
    references_missing: str = ""
    """Why one that should be there is not, as the run says it."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Values of its profile by dotted key, as they are written."""
    train: Table = field(default_factory=Table)
    validation: Table = field(default_factory=Table)
    """Both tables stay empty until the run is shown."""
    detail: Detail | None = None

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.summary.name


@dataclass(frozen=True)
class Snapshot:
    """All runs of the folder, the newest start first."""

    runs: tuple[RunView, ...] = ()
    complete: bool = True
    """False while files are read in pieces: there is more to read at once."""

    def by_name(self) -> Mapping[str, RunView]:
        """The runs by name."""
        return {run.name: run for run in self.runs}


def metric_rank(name: str) -> tuple[bool, int, str]:
    """Sorts metrics by how much they tell."""
    per_capsule = "/capsule" in name
    for rank, prefix in enumerate(_ORDER):
        if name == prefix or (prefix.endswith("/") and name.startswith(prefix)):
            return per_capsule, rank, name
    return per_capsule, len(_ORDER), name
