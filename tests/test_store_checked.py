from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codecctl.datasets.store import Store
from codecctl.errors import DataError

Maker = Callable[..., Path]
RATE = 100


@pytest.fixture
def folder(make_store: Maker) -> Path:
    audio = np.random.default_rng(0).standard_normal((4, 550)).astype(np.float32)
    return make_store({"Beach.1": audio}, sample_rate=RATE)


def flip(folder: Path, *, channel: int, second: int) -> None:
    """Damage the last byte of a chunk."""
    with Store.open(folder) as store:
        info = store.recording("Beach.1")
    chunk = channel * info.geometry.seconds + second + 1
    position = info.audio_offset + chunk * info.geometry.chunk_bytes - 1
    with (folder / "rec/Beach.1.h5").open("r+b") as file:
        file.seek(position)
        byte = file.read(1)[0]
        file.seek(position)
        file.write(bytes([byte ^ 1]))


@pytest.mark.parametrize("dtype", ["int16", "float32", "pcm"])
def test_a_checked_read_finds_damage_and_names_it(make_store: Maker, dtype: str) -> None:
    audio = 0.1 * np.random.default_rng(0).standard_normal((4, 550)).astype(np.float32)
    if dtype == "pcm":
        audio = np.rint(audio * 32767).clip(-32768, 32767).astype(np.int32)
    options = {"bits": 16} if dtype == "pcm" else {}
    folder = make_store({"Beach.1": audio}, sample_rate=RATE, dtype=dtype, **options)
    flip(folder, channel=2, second=3)
    with Store.open(folder) as plain:
        expected = plain.read("Beach.1", 250, 50, [2, 0])  # damage is none of its business
    with Store.open(folder, check_reads=True) as store:
        np.testing.assert_array_equal(store.read("Beach.1", 250, 50, [2, 0]), expected)
        store.read("Beach.1", 300, 100, [1, 3])
        store.read("Beach.1", 400, 150, [2])
        for start, frames in ((250, 51), (399, 1), (0, 550)):
            with pytest.raises(
                DataError, match=r"Beach\.1, channel 3, second 3: the audio is not what was written"
            ):
                store.read("Beach.1", start, frames, [0, 2])


def test_a_chunk_is_checked_once_in_a_process(folder: Path) -> None:
    with Store.open(folder, check_reads=True) as store:
        store.read("Beach.1", 0, 150, [1])
        flip(folder, channel=1, second=0)
        store.read("Beach.1", 0, 200, [1])
        store.close()  # lets go of what it knows
        with pytest.raises(DataError, match="channel 2, second 0"):
            store.read("Beach.1", 0, 200, [1])


def test_a_damaged_chunk_is_refused_again_and_again(folder: Path) -> None:
    flip(folder, channel=0, second=5)
    with Store.open(folder, check_reads=True) as store:
        for _ in range(2):
            with pytest.raises(DataError, match="channel 1, second 5"):
                store.read("Beach.1", 540, 10, [0])


def test_a_copy_of_a_checking_store_checks(folder: Path) -> None:
    flip(folder, channel=0, second=0)
    with Store.open(folder, check_reads=True) as store:
        copy = pickle.loads(pickle.dumps(store))
    with pytest.raises(DataError, match="channel 1, second 0"):
        copy.read("Beach.1", 0, 1, [0])


def test_a_recording_that_shrinks_is_damaged_where_it_ends(folder: Path) -> None:
    with Store.open(folder, check_reads=True) as store:
        store.read("Beach.1", 0, 1, [0])
        os.truncate(folder / "rec/Beach.1.h5", store.recording("Beach.1").audio_offset + 700)
        with pytest.raises(DataError, match="channel 1, second 3"):
            store.read("Beach.1", 0, 550, [0])
