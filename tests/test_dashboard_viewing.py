"""Zoom, pan and the cycles of axis and smoothing."""

from __future__ import annotations

from codecctl.dashboard.axis import XAxis
from codecctl.dashboard.plot import View
from codecctl.dashboard.smoothing import LEVELS
from codecctl.dashboard.viewing import panned, with_next_axis, with_next_smoothing, zoomed

ALL = (0.0, 100.0)


def test_zooming_keeps_the_crosshair_in_its_place() -> None:
    view = zoomed(View(cursor=25.0), 0.5, extent=ALL)
    assert view.window == (12.5, 62.5)
    assert (25.0 - 12.5) / 50.0 == 0.25  # a quarter from the left, as before


def test_zooming_without_a_crosshair_is_around_the_middle() -> None:
    assert zoomed(View(), 0.5, extent=ALL).window == (25.0, 75.0)


def test_zooming_out_ends_at_the_whole() -> None:
    assert zoomed(View(window=(20.0, 80.0)), 2.0, extent=ALL).window is None


def test_zooming_in_ends_before_the_numbers_do() -> None:
    view = View()
    for _ in range(200):
        view = zoomed(view, 0.5, extent=ALL)
    assert view.window is not None
    assert view.window[1] - view.window[0] > 1e-5


def test_panning_stops_at_the_ends_of_the_data() -> None:
    view = View(window=(10.0, 30.0))
    assert panned(view, 0.5, extent=ALL).window == (20.0, 40.0)
    assert panned(view, -2.0, extent=ALL).window == (0.0, 20.0)
    assert panned(view, 99.0, extent=ALL).window == (80.0, 100.0)
    assert panned(View(), 0.5, extent=ALL).window is None


def test_axes_go_round_and_drop_a_zoom_in_the_old_unit() -> None:
    view = View(window=(1.0, 2.0), cursor=1.5)
    seen = []
    for _ in XAxis:
        view = with_next_axis(view)
        seen.append(view.axis)
        assert (view.window, view.cursor) == (None, None)
    assert seen == [XAxis.EPOCH, XAxis.TIME, XAxis.AUDIO, XAxis.CLOCK, XAxis.STEP]


def test_smoothing_goes_round_through_every_level() -> None:
    view = View(smoothing=LEVELS[0])
    seen = []
    for _ in LEVELS:
        view = with_next_smoothing(view)
        seen.append(view.smoothing)
    assert seen == [*LEVELS[1:], LEVELS[0]]
