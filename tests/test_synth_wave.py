"""Files as the recorder of an em32 writes them."""

import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codecctl.datasets.synth.names import SPELLINGS, recording_path
from codecctl.datasets.synth.wave import replacing, wave_bytes, write_wave

RATE = 48_000


def _blocks(frames: int, seed: int = 0) -> list[np.ndarray]:
    audio = np.random.default_rng(seed).uniform(-0.5, 0.5, (32, frames)).astype(np.float32)
    return np.array_split(audio, 3, axis=1)


def test_the_header_is_that_of_the_genuine_excerpt(tmp_path: Path) -> None:
    path = tmp_path / "Beach-01-Raw.wav"
    write_wave(path, _blocks(1000), sample_rate=RATE, channels=32)
    data = path.read_bytes()
    assert len(data) == wave_bytes(1000, 32) == 80 + 1000 * 96
    assert data[:4] == b"RIFF" and data[8:16] == b"WAVEfmt "
    size, tag, channels, rate, per_second, align, bits, extra, valid, mask = struct.unpack(
        "<IHHIIHHHHI", data[16:44]
    )
    assert (size, tag, channels, rate) == (40, 0xFFFE, 32, 48_000)
    assert (per_second, align, bits, extra, valid, mask) == (4_608_000, 96, 24, 22, 24, 0)
    assert data[44:60] == bytes.fromhex("0100000000001000800000aa00389b71")  # PCM
    assert data[60:72] == b"fact" + struct.pack("<II", 4, 1000)
    assert data[72:80] == b"data" + struct.pack("<I", 96_000)


def test_samples_come_back_to_half_a_step(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    blocks = _blocks(500)
    assert write_wave(path, blocks, sample_rate=RATE, channels=32) == 0
    read = soundfile.read(path)[0].T
    np.testing.assert_allclose(read, np.concatenate(blocks, axis=1), atol=0.5001 / 2**23)


def test_what_exceeds_full_scale_is_clipped_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    block = np.zeros((2, 10), dtype=np.float32)
    block[0, 3], block[1, 4], block[1, 5] = 1.5, -1.5, -1.0
    assert write_wave(path, [block], sample_rate=RATE, channels=2) == 2
    read = soundfile.read(path, dtype="int32")[0] >> 8
    assert read.max() == 2**23 - 1
    assert read.min() == -(2**23)


def test_an_error_while_rendering_leaves_nothing_and_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_text("before")

    def rendering() -> Iterator[np.ndarray]:
        yield np.zeros((32, 100), dtype=np.float32)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_wave(path, rendering(), sample_rate=RATE, channels=32)
    assert path.read_text() == "before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.wav"]


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    # In a process of its own: a limit on file sizes cannot be raised again.
    script = f"""
import resource
import numpy as np
from collections.abc import Iterator
from pathlib import Path
from codecctl.datasets.synth.wave import write_wave
from codecctl.errors import CodecctlError
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_wave(Path({str(tmp_path / "a.wav")!r}), [np.zeros((32, 5000), np.float32)] * 3,
               sample_rate=48000, channels=32)
except CodecctlError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "a.wav: could not be written" in done.stdout
    assert "disk full" in done.stdout
    assert not any(tmp_path.iterdir())


def test_a_replacement_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "log.json"
    with replacing(path) as temporary:
        temporary.write_text("{}")
        assert not path.exists()
        assert temporary.name.startswith(".")
    assert path.read_text() == "{}"
    assert [entry.name for entry in tmp_path.iterdir()] == ["log.json"]


def test_names_are_spelled_in_the_ways_of_eigenscape() -> None:
    assert recording_path("BusyStreet", 1, spelling="raw") == "BusyStreet-01-Raw.wav"
    assert recording_path("BusyStreet", 12, spelling="metadata") == "BusyStreet-12.wav"
    assert recording_path("BusyStreet", 1, spelling="ambisonic") == "BusyStreet.1.wav"
    folders = recording_path("BusyStreet", 1, spelling="folders")
    assert folders == "Busy Street/BusyStreet-01-Raw.wav"
    assert len(SPELLINGS) == 4
