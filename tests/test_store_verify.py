from __future__ import annotations

import os
import resource
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from codecctl.datasets.store import Damage, Store, strays, verify, verify_recordings
from codecctl.datasets.store.damage import damages_of
from codecctl.datasets.store.residency import pages_to_drop
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


def test_a_file_that_may_not_be_read_is_not_called_damaged(folder: Path) -> None:
    recording = folder / "rec/Park.1.h5"
    store = Store.open(folder, check=False)
    is_root = os.geteuid() == 0
    if is_root:
        folder.parent.chmod(0o700)
        os.seteuid(65_534)  # root may read everything, nobody may not
    else:
        recording.chmod(0)
    try:
        with pytest.raises(DataError, match=r"rec/\w+\.1\.h5: cannot read: Permission denied; nee"):
            store.verify()
    finally:
        if is_root:
            os.seteuid(0)
        else:
            recording.chmod(0o600)
    assert store.verify() == []


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
    what = "the audio is not what was written"
    assert damage == Damage("Park.1", what, (channel, channel), (second, second))
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
    assert (damage.recording, damage.channels, damage.seconds) == ("Beach.1", None, None)


def test_what_is_damaged_elsewhere_is_still_found(folder: Path) -> None:
    (folder / "rec/Beach.1.h5").unlink()
    with Store.open(folder, check=False) as store:
        offset = store.recording("Park.1").audio_offset
        flip(folder / "rec/Park.1.h5", offset)
        assert [str(damage) for damage in store.verify()] == [
            "Beach.1: missing, though the index lists it",
            "Park.1, channel 1, second 0: the audio is not what was written",
        ]


def test_neighbors_become_one_range_and_others_stay_apart() -> None:
    faults = np.zeros((4, 9), dtype=np.int8)
    faults[:, 5:8] = 1
    faults[2, 0] = 1
    faults[1:3, 2] = 2
    found = damages_of("Beach.1", faults, {1: "changed", 2: "unreadable"})
    assert [str(damage) for damage in found] == [
        "Beach.1, channels 1-4, seconds 5-7: changed",
        "Beach.1, channels 2-3, second 2: unreadable",
        "Beach.1, channel 3, second 0: changed",
    ]
    assert [damage.chunks for damage in found] == [12, 2, 1]


@pytest.mark.parametrize("piece", [200, 700, 64 << 20])
@pytest.mark.parametrize("read", [100, 450, 1 << 20])
def test_ranges_do_not_depend_on_how_the_work_is_shared(
    folder: Path, monkeypatch: pytest.MonkeyPatch, piece: int, read: int
) -> None:
    monkeypatch.setattr(verify, "_PIECE_BYTES", piece)
    monkeypatch.setattr(verify, "_READ_BYTES", read)
    with Store.open(folder) as store:
        info = store.recording("Park.1")
        for chunk in (0, 1, 3, 4, 8):
            flip(folder / "rec/Park.1.h5", info.audio_offset + chunk * info.geometry.chunk_bytes)
        found = [(damage.channels, damage.seconds) for damage in store.verify(num_threads=3)]
    assert found == [((0, 1), (0, 1)), ((2, 2), (2, 2))]


def test_an_index_that_lists_other_audio_is_found(folder: Path) -> None:
    with Store.open(folder) as store:
        row = replace(store.recording("Park.1"), audio_hash="xxh3-128:0")
    (damage,) = verify_recordings(folder, [row])
    assert damage.what.startswith("damaged: the index lists other audio")


def test_pages_that_were_in_memory_stay_there(folder: Path) -> None:
    path = folder / "rec/Park.1.h5"
    path.read_bytes()
    with path.open("rb") as file:
        assert pages_to_drop(file.fileno(), 5000, path.stat().st_size) == []


def test_a_store_without_its_folder_of_recordings_has_no_strays(folder: Path) -> None:
    with Store.open(folder) as store:
        rows = store.recordings
    (folder / "rec").rename(folder / "gone")
    assert strays(folder, rows) == []


def test_too_many_open_files_are_no_damage(folder: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Store.open(folder) as store:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            with pytest.raises(DataError, match="Too many open files; fewer --jobs"):
                store.verify()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
