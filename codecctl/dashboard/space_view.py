"""The field around an array, of reference and reconstruction, and a beam that the arrows aim."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Static

from codecctl.dashboard.loaded import Loaded
from codecctl.dashboard.space import (
    BeamLevels,
    Direction,
    Maps,
    aimed,
    beam_levels,
    between_of,
    by_distance,
    is_comparable,
    maps_of,
)
from codecctl.dashboard.space_text import Field, space_lines
from codecctl.dashboard.spectrum_chart import Spectrum, SpectrumChart
from codecctl.dashboard.sphere_map import LEAST_RANGE_DB, MOST_RANGE_DB, SphereMap

_MOST_COLUMNS = 96
_TABLE_LINES = 10
_TEXT_COLUMNS = 78
_LEAST_CHART = 6
_THREE_CHARTS = 90
"""Columns; narrower, there is the first one alone."""
_ERROR_COLOR = 6
_LEAST_THIRD = (24, 5)
"""Columns and lines of a map beside the text."""
_PATIENCE_SECONDS = 0.3
"""What was computed of another item stands that long; steps mostly follow each other sooner."""


_Size = tuple[int, int]
"""Columns and rows of a map."""


class SpaceView(Vertical, can_focus=True):
    """Maps of the sphere, coherence between capsules, and a beam."""

    HELP = """
    ## Space

    Energy by direction (beams between 700 Hz and 7 kHz; front in the middle, left on the left) of
    reference and reconstruction on one scale, and the coherence of all pairs of capsules by
    octave, with the errors of levels and phases between them. The arrows, or a click on a map, aim
    a beam; `p` plays it. Where there is room: the loudest direction by octave, the coherence by
    how far capsules stand apart, and the difference of the maps. Without maps coherence and errors
    are drawn over frequency.
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "left", "aim(1, 0)", "Aim", id="space.left", key_display="←→↑↓", tooltip="The beam"
        ),
        *(
            Binding(
                key,
                f"aim({left}, {up})",
                f"Aim {key}",
                show=False,
                id=f"space.{key}",
                tooltip="The beam",
            )
            for key, left, up in (("right", -1, 0), ("up", 0, 1), ("down", 0, -1))
        ),
        Binding(
            "home", "aim_front", "Front", show=False, id="space.front", tooltip="Aim the beam there"
        ),
    ]

    class Computed(Message):
        """The thread is done."""

        def __init__(
            self, asked: tuple[Loaded, _Size, Direction], field: Field, beam: BeamLevels | None
        ) -> None:
            super().__init__()
            self.loaded, self.map_size, self.direction = asked
            self.field, self.beam = field, beam

    class Aimed(Message):
        """The beam looks elsewhere."""

    def __init__(self) -> None:
        super().__init__(id="space")
        self.direction: Direction = (0.0, 0.0)
        self._loaded: Loaded | None = None
        self._field: Field | None = None
        self._map_size = (0, 0)

    def compose(self) -> ComposeResult:
        """Two maps, a table, and where it is wide enough a third map beside that."""
        with Horizontal(id="maps"):
            yield SphereMap("A reference", id="map-reference")
            yield SphereMap("B reconstruction", id="map-reconstruction")
        with Horizontal(id="below-maps"):
            yield Static(id="space-text", markup=False)
            yield SphereMap("B - A", id="map-difference")
        with Horizontal(id="between-charts"):
            yield SpectrumChart("coherence of A and B", id="chart-coherence")
            yield SpectrumChart("level error, dB", id="chart-levels")
            yield SpectrumChart("phase error, rad", id="chart-phases")

    def on_resize(self) -> None:
        """Compute maps for the new size."""
        if self._loaded is not None:
            self.show(self._loaded, 0)

    def show(self, loaded: Loaded, _channel: int) -> None:
        """Exchange the item."""
        columns = min(_MOST_COLUMNS, (self.size.width - 4) // 2)
        is_wide = self.size.width // 2 > _TEXT_COLUMNS  # room for a third map of the same size
        least = self.size.height // 2 if is_wide else _TABLE_LINES
        lines = min(columns // 4, self.size.height - least - 2)
        size = (columns, 2 * lines)
        if self._loaded is not loaded or self._map_size != size:
            self._field = None
        if self._loaded is not loaded:
            self.set_timer(_PATIENCE_SECONDS, self._show_nothing_old)
        self._loaded, self._map_size = loaded, size
        problem = is_comparable(loaded)
        if problem:
            self._show_maps(None)
            self._show_charts(None, 1)
            self.query_one("#space-text", Static).update(problem)
        else:
            self._compute((loaded, size, self.direction), self._field)

    def _show_nothing_old(self) -> None:
        """Say that this item is not computed yet, in place of what was of another one."""
        if self._field is None and self._loaded is not None and not is_comparable(self._loaded):
            self._show_maps(None)
            self._show_charts(None, 1)
            self.query_one("#space-text", Static).update("computing maps, levels and coherence")

    @work(thread=True, exclusive=True, group="space", description="maps of an item")
    def _compute(self, asked: tuple[Loaded, _Size, Direction], field: Field | None) -> None:
        loaded, (columns, rows), direction = asked
        if field is None:
            enough = columns >= 12 and rows >= 8
            maps = maps_of(loaded, columns=columns, rows=rows) if enough else None
            found = between_of(loaded)
            field = Field(maps, found, by_distance(found, loaded.array))
        self.post_message(self.Computed(asked, field, beam_levels(loaded, direction)))

    @on(Computed)
    def _computed(self, event: Computed) -> None:
        event.stop()
        # What was asked for before another item or another size of the window is late.
        if event.loaded is self._loaded and event.map_size == self._map_size:
            self._field = event.field
            self._show_maps(event.field.maps)
            maps = event.field.maps
            room = self.size.height - (0 if maps is None else _height(maps))
            lines = space_lines(
                event.field, event.beam, event.direction, colors=_colors(maps), room=room
            )
            self.query_one("#space-text", Static).update("\n".join(lines))
            self._show_charts(event.field if maps is None else None, len(lines))

    def _show_maps(self, maps: Maps | None) -> None:
        self.query_one("#maps").display = maps is not None
        self._show_difference(maps)
        if maps is None:
            return
        top_db, range_db = color_scale(maps)
        self.query_one("#maps").styles.height = _height(maps)
        for name, levels in (
            ("#map-reference", maps.reference),
            ("#map-reconstruction", maps.reconstruction),
        ):
            self.query_one(name, SphereMap).show(
                levels, top_db=top_db, range_db=range_db, aim=self.direction
            )

    def _show_charts(self, field: Field | None, text_lines: int) -> None:
        """Curves over frequency below the text, where no map takes the room."""
        charts = self.query_one("#between-charts")
        charts.display = field is not None and self.size.height > text_lines + _LEAST_CHART
        self.query_one("#below-maps").styles.height = text_lines + 1 if charts.display else "1fr"
        if field is None:
            return
        found = field.between
        both = [Spectrum(found.bin_reference, 0, "A"), Spectrum(found.bin_estimate, 1, "B")]
        for name, spectra, top in (
            ("#chart-coherence", both, 1.0),
            ("#chart-levels", [Spectrum(found.bin_levels_db, _ERROR_COLOR)], 1.0),
            ("#chart-phases", [Spectrum(found.bin_phases, _ERROR_COLOR)], math.pi),
        ):
            chart = self.query_one(name, SpectrumChart)
            chart.display = spectra is both or self.size.width >= _THREE_CHARTS
            chart.show(found.frequencies, spectra, top=top)

    def _show_difference(self, maps: Maps | None) -> None:
        """A third map beside the text, where there is room."""
        third = self.query_one("#map-difference", SphereMap)
        third.display = False
        if maps is None:
            return
        width = min(self.size.width // 2, self.size.width - _TEXT_COLUMNS - 1)
        columns = min(maps.reference.shape[1], width - 2)
        lines = min(columns // 4, self.size.height - _height(maps) - 2)
        if columns >= _LEAST_THIRD[0] and lines >= _LEAST_THIRD[1]:
            third.display = True
            third.styles.width = width
            third.show_difference(maps.difference, shape=(2 * lines, columns), aim=self.direction)

    def action_aim(self, left: int, up: int) -> None:
        """Look further left or up, or right or down."""
        self._aim(aimed(self.direction, left=left, up=up))

    def action_aim_front(self) -> None:
        """Look to the front."""
        self._aim((0.0, 0.0))

    @on(SphereMap.Aimed)
    def _map_clicked(self, event: SphereMap.Aimed) -> None:
        event.stop()
        self._aim(event.direction)

    def _aim(self, direction: Direction) -> None:
        self.direction = direction
        if self._field is not None:
            self._show_maps(self._field.maps)
        if self._loaded is not None:
            self.show(self._loaded, 0)
        self.post_message(self.Aimed())


def color_scale(maps: Maps) -> tuple[float, float]:
    """The brightest level of both maps, and how far the colors reach below it, dB."""
    both = np.stack([maps.reference, maps.reconstruction])
    top_db = float(both.max())
    return top_db, min(MOST_RANGE_DB, max(LEAST_RANGE_DB, top_db - float(both.min())))


def _height(maps: Maps) -> int:
    """Lines of a map with its caption and its axis."""
    return len(maps.reference) // 2 + 2


def _colors(maps: Maps | None) -> str:
    """What is said of the maps as a whole."""
    if maps is None:
        return ""
    top_db, range_db = color_scale(maps)
    moved = [each.moved_degrees for each in maps.loudest()][-1]
    which = "" if moved is None else f", which moved {moved:.0f}°"
    return (
        f"map: {maps.mean_error_db:.1f} dB apart near the loudest{which}; "
        f"colors {top_db - range_db:.0f} to {top_db:.0f} dB"
    )
