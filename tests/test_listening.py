from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codecctl.datasets import listening
from codecctl.datasets.beam import beam_of, steer
from codecctl.datasets.listening import (
    Span,
    channel_levels,
    read_beam,
    stereo_channels,
    telling_channels,
    write_wav,
)
from codecctl.datasets.store import Store
from codecctl.errors import CodecctlError

MakeStore = Callable[..., Path]


def test_a_beam_of_a_span_is_that_part_of_the_beam_of_all(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio = np.random.default_rng(0).standard_normal((32, 8000)).astype(np.float32)
    beam = beam_of("em32", 32, sample_rate=8000, azimuth=10, elevation=20)
    monkeypatch.setattr(listening, "_BLOCK", 700)
    with Store.open(make_store({"Park.1": audio}, dtype="float32")) as store:
        info = store.recordings[0]
        part = read_beam(store, info, Span(1000, 3000), beam)
        start = read_beam(store, info, Span(0, 500), beam)
    whole = steer(audio, beam)
    np.testing.assert_allclose(part, whole[1000:4000], atol=1e-4)
    np.testing.assert_allclose(start, whole[:500], atol=1e-4)


def test_levels_are_of_the_span_alone(make_store: MakeStore) -> None:
    audio = np.zeros((2, 8000), np.float32)
    audio[0, 1000:2000] = 0.5
    audio[0, 3000] = -1.0
    with Store.open(make_store({"a": audio}, dtype="float32")) as store:
        levels = channel_levels(store, store.recordings[0], Span(1000, 1000))
    assert levels.rms_db == pytest.approx((-6.0206, -math.inf))
    assert levels.peak_db == pytest.approx((-6.0206, -math.inf))


def test_a_few_capsules_look_to_all_sides() -> None:
    # Capsules 1, 7, 17, 11: azimuth 0, 69, 180, 291 in the maker's table.
    assert telling_channels("em32", 32, 4) == (0, 6, 16, 10)
    assert telling_channels("ambisonic-ACN-SN3D", 25, 4) == (0, 1, 2, 3)
    assert telling_channels("unknown-16ch", 16, 4) == (0, 4, 8, 12)
    assert telling_channels("unknown-1ch", 1, 4) == (0,)


def test_stereo_is_played_where_there_is_a_left_and_a_right() -> None:
    assert stereo_channels("em32", 32) == (6, 10)
    assert stereo_channels("unknown-2ch", 2) == (0, 1)
    assert stereo_channels("unknown-8ch", 8) == (0,)


def test_a_written_file_holds_the_samples(tmp_path: Path) -> None:
    audio = np.random.default_rng(0).uniform(-1, 1, (3, 100)).astype(np.float32)
    write_wav(tmp_path / "a.wav", audio, sample_rate=8000)
    read, rate = soundfile.read(tmp_path / "a.wav", dtype="float32")
    np.testing.assert_array_equal(read.T, audio)
    assert rate == 8000


def test_nothing_is_left_of_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    audio = np.zeros((1, 10), np.float32)
    with pytest.raises(CodecctlError, match="cannot write: No such file or directory"):
        write_wav(tmp_path / "no" / "a.wav", audio, sample_rate=8000)
    (tmp_path / "b.wav").mkdir()
    with pytest.raises(CodecctlError, match="cannot write: Is a directory"):
        write_wav(tmp_path / "b.wav", audio, sample_rate=8000)
    assert [path.name for path in tmp_path.iterdir()] == ["b.wav"]
