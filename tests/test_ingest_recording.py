from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codecctl.datasets.ingest_recording import Job, ingest_recording
from codecctl.datasets.store import committed_recordings
from codecctl.errors import DataError


def job(path: Path, store: Path, *, rate: int = 24_000, known_hash: str = "") -> Job:
    return Job(
        store=str(store),
        path=str(path),
        source_name=path.name,
        name=path.stem,
        scene="",
        take=path.stem,
        array="unknown-2ch",
        sample_rate=rate,
        dtype="int16",
        source_size=0,
        target_size=0,
        known_hash=known_hash,
    )


def write(path: Path, frames: int, *, channels: int = 2, rate: int = 48_000) -> Path:
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, (frames, channels)).astype(np.float32)
    soundfile.write(path, audio, rate, subtype="PCM_16")
    return path


def test_progress_adds_up_to_the_size_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", 60_000)
    counts: list[int] = []
    info = ingest_recording(job(path, tmp_path / "s"), counts.append)
    assert sum(counts) == path.stat().st_size
    assert info is not None
    assert (info.frames, info.source_bits, info.source_size) == (30_000, 16, path.stat().st_size)


def test_a_known_file_is_left_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", 60_000)
    info = ingest_recording(job(path, tmp_path / "s"), lambda _: None)
    assert info is not None
    again = job(path, tmp_path / "s", known_hash=info.source_hash)
    assert ingest_recording(again, lambda _: None) is None


def test_an_ingest_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", 60_000)

    def nobody_listens(_: int) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        ingest_recording(job(path, tmp_path / "s"), nobody_listens)
    assert list((tmp_path / "s").rglob("*.*")) == []


def test_less_than_a_sample_of_the_new_rate_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", 1, rate=96_000)
    with pytest.raises(DataError, match="holds no sample at 24000 Hz"):
        ingest_recording(job(path, tmp_path / "s"), lambda _: None)


def test_one_frame_is_a_recording(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", 1)
    ingest_recording(job(path, tmp_path / "s"), lambda _: None)
    assert committed_recordings(tmp_path / "s")["a"].frames == 1


@pytest.mark.parametrize("container", ["WAV", "FLAC"])
def test_memory_does_not_grow_with_the_length(tmp_path: Path, container: str) -> None:
    def peak(seconds: int) -> int:
        path = tmp_path / f"{seconds}.wav"
        silence = np.zeros((seconds * 4000, 8), np.int16)
        soundfile.write(path, silence, 4000, format=container, subtype="PCM_16")
        tracemalloc.start()
        ingest_recording(job(path, tmp_path / "s", rate=4000), lambda _: None)
        try:
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    one_block, six_blocks = peak(65), peak(390)
    assert six_blocks < 1.1 * one_block
