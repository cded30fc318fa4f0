"""Ways to change how charts are looked at: axis, smoothing, zoom, pan; functions of the view."""

from __future__ import annotations

from dataclasses import replace

from codecctl.dashboard.axis import XAxis
from codecctl.dashboard.plot import View
from codecctl.dashboard.smoothing import LEVELS

Extent = tuple[float, float]
_SMALLEST_SHARE = 1e-6


def with_next_axis(view: View) -> View:
    """The next thing to count; zoom and crosshair belong to the old one and go."""
    axes = list(XAxis)
    axis = axes[(axes.index(view.axis) + 1) % len(axes)]
    return with_axis(view, axis)


def with_axis(view: View, axis: XAxis) -> View:
    """Count something else along x."""
    return replace(view, axis=axis, window=None, cursor=None)


def with_next_smoothing(view: View) -> View:
    """The next stronger smoothing, none after the strongest."""
    stronger = [level for level in LEVELS if level > view.smoothing]
    return replace(view, smoothing=stronger[0] if stronger else LEVELS[0])


def zoomed(view: View, factor: float, *, extent: Extent, around: float | None = None) -> View:
    """Show less (factor below 1) or more; the whole extent is no zoom.

    Args:
        view: What is shown now.
        factor: Of the width that is shown.
        extent: First and last x of the data.
        around: x that stays in place; by default the crosshair, else the middle.
    """
    low, high = view.window or extent
    center = view.cursor if around is None else around
    if center is None or not low <= center <= high:
        center = (low + high) / 2
    if factor < 1 and (high - low) * factor < _SMALLEST_SHARE * (extent[1] - extent[0]):
        return view
    return _within(
        view, center - (center - low) * factor, center + (high - center) * factor, extent
    )


def panned(view: View, share: float, *, extent: Extent) -> View:
    """Move what is shown by a share of its width, not beyond the data."""
    if view.window is None:
        return view
    low, high = view.window
    shift = share * (high - low)
    shift = min(max(shift, extent[0] - low), extent[1] - high)
    return replace(view, window=(low + shift, high + shift))


def _within(view: View, low: float, high: float, extent: Extent) -> View:
    low, high = max(low, extent[0]), min(high, extent[1])
    return replace(view, window=None if (low, high) == extent else (low, high))
