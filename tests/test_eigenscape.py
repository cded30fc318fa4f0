from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from codecctl.datasets.eigenscape import missing_takes, oddity, published_md5
from codecctl.datasets.naming import SCENES, Place, place


def at(name: str) -> Place:
    return place(PurePosixPath(name))


@pytest.mark.parametrize("take", ["06", "08"])
def test_raw_files_of_park_that_hold_ambisonics_are_explained(take: str) -> None:
    fault = oddity(at(f"Park-{take}-Raw.wav"), 25)
    assert "published fault of EigenScape" in fault
    assert "its 32 channels are in the ambisonic Park.zip of Zenodo record 1284156" in fault


def test_ambisonic_files_of_park_that_hold_capsules_are_explained() -> None:
    fault = oddity(at("Park.6.wav"), 32)
    assert "its ambisonics are in Park.zip of Zenodo record 2628463; stored as em32" in fault
    assert oddity(at("Park.5.wav"), 32) == ""


def test_files_that_hold_what_they_say_have_no_fault() -> None:
    assert oddity(at("Park-06-Raw.wav"), 32) == ""
    assert oddity(at("Park.6.wav"), 25) == ""
    assert oddity(at("Park-06.wav"), 32) == oddity(at("Park-06.wav"), 25) == ""


def test_another_raw_file_without_32_channels_is_no_published_fault() -> None:
    fault = oddity(at("Park-03-Raw.wav"), 25)
    assert fault.startswith("the name says raw, which is 32 channels; stored as ambisonic")
    other = oddity(at("Park-06-Raw.wav"), 25, is_eigenscape=False)
    assert "published" not in other
    assert "the name says raw" in other


def test_every_take_of_both_products_has_a_checksum_of_its_own() -> None:
    places = [at(f"{scene}.{take}.wav") for scene in SCENES for take in range(1, 9)]
    sums = [published_md5(where, channels) for where in places for channels in (32, 25)]
    assert len(set(sums)) == 128
    assert all(len(text) == len("md5:") + 32 for text in sums)
    # From the index of soundata, by hand.
    assert published_md5(at("Beach-01-Raw.wav"), 32) == "md5:5612673e79f8d586ba47d43dc902d5da"
    assert published_md5(at("Woodland.8.wav"), 25) == "md5:ce3db1cc1705dc03579a2fbf7793db2f"
    assert published_md5(at("Park.6.wav"), 32) == "md5:68754f33ab6602ba2fd5abf80f9729e8"


def test_what_was_not_published_has_no_checksum() -> None:
    assert published_md5(at("Beach-09-Raw.wav"), 32) == ""
    assert published_md5(at("Beach-01-Raw.wav"), 4) == ""
    assert published_md5(at("Park-06-Raw.wav"), 25) == ""
    assert published_md5(at("door.wav"), 32) == ""


def test_missing_takes_are_said_in_one_sentence() -> None:
    whole = [Place(scene, str(take), raw=True) for scene in SCENES for take in range(1, 9)]
    assert missing_takes(whole) == ""
    assert missing_takes(whole[1:2] + whole[8:]) == (
        "7 of the 64 takes of EigenScape are not here: Beach 1 3-8"
    )
    assert missing_takes([]).startswith("64 of the 64 takes")
