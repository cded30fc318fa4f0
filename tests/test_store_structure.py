from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codecctl.datasets.store.hashes import outside_chunks
from codecctl.datasets.store.layout import Geometry, RecordingInfo
from codecctl.datasets.store.structure import Structure, _Pages, unbroken_offset


@given(st.lists(st.tuples(st.integers(0, 20_000), st.binary(max_size=6000)), max_size=8))
def test_pages_read_like_a_file(writes: list[tuple[int, bytes]]) -> None:
    pages, file = _Pages(), io.BytesIO()
    for offset, data in writes:
        for target in (pages, file):
            target.seek(offset)
            target.write(data)
    size = max((offset + len(data) for offset, data in writes if data), default=0)
    assert pages.size == size
    pages.seek(0)
    assert pages.read(size) == file.getvalue()[:size]


def test_the_size_is_known_before_and_holds_at_the_end() -> None:
    geometry = Geometry(channels=3, frames=250, sample_rate=100, dtype="int16")
    structure = Structure(geometry, {"format": "x"}, labels=("a", "b", "ü"))
    size = structure.size
    table = np.ones((3, 3))
    structure.finish(table, table, attributes={"source_hash": "sha256:" + "f" * 64})
    assert structure.size == size >= geometry.audio_bytes


def test_ten_hours_take_no_memory_for_the_audio() -> None:
    geometry = Geometry(channels=2, frames=36_000 * 48_000, sample_rate=48_000, dtype="float32")
    structure = Structure(geometry, {}, labels=("1", "2"))
    assert structure.size > 13_000_000_000
    assert len(structure._pages.pages) < 100
    structure.close()


@pytest.mark.parametrize(
    ("frames", "seconds", "chunk", "audio_bytes"),
    [(1, 1, 1, 4), (99, 1, 99, 396), (100, 1, 100, 400), (101, 2, 100, 800)],
)
def test_a_chunk_is_a_second_or_all_there_is(
    frames: int, seconds: int, chunk: int, audio_bytes: int
) -> None:
    geometry = Geometry(channels=2, frames=frames, sample_rate=100, dtype="int16")
    found = (geometry.seconds, geometry.chunk_frames, geometry.audio_bytes)
    assert found == (seconds, chunk, audio_bytes)


def test_a_run_is_unbroken_only_in_order() -> None:
    geometry = Geometry(channels=2, frames=200, sample_rate=100, dtype="int16")
    run = np.array([[4096, 4296], [4496, 4696]])
    assert unbroken_offset(run, geometry) == 4096
    assert unbroken_offset(run[::-1], geometry) == -1
    assert unbroken_offset(run + np.array([[0, 0], [0, 8]]), geometry) == -1
    assert unbroken_offset(np.full((2, 2), -1), geometry) == -1


def test_what_is_outside_the_chunks_is_the_rest_of_the_file() -> None:
    starts = np.array([[50, 20], [30, 70]])
    assert outside_chunks(starts, 10, file_size=100) == [(0, 20), (40, 50), (60, 70), (80, 100)]


def test_a_row_of_the_index_survives_json() -> None:
    row = RecordingInfo(
        "Beach.1", "Beach", "1", "eigenscape", "em32", 32, 240, 24, "int16", "b.wav", 48, 24, 480,
        9, 0.5, "h", 4096, 20_000, 21_000, 99_999, "s", "a",
    )  # fmt: skip
    assert RecordingInfo.from_json({**row.to_json(), "of a newer version": 1}) == row
    with pytest.raises(TypeError, match=r"'Beach\.1': frames: found '240', needed int"):
        RecordingInfo.from_json({**row.to_json(), "frames": "240"})
