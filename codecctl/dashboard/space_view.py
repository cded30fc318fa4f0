"""The field around an array, of reference and reconstruction, and a beam that the arrows aim."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
    direction_text,
    is_comparable,
    maps_of,
)
from codecctl.dashboard.sphere_map import LEAST_RANGE_DB, MOST_RANGE_DB, SphereMap
from codecctl.datasets.between import Between

_MOST_COLUMNS = 96
_TABLE_LINES = 10
_CELL = 7


@dataclass(frozen=True)
class _Field:
    """What was computed of an item, for maps of one size."""

    maps: Maps | None
    between: Between


class SpaceView(Vertical, can_focus=True):
    """Maps of the sphere, coherence between capsules, and a beam."""

    HELP = """
    ## Space

    Energy by direction (beams between 700 Hz and 7 kHz; front in the middle, left on the left) of
    reference and reconstruction on one scale, and the coherence of all pairs of capsules by
    octave. The arrows, or a click on a map, aim a beam; `p` plays it.
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

        def __init__(self, loaded: Loaded, field: _Field, beam: BeamLevels | None) -> None:
            super().__init__()
            self.loaded, self.field, self.beam = loaded, field, beam

    class Aimed(Message):
        """The beam looks elsewhere."""

    def __init__(self) -> None:
        super().__init__(id="space")
        self.direction: Direction = (0.0, 0.0)
        self._loaded: Loaded | None = None
        self._field: _Field | None = None
        self._map_size = (0, 0)

    def compose(self) -> ComposeResult:
        """Two maps and a table."""
        with Horizontal(id="maps"):
            yield SphereMap("A reference", id="map-reference")
            yield SphereMap("B reconstruction", id="map-reconstruction")
        yield Static(id="space-text", markup=False)

    def on_resize(self) -> None:
        """Compute maps for the new size."""
        if self._loaded is not None:
            self.show(self._loaded, 0)

    def show(self, loaded: Loaded, _channel: int) -> None:
        """Exchange the item."""
        columns = min(_MOST_COLUMNS, (self.size.width - 4) // 2)
        lines = min(columns // 4, self.size.height - _TABLE_LINES - 2)
        size = (columns, 2 * lines)
        if self._loaded is not loaded or self._map_size != size:
            self._field = None
        self._loaded, self._map_size = loaded, size
        problem = is_comparable(loaded)
        if problem:
            self._show_maps(None)
            self.query_one("#space-text", Static).update(problem)
        else:
            self._compute(loaded, self.direction, self._field)

    @work(thread=True, exclusive=True, group="space")
    def _compute(self, loaded: Loaded, direction: Direction, field: _Field | None) -> None:
        columns, rows = self._map_size
        if field is None:
            enough = columns >= 12 and rows >= 8
            maps = maps_of(loaded, columns=columns, rows=rows) if enough else None
            field = _Field(maps, between_of(loaded))
        self.post_message(self.Computed(loaded, field, beam_levels(loaded, direction)))

    @on(Computed)
    def _computed(self, event: Computed) -> None:
        event.stop()
        if event.loaded is self._loaded:
            self._field = event.field
            self._show_maps(event.field.maps)
            blocks = _blocks(event.field, event.beam, self.direction)
            rows = 0 if event.field.maps is None else _height(event.field.maps)
            room = self.size.height - rows - sum(map(len, blocks))
            gap = "\n\n" if room >= len(blocks) else "\n"
            if rows and gap == "\n\n":
                blocks[0].insert(0, "")  # below the axis of the maps
            text = gap.join("\n".join(block) for block in blocks)
            self.query_one("#space-text", Static).update(text)

    def _show_maps(self, maps: Maps | None) -> None:
        self.query_one("#maps").display = maps is not None
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


def _blocks(field: _Field, beam: BeamLevels | None, direction: Direction) -> list[list[str]]:
    """What is said below the maps, in lines that belong together."""
    blocks = [_coherence_lines(field.between)]
    if beam is not None:
        blocks.append(list(_beam_lines(beam, field.between.centers, direction)))
    if field.maps is not None:
        top_db, range_db = color_scale(field.maps)
        blocks.append(
            [
                f"map: {field.maps.mean_error_db:.1f} dB apart near the loudest, which moved "
                f"{field.maps.moved_degrees:.0f}°; colors {top_db - range_db:.0f} to "
                f"{top_db:.0f} dB"
            ]
        )
    elif beam is None:
        blocks.append(["no map and no beam: the channels are no em32 or ambisonics"])
    return blocks


def _coherence_lines(between: Between) -> list[str]:
    return [
        _row("octave", [_hertz(center) for center in between.centers]),
        _row("coherence A", [f"{value:.2f}" for value in between.reference]),
        _row("coherence B", [f"{value:.2f}" for value in between.estimate]),
        _row("error", [f"{value:.2f}" for value in between.error]),
        f"between capsules: coherence error {between.coherence_error:.3f}, "
        f"level error {between.level_error_db:.2f} dB",
    ]


def _beam_lines(beam: BeamLevels, centers: Sequence[float], direction: Direction) -> Iterator[str]:
    shown = [beam.centers.index(center) for center in centers]
    yield (
        f"beam to {direction_text(direction)}: A {beam.reference:.1f} dB, "
        f"B {beam.reconstruction:.1f} dB ({beam.reconstruction - beam.reference:+.1f})"
    )
    yield _row("beam A dB", [f"{beam.reference_bands[i]:.1f}" for i in shown])
    yield _row("beam B dB", [f"{beam.reconstruction_bands[i]:.1f}" for i in shown])


def _row(name: str, cells: Sequence[str]) -> str:
    return f"{name:12}" + "".join(cell.rjust(_CELL) for cell in cells)


def _hertz(value: float) -> str:
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"
