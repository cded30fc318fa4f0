"""Neighbours and opposites of the em32, by its table."""

from __future__ import annotations

import numpy as np
import pytest

from codecctl.datasets.geometry import (
    ADJACENT_DEGREES,
    GEOMETRIES,
    adjacent_capsules,
    capsule_angles,
    opposite_capsules,
    opposites,
    unknown_array,
)

MANY = 20_000


def keys(rows: int = MANY) -> np.ndarray:
    return np.random.default_rng(0).random((rows, 32))


def neighbours(capsule: int) -> set[int]:
    angles = capsule_angles()[capsule]
    return set(np.flatnonzero((angles < ADJACENT_DEGREES) & (angles > 0)).tolist())


def test_angles_are_those_of_the_published_table() -> None:
    angles = capsule_angles()
    # Capsules 1 (69, 0) and 3 (111, 0) stand above each other, 5 (32, 0) is 37 degrees over 1.
    assert (angles[0, 2], angles[0, 4], angles[0, 18]) == (42, 37, 180)
    assert np.array_equal(angles, angles.T)
    assert not angles.diagonal().any()


def test_faces_of_a_truncated_icosahedron_have_five_or_six_neighbours() -> None:
    counts = [len(neighbours(capsule)) for capsule in range(32)]
    assert sorted(counts) == [5] * 12 + [6] * 20
    beyond = capsule_angles()[capsule_angles() > ADJACENT_DEGREES]
    assert beyond.min() > 62


def test_opposites_are_sixteen_pairs_across_the_sphere() -> None:
    across = opposites()
    assert across[across].tolist() == list(range(32))
    assert (capsule_angles()[np.arange(32), across] >= 179).all()
    assert across[0] == 18  # capsule 1 looks to the front, slightly up; 19 to the back, down


def test_an_adjacent_pair_is_a_uniform_capsule_and_a_uniform_neighbour() -> None:
    pairs = adjacent_capsules(keys(), 2)
    firsts = np.bincount(pairs[:, 0], minlength=32) / MANY
    assert np.abs(firsts - 1 / 32).max() < 5 * np.sqrt(1 / 32 / MANY)
    assert all(second in neighbours(first) for first, second in pairs.tolist())
    of_one = pairs[pairs[:, 0] == 7, 1]
    shares = np.bincount(of_one, minlength=32)[sorted(neighbours(7))] / len(of_one)
    assert np.abs(shares - 1 / len(neighbours(7))).max() < 5 * np.sqrt(0.2 / len(of_one))


def test_more_capsules_than_neighbours_go_on_with_the_next_ones() -> None:
    for chosen in adjacent_capsules(keys(50), 9).tolist():
        first, around = chosen[0], neighbours(chosen[0])
        assert set(chosen[1 : 1 + len(around)]) == around
        angles = capsule_angles()[first, chosen[1 + len(around) :]]
        assert (np.diff(angles) >= 0).all()
        assert angles.max() < 71


def test_opposite_capsules_come_in_pairs_and_an_odd_one_last() -> None:
    across = opposites()
    for chosen in opposite_capsules(keys(50), 5).tolist():
        assert chosen[1] == across[chosen[0]] and chosen[3] == across[chosen[2]]
        assert len(set(chosen)) == 5
    firsts = np.bincount(opposite_capsules(keys(), 2)[:, 0], minlength=32) / MANY
    assert np.abs(firsts - 1 / 32).max() < 5 * np.sqrt(1 / 32 / MANY)


@pytest.mark.parametrize("name", sorted(GEOMETRIES))
def test_a_row_is_chosen_by_its_own_keys_and_all_capsules_can_be_asked_for(name: str) -> None:
    rows = keys(6)
    together = GEOMETRIES[name](rows, 32)
    alone = [GEOMETRIES[name](row[None], 32)[0] for row in rows]
    assert together.tolist() == [row.tolist() for row in alone]
    assert all(sorted(row) == list(range(32)) for row in together.tolist())


def test_an_array_without_a_table_is_named() -> None:
    assert unknown_array("em32", 32) == ""
    assert unknown_array("", 4) == "found 4 channels of array unknown, needed em32 (32 channels)"
    assert "array ambisonic-4" in unknown_array("ambisonic-4", 25)
