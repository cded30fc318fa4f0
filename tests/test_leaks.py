"""Audio that two recordings share is found by the hashes of their seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from codecctl.datasets.leaks import find_leaks, refuse_leaks, shared_audio
from codecctl.datasets.split import Split
from codecctl.datasets.store import Store
from codecctl.errors import DataError

RATE = 50
Maker = Callable[..., Path]


def noise(seed: int, seconds: float = 6.0, channels: int = 2) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return 0.1 * generator.standard_normal((channels, round(seconds * RATE)), np.float32)


def sides(train: str, validation: str, test: str = "") -> Split:
    return Split(tuple(train.split()), tuple(validation.split()), "", tuple(test.split()))


def found(folder: Path, split: Split) -> list[str]:
    return [str(leak) for leak in find_leaks(folder, split)]


def test_recordings_that_share_nothing_pass(make_store: Maker) -> None:
    folder = make_store({f"Beach.{take}": noise(take) for take in range(4)}, sample_rate=RATE)
    split = sides("Beach.0 Beach.1", "Beach.2", "Beach.3")
    assert found(folder, split) == []
    refuse_leaks(folder, split)


def test_one_recording_on_two_sides_is_a_leak(make_store: Maker) -> None:
    folder = make_store({"a": noise(1), "b": noise(2)}, sample_rate=RATE)
    assert found(folder, sides("a b", "b")) == ["b is in training and validation"]
    assert found(folder, sides("a", "b", "a")) == ["a is in training and test"]


def test_the_same_audio_by_another_name_is_a_leak(make_store: Maker) -> None:
    folder = make_store({"Beach.1": noise(1), "Park.3": noise(1)}, sample_rate=RATE)
    assert found(folder, sides("Beach.1", "Park.3")) == [
        "Beach.1 and Park.3: same audio (training and validation)"
    ]


def test_two_products_of_a_take_are_a_leak(make_store: Maker) -> None:
    folder = make_store({"Beach.1": noise(1), "Beach.2": noise(2)}, sample_rate=RATE)
    with Store.open(folder) as store:
        one, other = store.recordings
        product = [one, replace(other, take="1", array="ambisonic-ACN-SN3D")]
        (pair,) = shared_audio(store, product)
    assert str(pair) == "Beach.1 and Beach.2: same take"


@pytest.mark.parametrize("dtype", ["int16", "float32", "pcm"])
def test_seconds_that_were_cut_from_another_recording_are_named(
    make_store: Maker, dtype: str
) -> None:
    one, other = noise(1), noise(2)
    other[1, RATE : 3 * RATE] = one[0, 3 * RATE : 5 * RATE]
    audio = {"Beach.1": one, "Park.3": other}
    if dtype == "pcm":
        audio = {name: (samples * 1000).astype(np.int32) for name, samples in audio.items()}
    folder = make_store(audio, sample_rate=RATE, dtype=dtype)
    assert found(folder, sides("Park.3", "Beach.1")) == [
        "Beach.1 seconds 3-4 and Park.3 seconds 1-2: the same audio (validation and training)"
    ]


def test_a_copy_at_another_level_is_the_same_sound(make_store: Maker) -> None:
    folder = make_store({"a": noise(1), "b": 0.25 * noise(1)}, sample_rate=RATE)
    assert found(folder, sides("a", "b")) == [
        "a seconds 0-5 and b seconds 0-5: the same audio (training and validation)"
    ]


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_silence_and_dead_channels_are_no_audio(make_store: Maker, dtype: str) -> None:
    one, other = noise(1), noise(2)
    for audio in (one, other):
        audio[0] = 0.0
        audio[1, :RATE] = 0.25
    folder = make_store({"a": one, "b": other}, sample_rate=RATE, dtype=dtype)
    assert found(folder, sides("a", "b")) == []


def test_copies_on_one_side_are_no_leak(make_store: Maker) -> None:
    folder = make_store({"a": noise(1), "b": noise(1), "c": noise(2)}, sample_rate=RATE)
    assert found(folder, sides("a b", "c")) == []


def test_all_pairs_are_found_where_many_share_a_second(make_store: Maker) -> None:
    audio = {name: noise(seed) for seed, name in enumerate("abcd")}
    for samples in audio.values():
        samples[0, RATE : 2 * RATE] = noise(9)[0, :RATE]
    with Store.open(make_store(audio, sample_rate=RATE)) as store:
        pairs = [(pair.first, pair.second) for pair in shared_audio(store, store.recordings)]
    assert sorted(pairs) == [tuple(pair) for pair in ("ab", "ac", "ad", "bc", "bd", "cd")]


def test_training_refuses_and_says_how_to_split(make_store: Maker) -> None:
    folder = make_store(
        {"Beach.1": noise(1), "Park.3": noise(1), "Park.4": noise(3)}, sample_rate=RATE
    )
    with pytest.raises(DataError) as caught:
        refuse_leaks(folder, sides("Beach.1", "Park.3 Park.4"))
    assert str(caught.value) == (
        "store scenes: training would hear what validation measures: Beach.1 and Park.3: same "
        "audio (training and validation); needed sides that share nothing; make some with: "
        "codecctl data split scenes --by recording, and train with data.split=recording"
    )


def test_the_only_recording_may_train_and_validate(make_store: Maker) -> None:
    folder = make_store({"a": noise(1)}, sample_rate=RATE)
    refuse_leaks(folder, Split(("a",), ("a",), "said loudly", on_itself=True))
    with pytest.raises(DataError, match="a is in training and validation"):
        refuse_leaks(folder, sides("a", "a"))


def test_a_second_that_a_recording_repeats_itself_is_no_leak(make_store: Maker) -> None:
    loop = np.tile(noise(1)[:, :RATE], 6)
    folder = make_store({"loop": loop, "b": noise(2)}, sample_rate=RATE)
    assert found(folder, sides("loop", "b")) == []
