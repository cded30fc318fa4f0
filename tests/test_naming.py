from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from codecctl.datasets.naming import SCENES, array_of, channel_labels, place, scene_id


@pytest.mark.parametrize(
    ("path", "scene", "take", "raw"),
    [
        ("Beach.1.wav", "Beach", "1", False),
        ("Beach-01.wav", "Beach", "1", False),
        ("Beach-01-Raw.wav", "Beach", "1", True),
        ("beach_08_raw.WAV", "Beach", "8", True),
        ("BusyStreet-03-Raw.wav", "BusyStreet", "3", True),
        ("Busy Street 12.wav", "BusyStreet", "12", False),
        ("busy_street.2.flac", "BusyStreet", "2", False),
        ("Busy Street/01.wav", "BusyStreet", "1", False),
        ("Busy Street/BusyStreet-01-Raw.wav", "BusyStreet", "1", True),
        ("Shopping Center/take 3.wav", "ShoppingCentre", "take-3", False),
        ("EigenScape/Train Station/day 2/04.wav", "TrainStation", "day-2_04", False),
        ("Park/Beach.1.wav", "Beach", "1", False),
        ("Woodland.wav", "Woodland", "1", False),
        ("Beach-01 (copy)-Raw.wav", "Beach", "1-copy", True),
    ],
)
def test_every_spelling_of_eigenscape_gives_scene_and_take(
    path: str, scene: str, take: str, raw: bool
) -> None:
    found = place(PurePosixPath(path))
    assert (found.scene, found.take, found.raw) == (scene, take, raw)


@pytest.mark.parametrize(
    ("path", "take"),
    [
        ("a.wav", "a"),
        ("Park bench.wav", "Park-bench"),
        ("Parking 1.wav", "Parking-1"),
        ("room/mic array/x y.flac", "room_mic-array_x-y"),
        ("007.wav", "7"),
        ("raw.wav", "raw"),
        ("été/Straße.wav", "été_Straße"),
    ],
)
def test_other_trees_give_no_scene_and_a_take_from_the_path(path: str, take: str) -> None:
    found = place(PurePosixPath(path))
    assert (found.scene, found.take) == ("", take)


def test_a_very_long_path_makes_a_short_take_that_still_tells_paths_apart() -> None:
    one, other = (place(PurePosixPath("folder" * 60, f"{end}.wav")).take for end in ("a", "b"))
    assert one != other
    assert len(one.encode()) <= 120


def test_bytes_that_are_no_text_make_a_usable_take() -> None:
    take = place(PurePosixPath("caf\udce9.wav")).take
    assert take == "caf"
    assert take.encode()


@pytest.mark.parametrize("scene", SCENES)
def test_scene_ids_spell_themselves(scene: str) -> None:
    assert scene_id(scene) == scene_id(scene.upper()) == scene


def test_channel_counts_suggest_the_two_products_and_nothing_else() -> None:
    assert array_of(32) == "em32"
    assert array_of(25) == "ambisonic-ACN-SN3D"
    assert array_of(4) == "unknown-4ch"


def test_labels_count_capsules_from_one_and_ambisonic_channels_from_zero() -> None:
    assert channel_labels("em32", 32)[0] == "capsule 1"
    assert channel_labels("ambisonic-ACN-SN3D", 25)[24] == "ACN 24"
    assert channel_labels("unknown-2ch", 2) == ("channel 1", "channel 2")
