from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codecctl.datasets.store import (
    RecordingInfo,
    RecordingWriter,
    SourceFacts,
    Store,
    committed_recordings,
    remove_abandoned,
    write_index,
)
from codecctl.errors import CodecctlError, DataError

SOURCE = SourceFacts("Beach-01-Raw.wav", 48000, 24, 960000, 12345, 1700000000.5, "sha256:ab")


def writer(
    folder: Path, shape: tuple[int, int], *, rate: int = 100, dtype: str = "int16"
) -> RecordingWriter:
    channels, frames = shape
    return RecordingWriter(
        folder,
        name="Beach.1",
        scene="Beach",
        take="1",
        array="em32",
        channels=channels,
        frames=frames,
        sample_rate=rate,
        dtype=dtype,
        source=SOURCE,
        labels=[f"capsule {channel + 1}" for channel in range(channels)],
    )


def write(
    folder: Path, audio: np.ndarray, *, rate: int = 100, dtype: str = "int16"
) -> RecordingInfo:
    with writer(folder, (len(audio), audio.shape[1]), rate=rate, dtype=dtype) as recording:
        recording.write(audio)
        return recording.commit()


def read_back(folder: Path, info: RecordingInfo) -> np.ndarray:
    write_index(folder, name="s", sample_rate=info.sample_rate, dtype=info.dtype, recordings=[info])
    with Store.open(folder) as store:
        return store.read(info.name, 0, info.frames, range(info.channels))


def noise(channels: int, frames: int, *, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((channels, frames)).astype(np.float32)


def snr_db(estimate: np.ndarray, reference: np.ndarray) -> float:
    error = np.sum((estimate.astype(np.float64) - reference) ** 2)
    return float(10 * np.log10(np.sum(reference.astype(np.float64) ** 2) / error))


def test_the_file_is_laid_out_as_the_format_says(tmp_path: Path) -> None:
    write(tmp_path, 0.1 * noise(3, 250))
    with h5py.File(tmp_path / "rec/Beach.1.h5", "r", locking=False) as file:
        audio = file["audio"]
        assert (audio.shape, audio.dtype.str, audio.chunks) == ((3, 250), "<i2", (1, 100))
        assert audio.compression is None
        properties = audio.id.get_create_plist()
        assert properties.get_alloc_time() == h5py.h5d.ALLOC_TIME_EARLY
        assert properties.get_fill_time() == h5py.h5d.FILL_TIME_NEVER
        assert (file["scale"].shape, file["scale"].dtype.str) == ((3, 3), "<f4")
        assert (file["check"].shape, file["check"].dtype.str) == ((3, 3), "<u8")
        assert file.attrs["format"] == "codecctl-store"
        assert file.attrs["format_version"] == 2
        assert file.attrs["complete"] == 1
        assert file.attrs["source_hash"] == b"sha256:ab"
        assert file.attrs["source_name"] == "Beach-01-Raw.wav"
        assert [file.attrs[key] for key in ("sample_rate", "frames", "block")] == [100, 250, 100]
        assert list(file.attrs["channel_labels"]) == ["capsule 1", "capsule 2", "capsule 3"]


def test_ten_minutes_of_32_channels_lie_in_one_unbroken_run(tmp_path: Path) -> None:
    rate, second = 8, 0.1 * noise(32, 8)
    with writer(tmp_path, (32, 600 * rate), rate=rate) as recording:
        for _ in range(600):
            recording.write(second)
        info = recording.commit()
    assert info.audio_offset > 0
    with h5py.File(tmp_path / "rec/Beach.1.h5", "r", locking=False) as file:
        last = file["audio"].id.get_chunk_info_by_coord((31, 599 * rate))
        assert last.byte_offset == info.audio_offset + (32 * 600 - 1) * rate * 2


@settings(deadline=None, max_examples=12)
@given(
    blocks=st.lists(st.integers(1, 170), min_size=1, max_size=12),
    dtype=st.sampled_from(["int16", "float32"]),
)
def test_any_sizes_of_blocks_make_the_same_file(blocks: list[int], dtype: str) -> None:
    audio = noise(2, sum(blocks))
    with tempfile.TemporaryDirectory() as folder:
        whole = write(Path(folder) / "whole", audio, dtype=dtype)
        with writer(Path(folder) / "parts", (2, sum(blocks)), dtype=dtype) as recording:
            for block in np.split(audio, np.cumsum(blocks)[:-1], axis=1):
                recording.write(block)
            parts = recording.commit()
        assert parts.audio_hash == whole.audio_hash
        stored = [
            (Path(folder) / part / "rec/Beach.1.h5").read_bytes()[info.audio_offset :][
                : info.geometry.audio_bytes
            ]
            for part, info in (("whole", whole), ("parts", parts))
        ]
        assert stored[0] == stored[1]


@pytest.mark.parametrize("level_db", [-100, -62, -28, -12])
def test_noise_of_any_level_keeps_85_db(tmp_path: Path, level_db: float) -> None:
    audio = noise(4, 3 * 24000) * np.float32(10 ** (level_db / 20))
    estimate = read_back(tmp_path, write(tmp_path, audio, rate=24000))
    assert snr_db(estimate, audio) >= 85


def test_a_click_leaves_the_other_seconds_alone(tmp_path: Path) -> None:
    audio = 1e-3 * noise(1, 3 * 24000)
    audio[0, 24000] = 0.9
    estimate = read_back(tmp_path, write(tmp_path, audio, rate=24000))
    quiet = np.r_[0:24000, 48000:72000]
    assert snr_db(estimate[:, quiet], audio[:, quiet]) >= 85


def test_the_error_is_at_most_half_a_step_of_its_second(tmp_path: Path) -> None:
    audio = noise(2, 250)
    error = np.abs(read_back(tmp_path, write(tmp_path, audio)) - audio)
    for second in range(3):
        span = slice(100 * second, 100 * second + 100)
        peak = np.abs(audio[:, span]).max(axis=1, keepdims=True)
        assert (error[:, span] <= 0.5001 * peak / 32767).all()


def test_silence_stays_silence_and_the_peak_is_exact(tmp_path: Path) -> None:
    audio = np.zeros((2, 150), dtype=np.float32)
    audio[1, 120] = -0.75
    audio[1, 20] = 1e-40  # below what a scale can express
    estimate = read_back(tmp_path, write(tmp_path, audio))
    audio[1, 20] = 0
    np.testing.assert_array_equal(estimate[0], 0)
    np.testing.assert_allclose(estimate[1], audio[1], rtol=1e-7)


@pytest.mark.parametrize("frames", [1, 99, 100, 101, 300])
def test_float32_is_exact_whatever_the_length(tmp_path: Path, frames: int) -> None:
    audio = noise(2, frames)
    np.testing.assert_array_equal(
        read_back(tmp_path, write(tmp_path, audio, dtype="float32")), audio
    )


def test_less_than_a_second_is_not_padded(tmp_path: Path) -> None:
    info = write(tmp_path, noise(32, 30))
    assert (info.frames, info.seconds) == (30, 0.3)
    assert read_back(tmp_path, info).shape == (32, 30)


def test_equal_audio_has_an_equal_audio_hash(tmp_path: Path) -> None:
    audio = noise(2, 250)
    one, two = write(tmp_path / "a", audio), write(tmp_path / "b", audio)
    audio[1, 240] += 0.1
    assert one.audio_hash == two.audio_hash != write(tmp_path / "c", audio).audio_hash


@pytest.mark.parametrize("dtype", ["int16", "float32"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_sample_that_is_not_finite_is_refused_and_named(
    tmp_path: Path, dtype: str, value: float
) -> None:
    audio = noise(2, 250)
    audio[1, 130] = value
    with pytest.raises(DataError, match=r"Beach-01-Raw\.wav: channel 2 holds NaN or .*second 1"):
        write(tmp_path, audio, dtype=dtype)
    assert list((tmp_path / "rec").iterdir()) == []


@pytest.mark.parametrize("frames", [249, 251])
def test_a_length_other_than_announced_is_refused(tmp_path: Path, frames: int) -> None:
    match = f"found {frames} frames at 100 Hz, needed the 250"
    with (
        pytest.raises(DataError, match=match),
        writer(tmp_path, (2, 250)) as recording,
    ):
        recording.write(noise(2, frames))
        recording.commit()
    assert list((tmp_path / "rec").iterdir()) == []


def test_bytes_of_a_source_name_that_are_no_text_are_spelled_out(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9 \xc3\xbc.wav")  # not UTF-8
    with RecordingWriter(
        tmp_path,
        name="a",
        scene="",
        take="a",
        array="unknown-1ch",
        channels=1,
        frames=10,
        sample_rate=100,
        dtype="int16",
        source=SourceFacts(name, 100, 16, 10, 0, 0.0),
        labels=["ü"],
    ) as recording:
        recording.write(noise(1, 10))
        info = recording.commit()
    assert info.source_name == r"caf\udce9 ü.wav"
    read_back(tmp_path, info)


def test_a_failed_block_leaves_nothing_and_keeps_the_version_before(tmp_path: Path) -> None:
    first = write(tmp_path, noise(2, 250))
    with pytest.raises(KeyboardInterrupt), writer(tmp_path, (2, 250)) as recording:
        recording.write(noise(2, 100, seed=1))
        raise KeyboardInterrupt
    assert [path.name for path in (tmp_path / "rec").iterdir()] == ["Beach.1.h5"]
    assert committed_recordings(tmp_path) == {"Beach.1": first}


def test_the_hash_of_the_source_may_come_at_the_end(tmp_path: Path) -> None:
    with writer(tmp_path, (1, 10)) as recording:
        recording.write(noise(1, 10))
        info = recording.commit(source_hash="sha256:" + "f" * 64)
    assert info.source_hash == "sha256:" + "f" * 64
    assert committed_recordings(tmp_path)["Beach.1"] == info


def test_a_killed_writer_leaves_nothing_visible(tmp_path: Path) -> None:
    script = f"""
import sys
from pathlib import Path
import numpy as np
from codecctl.datasets.store import RecordingWriter, SourceFacts
with RecordingWriter(Path({str(tmp_path)!r}), name="Park.1", scene="Park", take="1", array="em32",
        channels=2, frames=500, sample_rate=100, dtype="int16",
        source=SourceFacts("p.wav", 100, 16, 500, 0, 0.0), labels=["1", "2"]) as writer:
    writer.write(np.ones((2, 350), dtype=np.float32))
    print("half", flush=True)
    sys.stdin.read()
"""
    child = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdin is not None and child.stdout is not None
    with child:
        assert child.stdout.readline() == b"half\n"
        (left,) = (tmp_path / "rec").iterdir()
        assert left.name.startswith(".Park.1.tmp-") and left.name.endswith(f"-{child.pid}")
        assert remove_abandoned(tmp_path / "rec") == []  # its writer lives
        child.send_signal(signal.SIGKILL)
    assert committed_recordings(tmp_path) == {}
    assert remove_abandoned(tmp_path / "rec") == [left.name]
    assert list((tmp_path / "rec").iterdir()) == []


def test_a_file_size_limit_is_met_before_the_first_sample(tmp_path: Path) -> None:
    script = f"""
import resource
from pathlib import Path
from codecctl.datasets.store import RecordingWriter, SourceFacts
from codecctl.errors import CodecctlError
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    with RecordingWriter(Path({str(tmp_path)!r}), name="a", scene="", take="a", array="em32",
            channels=32, frames=24000, sample_rate=24000, dtype="int16",
            source=SourceFacts("a.wav", 24000, 16, 24000, 0, 0.0), labels=[""] * 32):
        print("opened")
except CodecctlError as error:
    print(error.exit_code, error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(
        f"1 {tmp_path}/rec: file size limit reached: needed 1.56 MB, limit 100 kB"
    )
    assert list((tmp_path / "rec").iterdir()) == []


def test_a_full_disk_is_known_before_the_first_sample() -> None:
    shared_memory = Path("/dev/shm")
    if not os.access(shared_memory, os.W_OK):
        pytest.skip("needs a tmpfs to fill")
    total = os.statvfs(shared_memory).f_blocks * os.statvfs(shared_memory).f_frsize
    if total > 1 << 38 or resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY:
        pytest.skip("needs a small tmpfs and no limit on files")
    rate = 1_000_000
    with tempfile.TemporaryDirectory(dir=shared_memory) as folder:
        with (
            pytest.raises(CodecctlError, match=r"rec: disk full: needed .* GB, free ") as caught,
            writer(Path(folder), (1, total // 2 + rate), rate=rate),
        ):
            pass
        assert caught.value.exit_code == 1
        assert list(Path(folder, "rec").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "rec").write_text("a file where a folder has to be")
    with pytest.raises(CodecctlError, match=r"cannot write: (File exists|Not a directory)"):
        write(tmp_path, noise(1, 10))
