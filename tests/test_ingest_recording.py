from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codecctl.datasets.ingest_recording import Job, ingest_recording
from codecctl.datasets.store import Store, committed_recordings, write_index
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


def test_a_second_of_24_khz_holds_nothing_of_what_was_above_12_khz(tmp_path: Path) -> None:
    """A tone above 12 kHz for each of 32 capsules, folded back by a poor conversion."""
    frequencies = 12_200 + 300 * np.arange(32)
    audio = 0.5 * np.sin(2 * np.pi * np.arange(3 * 48_000)[:, None] / 48_000 * frequencies)
    soundfile.write(tmp_path / "a.wav", audio, 48_000, subtype="PCM_24")
    facts = replace(job(tmp_path / "a.wav", tmp_path / "s"), array="em32")
    info = ingest_recording(facts, lambda _: None)
    assert info is not None
    write_index(tmp_path / "s", name="s", sample_rate=24_000, dtype="int16", recordings=[info])

    with Store.open(tmp_path / "s") as store:
        before = bytes_read()
        second = store.read("a", 23_456, 24_000, range(32))
        assert bytes_read() - before <= 5_000_000
    assert second.shape == (32, 24_000)
    power = np.square(second, dtype=np.float64).mean(axis=1)
    assert 10 * np.log10(power.max() / 0.125) < -60


def bytes_read() -> int:
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(fields["rchar"])


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
