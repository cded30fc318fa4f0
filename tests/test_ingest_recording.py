from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codecctl.datasets.ingest_recording import Job, Output, ingest_recording
from codecctl.datasets.store import RecordingInfo, Store, committed_recordings, write_index
from codecctl.errors import DataError


def output(path: Path, store: Path, *, rate: int = 24_000, known_hash: str = "") -> Output:
    return Output(
        store=str(store),
        name=path.stem,
        take=path.stem,
        sample_rate=rate,
        dtype="int16",
        target_size=0,
        known_hash=known_hash,
    )


def job(path: Path, *outputs: Output, source_hash: str = "xxh3-128") -> Job:
    return Job(
        path=str(path),
        source_name=path.name,
        corpus="",
        scene="",
        array="unknown-2ch",
        source_size=0,
        outputs=outputs,
        source_hash=source_hash,
    )


def ingest(path: Path, *outputs: Output, source_hash: str = "xxh3-128") -> RecordingInfo:
    """Store a file and return the only row."""
    (info,) = ingest_recording(job(path, *outputs, source_hash=source_hash), lambda _: None)
    assert info is not None
    return info


def write(path: Path, frames: int, *, channels: int = 2, rate: int = 48_000) -> Path:
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, (frames, channels)).astype(np.float32)
    soundfile.write(path, audio, rate, subtype="PCM_16")
    return path


def test_progress_adds_up_to_the_size_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", 60_000)
    counts: list[int] = []
    (info,) = ingest_recording(job(path, output(path, tmp_path / "s")), counts.append)
    assert sum(counts) == path.stat().st_size
    assert info is not None
    assert (info.frames, info.source_bits, info.source_size) == (30_000, 16, path.stat().st_size)


def test_a_known_file_is_left_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", 60_000)
    info = ingest(path, output(path, tmp_path / "s"))
    again = output(path, tmp_path / "s", known_hash=info.source_hash)
    assert ingest_recording(job(path, again), lambda _: None) == (None,)


def test_an_ingest_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", 60_000)

    def nobody_listens(_: int) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        ingest_recording(job(path, output(path, tmp_path / "s")), nobody_listens)
    assert list((tmp_path / "s").rglob("*.*")) == []


def test_less_than_a_sample_of_the_new_rate_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", 1, rate=96_000)
    with pytest.raises(DataError, match="holds no sample at 24000 Hz"):
        ingest(path, output(path, tmp_path / "s"))


def test_a_second_of_24_khz_holds_nothing_of_what_was_above_12_khz(tmp_path: Path) -> None:
    """A tone above 12 kHz for each of 32 capsules, folded back by a poor conversion."""
    frequencies = 12_200 + 300 * np.arange(32)
    audio = 0.5 * np.sin(2 * np.pi * np.arange(3 * 48_000)[:, None] / 48_000 * frequencies)
    soundfile.write(tmp_path / "a.wav", audio, 48_000, subtype="PCM_24")
    facts = job(tmp_path / "a.wav", output(tmp_path / "a.wav", tmp_path / "s"))
    (info,) = ingest_recording(replace(facts, array="em32"), lambda _: None)
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
    ingest(path, output(path, tmp_path / "s"))
    assert committed_recordings(tmp_path / "s")["a"].frames == 1


@pytest.mark.parametrize("container", ["WAV", "FLAC"])
def test_memory_does_not_grow_with_the_length(tmp_path: Path, container: str) -> None:
    def peak(seconds: int) -> int:
        path = tmp_path / f"{seconds}.wav"
        silence = np.zeros((seconds * 4000, 8), np.int16)
        soundfile.write(path, silence, 4000, format=container, subtype="PCM_16")
        tracemalloc.start()
        ingest(path, output(path, tmp_path / "s", rate=4000))
        try:
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    one_block, six_blocks = peak(65), peak(390)
    assert six_blocks < 1.1 * one_block
