"""Curves of several runs moved along x, so that one moment of each is at 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum

import numpy as np

from codecctl.dashboard.curves import Source
from codecctl.dashboard.table import Table


class Alignment(str, Enum):
    """What lies at the same x in all runs."""

    START = "start"
    BEST = "best checkpoint"
    CHOSEN = "marked checkpoint"


def aligned(source: Source, step: int) -> Source:
    """The run with a step of it at 0: steps, epochs, seconds of training and of audio heard.

    The time of day stays what it is.

    Args:
        source: The run.
        step: Of it; between two rows the places are interpolated.
    """
    origin = _places(source.train if source.train.num_rows else source.validation, step)
    return replace(
        source,
        train=_moved(source.train, origin),
        validation=_moved(source.validation, origin),
        stages=tuple(
            replace(stage, first_step=stage.first_step - step, end_step=stage.end_step - step)
            for stage in source.stages
        ),
    )


def _places(table: Table, step: int) -> dict[str, float]:
    """What every axis counts at a step."""
    found = {"step": float(step)}
    if not table.num_rows:
        return found
    steps = table.places["step"]
    for name, values in table.places.items():
        known = np.isfinite(values)
        if name not in ("step", "time") and known.any():
            found[name] = float(np.interp(step, steps[known], values[known]))
    return found


def _moved(table: Table, origin: Mapping[str, float]) -> Table:
    places = {name: values - origin.get(name, 0.0) for name, values in table.places.items()}
    return Table(table.key, places, table.columns)
