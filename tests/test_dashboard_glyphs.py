"""Characters as shapes."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from codecctl.dashboard.glyphs import HEIGHT, Points, is_box, shape


def area(points: Points) -> float:
    """By Gauss."""
    turns = zip(points, (*points[1:], points[0]), strict=True)
    return abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in turns)) / 2


def covered(character: str) -> float:
    """Share of the cell, where no two polygons overlap."""
    found = shape(character)
    assert found is not None, character
    return found.opacity * sum(area(points) for points in found.polygons) / HEIGHT


@pytest.mark.parametrize("eighths", range(1, 9))
def test_blocks_fill_the_eighths_that_their_names_say(eighths: int) -> None:
    assert covered(chr(0x2580 + eighths)) == pytest.approx(eighths / 8)  # from below
    assert covered(chr(0x2590 - eighths)) == pytest.approx(eighths / 8)  # from the left


def test_halves_quarters_and_shades_fill_their_parts() -> None:
    assert [covered(each) for each in "▀▌▐▔▕"] == [0.5, 0.5, 0.5, 0.125, 0.125]
    assert [covered(each) for each in "▖▗▘▝▚▞"] == [0.25] * 4 + [0.5] * 2
    assert [covered(each) for each in "▙▛▜▟"] == [0.75] * 4
    assert [covered(each) for each in "░▒▓█"] == [0.25, 0.5, 0.75, 1.0]
    lower_left = shape("▖")
    assert lower_left is not None and lower_left.polygons[0][0] == (0, 1)


def test_braille_has_the_dots_of_its_name_where_they_belong() -> None:
    columns, rows = (0, 0, 0, 1, 1, 1, 0, 1), (0, 1, 2, 0, 1, 2, 3, 3)
    for code in range(0x2801, 0x2900):
        found = shape(chr(code))
        assert found is not None
        middles = {
            ((points[0][0] + points[2][0]) / 2, (points[0][1] + points[2][1]) / 2)
            for points in found.polygons
        }
        named = unicodedata.name(chr(code)).rpartition("-")[2]
        wanted = {(0.25 + columns[int(n) - 1] / 2, 0.25 + rows[int(n) - 1] / 2) for n in named}
        assert {(round(x, 9), round(y, 9)) for x, y in middles} == wanted


def test_frames_reach_the_edges_where_they_have_arms() -> None:
    edges = {"─": "lr", "│": "tb", "┌": "rb", "┐": "lb", "└": "rt", "┘": "lt", "┼": "lrtb"}
    for character, arms in {**edges, "┤": "ltb", "╸": "l", "╺": "r", "╵": "t"}.items():
        found = shape(character)
        assert found is not None
        corners = [corner for points in found.polygons for corner in points]
        reached = {
            "l": min(x for x, _ in corners) == 0,
            "r": max(x for x, _ in corners) == 1,
            "t": min(y for _, y in corners) == 0,
            "b": max(y for _, y in corners) == HEIGHT,
        }
        assert "".join(side for side in "lrtb" if reached[side]) == arms, character


def test_everything_stays_in_its_cell_and_boxes_are_told_from_others() -> None:
    for character in map(chr, range(0x2190, 0x2900)):
        found = shape(character)
        for points in found.polygons if found else ():
            assert all(-0.1 <= x <= 1.1 and 0 <= y <= HEIGHT for x, y in points), character
    triangle, full = shape("▶"), shape("█")
    assert triangle is not None and not is_box(triangle.polygons[0])
    assert full is not None and is_box(full.polygons[0])
    assert shape("a") is None


def test_signs_of_the_dashboard_that_few_fonts_have_are_shapes() -> None:
    folder = Path(__file__).resolve().parents[1] / "codecctl" / "dashboard"
    used = {sign for path in folder.glob("*.py") for sign in path.read_text("utf-8")}
    technical = {sign for sign in used if 0x2190 <= ord(sign) < 0x2900}
    assert technical > set("●✓✗▶⏎┊╌─█▀")
    assert {sign for sign in technical if shape(sign) is None} == set()
