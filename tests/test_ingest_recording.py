from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import soundfile

from codecctl.datasets.ingest_recording import Job, Output, ingest_recording
from codecctl.datasets.sourcehash import FileHashes
from codecctl.datasets.store import RecordingInfo, Store, committed_recordings, write_index
from codecctl.errors import CodecctlError, DataError


def output(
    path: Path, store: Path, *, rate: int = 24_000, dtype: str = "int16", known_hash: str = ""
) -> Output:
    return Output(
        store=str(store),
        name=path.stem,
        take=path.stem,
        sample_rate=rate,
        dtype=dtype,
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


@pytest.mark.long
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

    short, long = peak(65), peak(390)  # 21 MB more as integers, 42 MB as floats
    assert long < short + 500_000


def test_a_job_survives_the_way_to_a_worker(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    before = job(path, output(path, tmp_path / "s"), output(path, tmp_path / "t", rate=44_100))
    assert Job.from_json(json.loads(json.dumps(before.to_json()))) == before


def test_several_outputs_of_one_pass_equal_those_of_several(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", 100_001)
    wanted = [
        output(path, tmp_path / "a", rate=24_000),
        output(path, tmp_path / "b", rate=24_000, dtype="float32"),
        output(path, tmp_path / "c", rate=44_100),
        output(path, tmp_path / "d", rate=48_000, dtype="pcm16"),
        output(path, tmp_path / "e", rate=48_000, dtype="float32"),
    ]
    counts: list[int] = []
    together = ingest_recording(job(path, *wanted), counts.append)
    assert sum(counts) == path.stat().st_size
    for one, row in zip(wanted, together, strict=True):
        alone = ingest(path, replace(one, store=str(tmp_path / "alone")))
        assert row is not None
        assert (row.audio_hash, row.source_hash) == (alone.audio_hash, alone.source_hash)


def test_only_outputs_that_lack_the_file_are_written(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", 60_000)
    first = ingest(path, output(path, tmp_path / "s"), source_hash="sha256")
    known = output(path, tmp_path / "s", known_hash=first.source_hash)
    before = (tmp_path / "s" / "rec" / "a.h5").stat()
    rows = ingest_recording(job(path, known, output(path, tmp_path / "t")), lambda _: None)
    assert rows[0] is None
    assert rows[1] is not None
    assert (tmp_path / "s" / "rec" / "a.h5").stat() == before


def test_outputs_fail_together(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", 60_000)
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "rec").write_text("in the way")
    with pytest.raises(CodecctlError, match="cannot write"):
        ingest_recording(
            job(path, output(path, tmp_path / "s"), output(path, tmp_path / "t")), lambda _: None
        )
    assert list((tmp_path / "s").rglob("*.*")) == []


@pytest.mark.parametrize(
    ("container", "subtype", "dtype"),
    [("WAV", "PCM_U8", "pcm16"), ("WAV", "PCM_24", "pcm24"), ("FLAC", "PCM_24", "pcm24")],
)
def test_a_pcm_store_gives_the_integers_of_the_file(
    tmp_path: Path, container: str, subtype: str, dtype: str
) -> None:
    path = tmp_path / "a"
    audio = np.random.default_rng(0).uniform(-1, 1, (50_000, 3))
    soundfile.write(path, audio, 16_000, format=container, subtype=subtype)
    info = ingest(path, output(path, tmp_path / "s", rate=16_000, dtype=dtype))
    expected, _ = soundfile.read(path, dtype="int32")
    write_index(tmp_path / "s", name="s", sample_rate=16_000, dtype="pcm", recordings=[info])
    with Store.open(tmp_path / "s") as store:
        found = store.read_integers("a", 0, 50_000, range(3))
    np.testing.assert_array_equal(found, expected.T >> (32 - info.source_bits))


def test_a_pcm_store_refuses_what_it_cannot_keep(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", 60_000)
    with pytest.raises(DataError, match=r"is of 48000 Hz, .* never resamples, take --rate native"):
        ingest(path, output(path, tmp_path / "s", dtype="pcm16"))
    soundfile.write(path, np.zeros(48_000), 24_000, subtype="FLOAT")
    with pytest.raises(DataError, match="holds 32-bit floats; --dtype pcm keeps integers"):
        ingest(path, output(path, tmp_path / "s", dtype="pcm16"))
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("algorithm", ["md5", "sha256", "xxh3-128"])
def test_a_file_is_compared_with_its_published_hash(tmp_path: Path, algorithm: str) -> None:
    path = write(tmp_path / "a.wav", 60_000)
    hashes = FileHashes([algorithm])
    hashes.update(path.read_bytes())
    good, bad = hashes.text(algorithm), f"{algorithm}:00"
    wanted = output(path, tmp_path / "s")
    with pytest.raises(DataError, match=rf"published {algorithm}: found \w+, needed 00; download"):
        ingest_recording(replace(job(path, wanted), expected_hash=bad), lambda _: None)
    assert list((tmp_path / "s").rglob("*.*")) == []
    assert ingest_recording(replace(job(path), expected_hash=good), lambda _: None) == ()
    with pytest.raises(DataError, match="download it again"):
        ingest_recording(replace(job(path), expected_hash=bad), lambda _: None)
    (row,) = ingest_recording(replace(job(path, wanted), expected_hash=good), lambda _: None)
    assert row is not None
    assert row.source_hash.startswith("xxh3-128:")


@pytest.mark.parametrize(("source_hash", "start"), [("sha256", "sha256:"), ("none", "")])
def test_a_store_remembers_the_hash_that_was_asked_for(
    tmp_path: Path, source_hash: str, start: str
) -> None:
    path = write(tmp_path / "a.wav", 60_000)
    info = ingest(path, output(path, tmp_path / "s"), source_hash=source_hash)
    assert info.source_hash.startswith(start)
    assert bool(info.source_hash) == bool(start)


def test_a_changed_file_is_refused_unless_it_may_replace(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", 60_000)
    info = ingest(path, output(path, tmp_path / "s"), source_hash="sha256")
    write(path, 50_000)
    changed = output(path, tmp_path / "s", known_hash=info.source_hash)
    with pytest.raises(DataError, match="differs from what was stored as a; --replace"):
        ingest(path, changed, source_hash="none")
    assert ingest(path, replace(changed, replace=True)).frames == 25_000


def test_corpus_and_directions_of_an_em32_are_stored(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", 4800, channels=32)
    facts = replace(job(path, output(path, tmp_path / "s")), array="em32", corpus="eigenscape")
    (info,) = ingest_recording(facts, lambda _: None)
    assert info is not None
    assert info.corpus == "eigenscape"
    with h5py.File(tmp_path / "s" / "rec" / "a.h5") as file:
        directions = file.attrs["channel_directions"]
    assert directions[:2].tolist() == [[69, 0], [90, 32]]


@pytest.mark.parametrize("level_db", [-62, -45, -28])
def test_int16_with_a_scale_keeps_85_db_of_a_field_recording(
    tmp_path: Path, level_db: float
) -> None:
    """Noise that falls by 3 dB an octave, at the levels of a beach, a park and a street."""
    frames, channels, rate = 5 * 24_000, 4, 24_000
    generator = np.random.default_rng(0)
    spectrum = np.fft.rfft(generator.standard_normal((channels, frames)))
    frequency = np.fft.rfftfreq(frames, 1 / rate)
    spectrum *= np.where(frequency < 40, 0, 1 / np.sqrt(np.maximum(frequency, 40)))
    audio = np.fft.irfft(spectrum, frames)
    audio *= 10 ** (level_db / 20) / np.sqrt(np.mean(audio**2))
    soundfile.write(tmp_path / "a.wav", audio.T, rate, subtype="FLOAT")
    path = tmp_path / "a.wav"
    kept, exact = (stored(path, tmp_path / dtype, dtype) for dtype in ("int16", "float32"))
    error = kept.astype(np.float64) - exact
    snr = 10 * np.log10(np.mean(np.square(exact, dtype=np.float64)) / np.mean(error**2))
    assert snr >= 85


def stored(path: Path, store: Path, dtype: str) -> np.ndarray:
    """A file after the way through a store, (4, 120 000)."""
    info = ingest(path, output(path, store, dtype=dtype))
    write_index(store, name="s", sample_rate=24_000, dtype=dtype, recordings=[info])
    with Store.open(store) as reader:
        return reader.read("a", 0, info.frames, range(info.channels)).copy()
