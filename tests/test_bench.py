from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from codecctl.datasets.bench import (
    COLD,
    MEMORY,
    SIMULATED,
    Load,
    Place,
    SlowDisk,
    Speed,
    forget_cached,
    hidden_share,
    measure,
    whole_arrays,
)
from codecctl.datasets.store import Store
from codecctl.datasets.windows import Window
from codecctl.errors import DataError

RATE = 100
LOAD = Load(Window(frames=RATE, capsules=2), batch_size=3, rate=RATE)


@pytest.fixture
def folder(make_store: Callable[..., Path]) -> Path:
    audio = np.random.default_rng(0).standard_normal((4, 40 * RATE)).astype(np.float32)
    return make_store({"Park.1": audio, "Park.2": audio[:3]}, sample_rate=RATE)


@pytest.mark.parametrize(
    "place", [Place(MEMORY), Place(COLD, 2), Place(SIMULATED, 1, 1e-5), Place(SIMULATED, 3, 1e-5)]
)
def test_every_place_is_timed_with_at_least_three_batches(folder: Path, place: Place) -> None:
    speed = measure(folder, LOAD, place, seconds=0)
    assert speed.batches == 3 and speed.place == place
    assert speed.batch_seconds > 0 and speed.cpu_seconds >= 0


def test_rates_follow_from_the_time_of_a_batch() -> None:
    speed = Speed(Place(MEMORY), 0.5, 0.1, 7, stored_bytes=3e6, load=LOAD)
    assert speed.batches_per_second == 2
    assert speed.windows_per_second == 6
    assert speed.audio_seconds_per_second == 12  # two channels each
    assert speed.megabytes_per_second == 6


@pytest.mark.parametrize(("dtype", "size"), [("int16", 2), ("float32", 4)])
def test_bytes_are_those_of_the_store(
    make_store: Callable[..., Path], dtype: str, size: int
) -> None:
    audio = {"Park.1": np.ones((2, 4 * RATE), dtype=np.float32)}
    folder = make_store(audio, sample_rate=RATE, source_rate=RATE, dtype=dtype)
    speed = measure(folder, LOAD, Place(MEMORY), seconds=0)
    assert speed.stored_bytes == 3 * 2 * RATE * size
    at_half = replace(LOAD, window=Window(frames=RATE // 2, capsules=2), rate=RATE // 2)
    assert measure(folder, at_half, Place(MEMORY), seconds=0).stored_bytes == speed.stored_bytes


def test_a_slow_disk_holds_nothing_and_reads_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    descriptor = os.open(tmp_path / "file", os.O_RDONLY)
    found = bytearray(4)
    disk = SlowDisk(1e-6)
    assert disk(descriptor, [memoryview(found)], 3) == 4
    assert found == b"3456"
    with pytest.raises(BlockingIOError):
        disk(descriptor, [memoryview(found)], 0, os.RWF_NOWAIT)
    os.close(descriptor)


def test_windows_of_whole_arrays_have_all_channels_of_the_largest(folder: Path) -> None:
    with Store.open(folder) as store:
        load = whole_arrays(store.recordings, LOAD)
    assert (load.window.capsules, load.window.frames, load.batch_size) == (4, RATE, 4)


def test_the_hidden_share_is_a_share(folder: Path) -> None:
    share = hidden_share(folder, LOAD, step_seconds=1e-4, batch_seconds=1e-3, seconds=0)
    assert 0 <= share <= 1


def test_a_dropped_store_reads_as_before_and_a_lost_file_is_named(folder: Path) -> None:
    with Store.open(folder) as store:
        before = store.read("Park.1", 0, 10 * RATE, [0, 3])
        forget_cached(store)
        np.testing.assert_array_equal(store.read("Park.1", 0, 10 * RATE, [0, 3]), before)
        (folder / "rec/Park.1.h5").unlink()
        with pytest.raises(DataError, match=r"Park\.1\.h5: cannot be opened"):
            forget_cached(store)
