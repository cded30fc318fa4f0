"""The numbers beside the maps of the sphere: as many blocks of lines as there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codecctl.dashboard.space import (
    Apart,
    BeamLevels,
    Direction,
    Loudest,
    Maps,
    direction_text,
)
from codecctl.datasets.between import Between

_NAME, _CELL, _WIDE_CELL = 12, 7, 14
_SILENT = "silent"


@dataclass(frozen=True)
class Field:
    """What was computed of an item, for maps of one size."""

    maps: Maps | None
    between: Between
    apart: tuple[Apart, ...]
    """Coherence by distance, where the places of the capsules are known."""


def space_lines(
    field: Field, beam: BeamLevels | None, direction: Direction, *, colors: str, room: int
) -> list[str]:
    """The blocks that fit, an empty line between them where there is room for all of these.

    Args:
        field: Of the item.
        beam: Levels of the beam; None where none can be formed.
        direction: Where it looks.
        colors: What the colors of the maps mean, "" without maps.
        room: Lines; those that are always there may be more.
    """
    between = field.between
    blocks = [_between_lines(between, with_errors=False)]
    if beam is not None:
        blocks.append(_beam_lines(beam, between.centers, direction))
    if colors:
        blocks.insert(0, [colors])
    elif beam is None:
        blocks.append(["no map and no beam: the channels are no em32 or ambisonics"])
    whole = _between_lines(between, with_errors=True)
    if _length(blocks) + len(whole) - len(blocks[bool(colors)]) <= room:
        blocks[bool(colors)] = whole
    more = [] if field.maps is None else [_loudest_lines(tuple(field.maps.loudest()))]
    more += [_apart_lines(field.apart)] if field.apart else []
    for block in more:
        if _length(blocks) + len(block) <= room:
            blocks.append(block)
    spare = room - _length(blocks) - (len(blocks) - 1)
    if spare > 0 and colors:
        blocks[0].insert(0, "")  # below the axis of the maps
    for block in blocks[: -1 if spare >= 0 else 0]:
        block.append("")
    return [line for block in blocks for line in block]


def _length(blocks: Sequence[Sequence[str]]) -> int:
    return sum(map(len, blocks))


def _between_lines(between: Between, *, with_errors: bool) -> list[str]:
    lines = [
        _row("octave", [_hertz(center) for center in between.centers]),
        _row("coherence A", [f"{value:.2f}" for value in between.reference]),
        _row("coherence B", [f"{value:.2f}" for value in between.estimate]),
        _row("error", [f"{value:.2f}" for value in between.error]),
    ]
    if with_errors:
        lines.append(_row("level error", [f"{value:.2f}" for value in between.levels_db]))
        lines.append(_row("phase error", [f"{value:.2f}" for value in between.phases]))
    errors = (
        f"errors between capsules: coherence {between.coherence_error:.3f}, "
        f"level {between.level_error_db:.2f} dB, phase {between.phase_error:.3f} rad"
    )
    return [*lines, errors]


def _beam_lines(beam: BeamLevels, centers: Sequence[float], direction: Direction) -> list[str]:
    shown = [beam.centers.index(center) for center in centers]
    return [
        f"beam to {direction_text(direction)}: A {beam.reference:.1f}, "
        f"B {beam.reconstruction:.1f} dB ({beam.reconstruction - beam.reference:+.1f})",
        _row("beam A dB", [f"{beam.reference_bands[i]:.1f}" for i in shown]),
        _row("beam B dB", [f"{beam.reconstruction_bands[i]:.1f}" for i in shown]),
    ]


def _loudest_lines(loudest: Sequence[Loudest]) -> list[str]:
    """Where both sides are loudest, in columns of octaves."""
    names = ["all" if each.center is None else _hertz(each.center) for each in loudest]
    moved = (each.moved_degrees for each in loudest)
    return [
        _row("loudest", names, cell=_WIDE_CELL),
        _row("direction A", [_direction(each.reference) for each in loudest], cell=_WIDE_CELL),
        _row("direction B", [_direction(each.reconstruction) for each in loudest], cell=_WIDE_CELL),
        _row(
            "apart", ["-" if angle is None else f"{angle:.0f}°" for angle in moved], cell=_WIDE_CELL
        ),
    ]


def _apart_lines(apart: Sequence[Apart]) -> list[str]:
    """Coherence in columns of distances, over all octaves."""
    names = [f"{each.nearest:.0f}-{each.farthest:.0f}°" for each in apart]
    return [
        _row("capsules", names, cell=_WIDE_CELL - 2),
        _row("coherence A", [f"{each.reference:.2f}" for each in apart], cell=_WIDE_CELL - 2),
        _row("coherence B", [f"{each.reconstruction:.2f}" for each in apart], cell=_WIDE_CELL - 2),
        _row("error", [f"{each.error:.2f}" for each in apart], cell=_WIDE_CELL - 2),
    ]


def _direction(direction: Direction | None) -> str:
    return _SILENT if direction is None else f"{direction[0]:.0f}°, {direction[1]:.0f}°"


def _row(name: str, cells: Sequence[str], *, cell: int = _CELL) -> str:
    return f"{name:{_NAME}}" + "".join(text.rjust(cell) for text in cells)


def _hertz(value: float) -> str:
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"
