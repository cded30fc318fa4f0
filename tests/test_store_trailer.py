from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import xxhash

from codecctl.datasets.store import Store, committed_recordings, read_index
from codecctl.datasets.store.describe import describe
from codecctl.datasets.store.regular import open_regular
from codecctl.datasets.store.tables import read_check, read_scale
from codecctl.datasets.store.trailer import pack_trailer, read_trailer, trailer_size

Maker = Callable[..., Path]


@pytest.fixture
def folder(make_store: Maker) -> Path:
    audio = np.random.default_rng(0).standard_normal((3, 2500)).astype(np.float32)
    return make_store({"Beach.1": audio}, sample_rate=1000)


def test_a_file_says_what_the_index_says_of_it(folder: Path) -> None:
    (row,) = read_index(folder).recordings
    assert describe(folder / "rec/Beach.1.h5") == row


def test_the_trailer_is_laid_out_as_the_format_says(folder: Path) -> None:
    data = (folder / "rec/Beach.1.h5").read_bytes()
    length, digest, magic = struct.unpack("<QQ8s", data[-24:])
    text = data[-24 - length : -24]
    assert magic == b"codecrec"
    assert digest == xxhash.xxh3_64_intdigest(text)
    assert (len(text) + 24) % 1024 == 0
    content = json.loads(text)
    assert (content["format"], content["format_version"]) == ("codecctl-store", 2)
    assert content["channel_labels"] == ["1", "2", "3"]
    row = {**content, "structure_hash": read_index(folder).recordings[0].structure_hash}
    assert row.items() >= read_index(folder).recordings[0].to_json().items()


def test_hdf5_reads_the_file_and_the_tables_lie_where_the_row_says(folder: Path) -> None:
    (row,) = read_index(folder).recordings
    path = folder / "rec/Beach.1.h5"
    with h5py.File(path, "r", locking=False) as file:
        np.testing.assert_array_equal(file["scale"][...], read_scale(path, row))
        np.testing.assert_array_equal(file["check"][...], read_check(path, row))
        assert file["audio"].id.get_chunk_info_by_coord((0, 0)).byte_offset == row.audio_offset


def test_no_changed_byte_but_of_the_audio_is_taken_for_a_recording(folder: Path) -> None:
    path = folder / "rec/Beach.1.h5"
    data = path.read_bytes()
    (row,) = read_index(folder).recordings
    stop = row.audio_offset + row.geometry.audio_bytes
    places = [*range(0, row.audio_offset, 97), *range(stop, len(data), 97), len(data) - 1]
    for place in places:
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert committed_recordings(folder) == {}, place
    path.write_bytes(data)
    assert committed_recordings(folder) == {"Beach.1": row}


@pytest.mark.parametrize("length", [0, 10, 23, 24, 500])
def test_files_of_other_kinds_have_no_trailer(tmp_path: Path, length: int) -> None:
    path = tmp_path / "x.h5"
    path.write_bytes(bytes(length))
    assert describe(path) is None
    path.write_bytes(bytes(length) + struct.pack("<QQ8s", 2**60, 0, b"codecrec"))
    assert describe(path) is None


def test_hostile_contents_are_no_recording(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    for text in (b"[" * 100_000, b"[]", b"{}", b'{"frames": 1e999}', b"\xff"):
        footer = struct.pack("<QQ8s", len(text), xxhash.xxh3_64_intdigest(text), b"codecrec")
        path.write_bytes(text + footer)
        assert describe(path) is None


def test_nothing_that_reads_a_store_asks_hdf5(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("HDF5 crashes on changed bytes")

    monkeypatch.setattr(h5py, "File", refuse)
    assert sorted(committed_recordings(folder)) == ["Beach.1"]
    with Store.open(folder) as store:
        assert store.read("Beach.1", 0, 2500, [0, 1, 2]).any()
        assert store.verify() == []


def test_a_pipe_or_folder_in_place_of_a_file_is_not_waited_for(folder: Path) -> None:
    path = folder / "rec/Beach.1.h5"
    for make in (os.mkfifo, os.mkdir):
        path.unlink()
        make(path)
        with pytest.raises(OSError, match="no regular file"):
            open_regular(path)
        assert committed_recordings(folder) == {}
        with Store.open(folder, check=False) as store:
            assert [str(damage) for damage in store.verify()] == [
                "Beach.1: cannot be opened (no regular file)"
            ]
        if make is os.mkfifo:
            continue
        path.rmdir()
        path.touch()


def test_a_trailer_has_room_for_what_comes_late(tmp_path: Path) -> None:
    content = {"format": "x", "source_name": "ü" * 700}
    late = {"a": "f" * 160, "b": "f" * 41, "c": "f" * 41, "d": 2**53, "e": 2**53}
    size = trailer_size(content)
    data = pack_trailer({**content, **late}, size)
    assert len(data) == size
    (tmp_path / "x").write_bytes(b"before" + data)
    descriptor = os.open(tmp_path / "x", os.O_RDONLY)
    found = read_trailer(descriptor, file_size=6 + size)
    os.close(descriptor)
    assert found == ({**content, **late}, 6)
