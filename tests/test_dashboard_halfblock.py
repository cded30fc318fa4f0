"""Pictures in half-blocks and in shades."""

from __future__ import annotations

import numpy as np

from codecctl.dashboard.halfblock import (
    NUM_LEVELS,
    color_rows,
    quantize,
    shade_rows,
    waveform_rows,
)


def test_levels_are_clipped_at_both_ends() -> None:
    picture = np.array([[-90.0, -70.0, -35.0, 0.0, 6.0]])
    top = NUM_LEVELS - 1
    assert quantize(picture, low=-70.0, high=0.0).tolist() == [[0, 0, round(top / 2), top, top]]


def test_two_pixels_share_a_character_as_foreground_and_background() -> None:
    levels = np.array([[0, 0, 23], [23, 23, 23]])
    (line,) = color_rows(levels)
    assert [segment.text for segment in line] == ["▀▀", "▀"]
    first, second = (segment.style for segment in line)
    assert first is not None
    assert second is not None
    assert first.color != first.bgcolor
    assert second.color == second.bgcolor == first.bgcolor


def test_a_louder_pixel_is_a_lighter_color() -> None:
    (line,) = color_rows(np.vstack([np.arange(NUM_LEVELS)] * 2))
    lightness = []
    for segment in line:
        assert segment.style is not None
        assert segment.style.color is not None
        red, green, blue = segment.style.color.get_truecolor()
        lightness.append(0.21 * red + 0.72 * green + 0.07 * blue)
    assert lightness == sorted(lightness)
    assert len(set(lightness)) == NUM_LEVELS


def test_without_color_the_louder_pixel_of_two_sets_the_shade() -> None:
    top = NUM_LEVELS - 1
    assert shade_rows(np.array([[0, 0, 0], [0, top // 2, top]])) == [" ▒█"]


def test_a_waveform_fills_from_its_lowest_to_its_highest_sample() -> None:
    low = np.array([-1.0, 0.0, 1.0, -1.0])
    high = np.array([1.0, 1.0, 1.0, -1.0])
    rows = waveform_rows(low, high, height=2, full_scale=1.0)
    assert rows == ["██▀ ", "█▀ ▄"]


def test_silence_is_a_line_in_the_middle() -> None:
    rows = waveform_rows(np.zeros(3), np.zeros(3), height=2, full_scale=1.0)
    assert [row.strip() for row in rows].count("") == 1
    assert {len(row) for row in rows} == {3}
