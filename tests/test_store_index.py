from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xxhash

from codecctl.datasets.store import (
    Corpus,
    Store,
    committed_recordings,
    read_index,
    sealed,
    write_index,
)
from codecctl.errors import DataError, NotFoundError

Maker = Callable[..., Path]


@pytest.fixture
def folder(make_store: Maker) -> Path:
    rng = np.random.default_rng(0)
    return make_store(
        {
            name: rng.standard_normal((2, 250)).astype(np.float32)
            for name in ("Park.2", "Beach.1", "Beach.2")
        },
        sample_rate=100,
    )


def edit(folder: Path, **changes: Any) -> None:
    path = folder / "index.json"
    path.write_bytes(sealed({**json.loads(path.read_bytes()), **changes}))


def test_recordings_are_sorted_by_name(folder: Path) -> None:
    assert [row.name for row in read_index(folder).recordings] == ["Beach.1", "Beach.2", "Park.2"]


def test_what_a_folder_holds_is_what_was_indexed(folder: Path) -> None:
    assert tuple(committed_recordings(folder).values()) == read_index(folder).recordings


def test_only_whole_recordings_count(folder: Path) -> None:
    rec = folder / "rec"
    (rec / ".Park.9.tmp-host-1").write_bytes((rec / "Park.2.h5").read_bytes())
    (rec / "Park.3.h5").write_bytes((rec / "Park.2.h5").read_bytes())  # says it is Park.2
    (rec / "Park.4.h5").write_text("not HDF5")
    data = (rec / "Beach.1.h5").read_bytes()
    (rec / "Beach.1.h5").write_bytes(data[: len(data) // 2])
    assert sorted(committed_recordings(folder)) == ["Beach.2", "Park.2"]


def test_a_folder_without_recordings_holds_none(tmp_path: Path) -> None:
    assert committed_recordings(tmp_path) == {}


def test_the_fingerprint_is_of_the_audio_not_of_the_writing(
    folder: Path, make_store: Maker, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    audio = {
        name: rng.standard_normal((2, 250)).astype(np.float32)
        for name in ("Park.2", "Beach.1", "Beach.2")
    }
    again = make_store(dict(reversed(audio.items())), name="again", sample_rate=100)
    assert read_index(again).fingerprint == read_index(folder).fingerprint
    audio["Park.2"][0, 0] *= 1.5
    other = make_store(audio, name="other", sample_rate=100)
    assert read_index(other).fingerprint != read_index(folder).fingerprint


def test_another_format_version_is_named_with_ours(folder: Path) -> None:
    edit(folder, format_version=7)
    with pytest.raises(
        DataError, match=r"found store format version 7, .* reads version 2; remove"
    ):
        Store.open(folder)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"format": "zip"}, "not the index of a store"),
        ({"dtype": "int8"}, "dtype: found 'int8', needed one of int16, float32"),
        ({"sample_rate": "24k"}, "sample_rate: found '24k', needed Hz"),
        ({"recordings": []}, "recordings: found none"),
        ({"recordings": [{}]}, "recording None: name: found None, needed str"),
        ({"name": None}, "name: found None"),
        ({"dtype": "float32"}, "'Beach.1': found 100 Hz int16, needed 100 Hz float32"),
        ({"corpora": [{"id": 1}]}, "corpora: found .* needed id, folder, title"),
        ({"metadata": {"Beach.1": {"Location": 5}}}, "metadata of 'Beach.1': found"),
    ],
)
def test_a_damaged_index_says_what_is_wrong(
    folder: Path, changes: dict[str, object], sentence: str
) -> None:
    edit(folder, **changes)
    with pytest.raises(DataError, match=sentence):
        read_index(folder)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": "../../other/rec/Beach.1"}, "needed a name without /"),
        ({"name": ".hidden"}, "needed a name without /"),
        ({"frames": 0}, "frames: found 0"),
        ({"channels": 10**30}, "channels: found 1"),
        ({"frames": 10**9}, "its audio does not fit into its file"),
        ({"audio_offset": -2}, "its audio does not fit into its file"),
        ({"dtype": "int8"}, "dtype: found 'int8'"),
        ({"source_bits": 99}, "source_bits: found 99"),
    ],
)
def test_an_impossible_row_is_refused_before_it_is_used(
    folder: Path, changes: dict[str, object], sentence: str
) -> None:
    rows = json.loads((folder / "index.json").read_bytes())["recordings"]
    edit(folder, recordings=[{**rows[0], **changes}, *rows[1:]])
    with pytest.raises(DataError, match=sentence):
        read_index(folder)


def test_no_changed_byte_of_an_index_goes_unnoticed(folder: Path) -> None:
    path = folder / "index.json"
    data = path.read_bytes()
    for position in range(0, len(data), 7):
        changed = bytearray(data)
        changed[position] ^= 1
        path.write_bytes(changed)
        with pytest.raises(DataError):
            read_index(folder)


def test_the_checksum_is_what_the_format_says(folder: Path) -> None:
    data = (folder / "index.json").read_bytes()
    checksum = json.loads(data)["checksum"].removeprefix("xxh3-128:")
    blank = data.replace(checksum.encode(), b"0" * 32)
    assert xxhash.xxh3_128_hexdigest(blank) == checksum


def test_corpora_and_metadata_come_back(folder: Path) -> None:
    rows = read_index(folder).recordings
    corpora = [Corpus("b", "/b", licence="CC BY 4.0"), Corpus("a", "/a")]
    metadata = {"Beach.1": {"Location": "Bridlington Beach", "Date": "09/05/2017"}}
    write_index(
        folder,
        name="two",
        sample_rate=100,
        dtype="int16",
        recordings=rows,
        corpora=corpora,
        metadata=metadata,
    )
    index = read_index(folder)
    assert index.corpora == (corpora[1], corpora[0])
    assert index.metadata == metadata
    assert index.source_folder == ""  # of two corpora there is no single one


def test_half_an_index_is_damage_and_none_is_no_store(folder: Path, tmp_path: Path) -> None:
    path = folder / "index.json"
    path.write_text(path.read_text()[:100])
    with pytest.raises(DataError, match=r"index\.json: damaged, not JSON"):
        read_index(folder)
    for missing in (tmp_path / "missing", path):
        with pytest.raises(NotFoundError, match="no store here"):
            read_index(missing)


def test_an_index_is_replaced_as_a_whole(folder: Path) -> None:
    rows = list(committed_recordings(folder).values())[:1]
    write_index(folder, name="new", sample_rate=100, dtype="int16", recordings=rows)
    assert read_index(folder).name == "new"
    assert sorted(path.name for path in folder.iterdir()) == ["index.json", "rec"]
