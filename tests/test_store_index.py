from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codecctl.datasets.store import Store, committed_recordings, read_index, write_index
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
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


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
        DataError, match=r"found store format version 7, .* reads version 1; remove"
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
    ],
)
def test_a_damaged_index_says_what_is_wrong(
    folder: Path, changes: dict[str, object], sentence: str
) -> None:
    edit(folder, **changes)
    with pytest.raises(DataError, match=sentence):
        read_index(folder)


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
