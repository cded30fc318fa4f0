"""The numbers beside the maps of the sphere, against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from codecctl.dashboard.space import (
    BeamLevels,
    Loudest,
    Maps,
    by_distance,
    mean_over_sphere,
)
from codecctl.dashboard.space_text import Field, space_lines
from codecctl.dashboard.sphere_map import map_axis
from codecctl.datasets.between import Between
from codecctl.datasets.directions import FLOOR_DB, DirectionMaps
from codecctl.datasets.geometry import capsule_angles

CENTERS = (63.0, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)
BEAM = BeamLevels(-37.9, -47.4, CENTERS, (-50.0,) * 8, (-60.5,) * 8)


def made_between(pair_error: np.ndarray) -> Between:
    """Every octave alike."""
    each = np.linspace(0.1, 0.8, len(CENTERS))
    return Between(
        centers=CENTERS,
        reference=each,
        estimate=each,
        error=each,
        levels_db=each,
        phases=each,
        frequencies=np.linspace(100.0, 11_900.0, 60),
        bin_reference=np.ones(60),
        bin_estimate=np.ones(60),
        bin_levels_db=np.zeros(60),
        bin_phases=np.zeros(60),
        pair_reference=np.ones_like(pair_error),
        pair_estimate=1 - pair_error,
        pair_error=pair_error,
        coherence_error=float(pair_error.mean()),
        level_error_db=1.25,
        phase_error=0.5,
    )


def map_with_peak(row: int, column: int, *, level: float = -10.0) -> np.ndarray:
    """4 x 8 directions: azimuths 157.5, 112.5 ... -157.5, elevations 67.5, 22.5, -22.5, -67.5."""
    levels = np.full((4, 8), FLOOR_DB)
    levels[row, column] = level
    return levels


def made_maps() -> Maps:
    """One octave and all: the octave moves by 90 degrees of azimuth, all stay."""
    reference = DirectionMaps(map_with_peak(1, 0), (1000.0,), map_with_peak(1, 1)[None])
    moved = DirectionMaps(map_with_peak(1, 0), (1000.0,), map_with_peak(1, 3)[None])
    return Maps((reference, moved))


def test_capsules_of_an_em32_have_five_distances() -> None:
    angles = capsule_angles()[np.triu_indices(32, 1)]
    between = made_between(np.where(angles < 45, 0.5, np.where(angles > 170, 0.25, 0.0)))
    apart = by_distance(between, "em32")
    edges = [(round(each.nearest), round(each.farthest)) for each in apart]
    assert edges == [(37, 42), (63, 80), (100, 117), (138, 143), (179, 180)]
    assert [each.error for each in apart] == pytest.approx([0.5, 0, 0, 0, 0.25])
    assert [each.reconstruction for each in apart] == pytest.approx([0.5, 1, 1, 1, 0.75])
    pairs = np.array([90, 150, 150, 90, 16])  # of 496
    mean = float(pairs @ [each.error for each in apart]) / 496
    assert mean == pytest.approx(between.coherence_error)
    assert by_distance(between, "ambisonic4") == ()
    assert by_distance(made_between(np.zeros(1)), "em32") == ()


def test_the_loudest_direction_of_each_octave_and_how_far_it_moved() -> None:
    octave, whole = made_maps().loudest()
    assert octave.center == 1000
    assert octave.reference == pytest.approx((112.5, 22.5))
    assert octave.reconstruction == pytest.approx((22.5, 22.5))
    # cos = sin(22.5)^2 + cos(22.5)^2 cos(90)
    assert octave.moved_degrees == pytest.approx(np.degrees(np.arccos(np.sin(np.pi / 8) ** 2)))
    assert whole.center is None
    assert whole.moved_degrees == pytest.approx(0, abs=1e-4)
    assert Loudest(None, (90.0, 0.0), (0.0, 0.0)).moved_degrees == pytest.approx(90)
    assert Loudest(None, (90.0, 0.0), None).moved_degrees is None


def test_silence_is_loudest_nowhere() -> None:
    silent = DirectionMaps(np.full((4, 8), FLOOR_DB), (), np.empty((0, 4, 8)))
    sounding = DirectionMaps(map_with_peak(0, 0), (), np.empty((0, 4, 8)))
    (whole,) = Maps((sounding, silent)).loudest()
    assert whole.reconstruction is None
    field = Field(Maps((sounding, silent)), made_between(np.zeros(496)), ())
    lines = space_lines(field, BEAM, (0.0, 0.0), colors="map", room=40)
    assert next(line for line in lines if line.startswith("direction B")).split()[-1] == "silent"
    assert next(line for line in lines if line.startswith("apart")).split()[-1] == "-"


def test_a_mean_over_the_sphere_weighs_rows_by_their_area() -> None:
    values = np.repeat([[0.0], [1.0], [0.0], [0.0]], 8, axis=1)
    high, low = np.cos(np.radians(67.5)), np.cos(np.radians(22.5))
    assert mean_over_sphere(values) == pytest.approx(low / (2 * high + 2 * low))
    assert mean_over_sphere(values, where=values > 0) == pytest.approx(1)


def test_as_many_numbers_as_fit_stand_below_the_maps() -> None:
    between = made_between(np.zeros(496))
    field = Field(made_maps(), between, by_distance(between, "em32"))
    needed = {"map": 0, "octave": 0, "beam A dB": 0, "level error": 11, "direction A": 15}
    needed["179-180°"] = 19
    for room in range(9, 30):
        lines = space_lines(field, BEAM, (-170.0, -70.0), colors="map: colors", room=room)
        assert len(lines) <= room
        assert max(map(len, lines)) <= 78
        for word, least in needed.items():
            assert any(word in line for line in lines) == (room >= least), (word, room)
        assert lines[-1]
    assert lines[:3] == ["", "map: colors", ""]
    assert lines.count("") == 5


def test_octaves_and_directions_stand_in_columns() -> None:
    between = made_between(np.full(496, 0.125))
    field = Field(made_maps(), between, by_distance(between, "em32"))
    lines = space_lines(field, BEAM, (0.0, 0.0), colors="map", room=40)
    rows = {line[:12].strip(): line[12:].split() for line in lines}
    assert rows["octave"] == ["63", "125", "250", "500", "1k", "2k", "4k", "8k"]
    assert rows["level error"] == [f"{value / 10:.2f}" for value in range(1, 9)]
    assert rows["loudest"] == ["1k", "all"]
    assert rows["direction A"] == ["112°,", "22°", "158°,", "22°"]
    assert rows["apart"] == ["82°", "0°"]
    assert rows["error"] == ["0.12"] * 5  # the last row of this name: by distance
    assert "errors between capsules: coherence 0.125, level 1.25 dB, phase 0.500 rad" in lines
    assert "beam to azimuth 0°, elevation 0° (front): A -37.9, B -47.4 dB (-9.5)" in lines


def test_words_below_a_narrow_map_do_not_touch() -> None:
    assert map_axis(37).split() == ["back", "left", "front", "right", "back"]
    for columns in range(12, 60):
        assert set(map_axis(columns).split()) <= {"back", "left", "front", "right"}
