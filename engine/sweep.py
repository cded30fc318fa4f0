"""The file of a sweep: its command line and the runs that it consists of; needs no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from codecctl.engine.files import write_json_atomically
from codecctl.engine.rows import number
from codecctl.engine.runlist import LARGER_IS_BETTER, read_json, read_metrics
from codecctl.errors import CodecctlError

SUFFIX = ".sweep.json"
_SCHEMA = 1


@dataclass(frozen=True)
class Member:
    """One run of a sweep."""

    run: str
    """Name of its folder."""
    overrides: tuple[str, ...]
    values: tuple[str, ...]


@dataclass(frozen=True)
class Sweep:
    """Every combination of some values."""

    name: str
    profile: str
    shared: tuple[str, ...]
    """Overrides of all runs."""
    keys: tuple[str, ...]
    """Which differ."""
    members: tuple[Member, ...]

    def write(self, runs: Path) -> None:
        """Write the file, whole or not at all.

        Raises:
            OSError: The folder cannot be written.
        """
        runs.mkdir(parents=True, exist_ok=True)
        write_json_atomically(
            sweep_file(runs, self.name),
            {
                "schema": _SCHEMA,
                "name": self.name,
                "profile": self.profile,
                "shared": list(self.shared),
                "keys": list(self.keys),
                "runs": [
                    {"run": each.run, "overrides": each.overrides, "values": each.values}
                    for each in self.members
                ],
            },
        )


def sweep_file(runs: Path, name: str) -> Path:
    """Where a sweep of this name is described, beside its runs."""
    return runs / f"{name}{SUFFIX}"


def read_sweep(runs: Path, name: str) -> Sweep:
    """The sweep that a file describes.

    Raises:
        CodecctlError: It is of another version or damaged.
    """
    path = sweep_file(runs, name)
    stored = read_json(path)
    members = stored.get("runs")
    if stored.get("schema") != _SCHEMA or not isinstance(members, list):
        raise CodecctlError(
            f"{path}: found no sweep of schema {_SCHEMA}, needed one; start another with --run NAME"
        )
    return Sweep(
        name=name,
        profile=str(stored.get("profile", "")),
        shared=_texts(stored.get("shared")),
        keys=_texts(stored.get("keys")),
        members=tuple(
            Member(str(each["run"]), _texts(each.get("overrides")), _texts(each.get("values")))
            for each in members
            if isinstance(each, dict) and "run" in each
        ),
    )


def newest_sweep(runs: Path, profile: str) -> str | None:
    """The name of the sweep of a profile that was written last; None where there is none."""
    files = sorted(runs.glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files:
        if read_json(path).get("profile") == profile:
            return path.name.removesuffix(SUFFIX)
    return None


def best_value(run: Path, metric: str) -> float | None:
    """The best value of a validation scalar that a run has reached after its first update."""
    rows = (row for row in read_metrics(run, "val") if number(row.get("step")))
    found = (number(row.get(metric)) for row in rows)
    values = [value for value in found if value is not None and math.isfinite(value)]
    if not values:
        return None
    return max(values) if metric in LARGER_IS_BETTER else min(values)


def ranked(found: Sequence[tuple[Member, float | None]], metric: str) -> list[int]:
    """Positions from the best to the worst value; those without one come last."""
    sign = -1 if metric in LARGER_IS_BETTER else 1
    return sorted(
        range(len(found)),
        key=lambda at: (found[at][1] is None, sign * (found[at][1] or 0.0), at),
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, list) else ()
