"""Curves with a moment of each run at 0, and the time of day along x."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from codecctl.dashboard.aligned import aligned
from codecctl.dashboard.axis import XAxis, widen_x
from codecctl.dashboard.curves import Source
from codecctl.dashboard.table import Table
from codecctl.dashboard.ticks import clock_ticks
from codecctl.engine.stages import Stage

NOW = 1_800_000_000.0


def source(seconds_a_step: float) -> Source:
    rows = [
        {
            "step": step,
            "seconds": step * seconds_a_step,
            "audio_seconds": step * 8.0,
            "time": NOW + step * seconds_a_step,
            "loss/mel": float(step),
        }
        for step in range(0, 100, 10)
    ]
    stages = (Stage("first", 0, 40), Stage("second", 40, 100, 1))
    return Source(Table().add(rows), Table(), 20.0, 0, stages=stages)


@pytest.mark.parametrize(
    ("axis", "at"),
    [(XAxis.STEP, 45.0), (XAxis.EPOCH, 2.25), (XAxis.TIME, 22.5), (XAxis.AUDIO, 360.0)],
)
def test_the_chosen_step_is_at_zero_on_every_axis_and_distances_stay(
    axis: XAxis, at: float
) -> None:
    before, after = source(0.5), aligned(source(0.5), 45)
    x, values = before.train.series("loss/mel", axis, steps_per_epoch=20.0)
    moved, same = after.train.series("loss/mel", axis, steps_per_epoch=20.0)
    assert moved == pytest.approx(x - at)
    assert np.array_equal(values, same)


def test_stages_move_along_and_the_clock_does_not() -> None:
    after = aligned(source(0.5), 45)
    assert [(stage.first_step, stage.end_step) for stage in after.stages] == [(-45, -5), (-5, 55)]
    x, _ = after.train.series("loss/mel", XAxis.CLOCK, steps_per_epoch=0.0)
    assert x[0] == NOW


def test_two_minutes_of_unix_time_are_a_range_of_two_minutes() -> None:
    assert widen_x(NOW, NOW + 120, axis=XAxis.CLOCK) == (NOW, NOW + 120)
    assert widen_x(NOW, NOW, axis=XAxis.CLOCK) == (NOW - 30, NOW + 30)


@pytest.mark.parametrize("span", [7.0, 100.0, 4_000.0, 90_000.0, 3e6])
def test_marks_of_the_clock_are_round_local_times_within_the_axis(span: float) -> None:
    ticks = clock_ticks(NOW, NOW + span, count=6)
    assert 2 <= len(ticks) <= 6
    steps = np.diff([tick.value for tick in ticks])
    assert np.all(steps == steps[0])
    for tick in ticks:
        assert NOW <= tick.value <= NOW + span
        local = time.localtime(tick.value)
        patterns = ("%H:%M:%S", "%H:%M", "%b %d")
        assert tick.label in [time.strftime(pattern, local) for pattern in patterns]
        assert steps[0] < 60 or local.tm_sec == 0
    assert clock_ticks(NOW, math.inf, count=6) == []
