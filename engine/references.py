"""What a metric is read against: values of other coders on the same material, `references.json`.

Imports no torch: a dashboard reads it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from codecctl.engine.rows import number
from codecctl.engine.runlist import read_json

FILE = "references.json"
"""In a run folder: written once, before the first update."""


@dataclass(frozen=True)
class Reference:
    """A value that does not change while the run trains."""

    metric: str
    """The scalar of the run that it stands beside."""
    name: str
    """Short enough for a chart."""
    value: float
    """In the unit of the metric."""
    detail: str = ""
    """On what it was measured, and how."""


def to_json(references: Sequence[Reference], *, missing: str = "") -> dict[str, object]:
    """For `references.json`.

    Args:
        references: What was measured.
        missing: Why what should be there is not, "" where nothing is missing.
    """
    document = {"schema": 1, "references": [asdict(each) for each in references]}
    return {**document, "missing": missing} if missing else document


def read_references(run: Path) -> tuple[Reference, ...]:
    """The references of a run; none where it has no file of them, without those it misstates."""
    found = read_json(run / FILE).get("references")
    read: list[Reference] = []
    for entry in found if isinstance(found, list) else ():
        value = number(entry.get("value")) if isinstance(entry, dict) else None
        if value is None or not math.isfinite(value):
            continue
        metric, name, detail = (str(entry.get(key, "")) for key in ("metric", "name", "detail"))
        if metric and name:
            read.append(Reference(metric, name, value, detail))
    return tuple(read)


def read_missing(run: Path) -> str:
    """Why a run has fewer references than it should; "" where it does not say so."""
    return str(read_json(run / FILE).get("missing", ""))
