from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codecctl.datasets.store import Damage, Store
from codecctl.errors import DataError

Maker = Callable[..., Path]


@pytest.fixture
def folder(make_store: Maker) -> Path:
    rng = np.random.default_rng(0)
    audio = {
        name: rng.standard_normal((3, 250)).astype(np.float32) for name in ("Beach.1", "Park.1")
    }
    return make_store(audio, sample_rate=100)


def flip(path: Path, position: int) -> None:
    with path.open("r+b") as file:
        file.seek(position)
        value = file.read(1)[0]
        file.seek(position)
        file.write(bytes([value ^ 1]))


def test_a_sound_store_has_no_damage_and_reports_progress(folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    with Store.open(folder) as store:
        assert store.verify(lambda done, total: seen.append((done, total))) == []
    total = 2 * 3 * 3 * 200
    assert seen[-1] == (total, total)
    assert seen == sorted(seen)


@pytest.mark.parametrize(
    ("channel", "frame", "second"), [(0, 0, 0), (1, 130, 1), (2, 249, 2), (2, 299, 2)]
)
def test_a_flipped_byte_is_named_by_recording_channel_and_second(
    folder: Path, channel: int, frame: int, second: int
) -> None:
    with Store.open(folder) as store:
        offset = store.recording("Park.1").audio_offset
    flip(folder / "rec/Park.1.h5", offset + (channel * 300 + frame) * 2)  # 300: padded seconds
    with Store.open(folder) as store:  # its structure is sound
        (damage,) = store.verify()
    assert damage == Damage("Park.1", channel, second, "the audio is not what was written")
    assert str(damage).startswith(f"Park.1, channel {channel + 1}, second {second}: the audio")


def test_every_byte_of_a_recording_is_covered(folder: Path) -> None:
    path = folder / "rec/Beach.1.h5"
    original = path.read_bytes()
    rng = np.random.default_rng(1)
    for position in [0, len(original) - 1, *rng.integers(0, len(original), 60).tolist()]:
        flip(path, position)
        with Store.open(folder, check=False) as store:
            assert [damage.recording for damage in store.verify()] == ["Beach.1"], position
        path.write_bytes(original)


def test_damaged_tables_are_found_when_the_store_is_opened(folder: Path) -> None:
    path = folder / "rec/Beach.1.h5"
    flip(path, path.stat().st_size - 300)
    with pytest.raises(DataError, match=r"Beach\.1\.h5: damaged: its structure"):
        Store.open(folder)
    with Store.open(folder, check=False) as store:
        (damage,) = store.verify()
    assert (damage.recording, damage.channel, damage.second) == ("Beach.1", None, None)


def test_what_is_damaged_elsewhere_is_still_found(folder: Path) -> None:
    (folder / "rec/Beach.1.h5").unlink()
    with Store.open(folder, check=False) as store:
        offset = store.recording("Park.1").audio_offset
        flip(folder / "rec/Park.1.h5", offset)
        assert [str(damage) for damage in store.verify()] == [
            "Beach.1: missing, though the index lists it",
            "Park.1, channel 1, second 0: the audio is not what was written",
        ]
