from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codecctl.datasets.container import Container, SampleFormat, read_container

FRAMES, CHANNELS = 1000, 3
FORMATS = ["WAV", "WAVEX", "RF64", "W64", "AIFF", "CAF", "AU"]


def write(path: Path, container: str) -> bytes:
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, (FRAMES, CHANNELS))
    soundfile.write(path, audio, 48_000, format=container, subtype="PCM_24")
    return path.read_bytes()


def read(path: Path) -> Container:
    container = read_container(path)
    assert container is not None
    return container


@pytest.mark.parametrize("container", FORMATS)
def test_the_samples_of_every_container_are_all_there(tmp_path: Path, container: str) -> None:
    write(tmp_path / "x", container)
    found = read(tmp_path / "x")
    assert found.announced == found.present == FRAMES * CHANNELS * 3
    assert found.missing == 0


@pytest.mark.parametrize("container", FORMATS)
def test_a_cut_file_misses_exactly_what_was_cut(tmp_path: Path, container: str) -> None:
    data = write(tmp_path / "x", container)
    whole = read(tmp_path / "x")
    (tmp_path / "x").write_bytes(data[: whole.offset + 1234])
    assert read(tmp_path / "x").present == 1234
    assert read(tmp_path / "x").missing == FRAMES * CHANNELS * 3 - 1234


@pytest.mark.parametrize("container", ["WAV", "WAVEX", "RF64", "W64"])
def test_the_sample_format_of_wav_files_is_known(tmp_path: Path, container: str) -> None:
    write(tmp_path / "x", container)
    assert read(tmp_path / "x").format == SampleFormat(is_float=False, bits=24, channels=CHANNELS)


def test_chunks_before_and_behind_the_samples_are_stepped_over(tmp_path: Path) -> None:
    data = write(tmp_path / "x", "WAV")
    odd = b"bext" + struct.pack("<I", 5) + b"12345\0"
    tail = b"LIST" + struct.pack("<I", 4) + b"INFO"
    (tmp_path / "y").write_bytes(data[:12] + odd + data[12:] + tail)
    assert read(tmp_path / "y").offset == read(tmp_path / "x").offset + len(odd)
    assert read(tmp_path / "y").present == read(tmp_path / "x").present


def test_a_length_left_open_takes_everything_to_the_end(tmp_path: Path) -> None:
    data = write(tmp_path / "x", "WAV")
    at = data.index(b"data") + 4
    (tmp_path / "x").write_bytes(data[:at] + b"\xff" * 4 + data[at + 4 :])
    found = read(tmp_path / "x")
    assert (found.announced, found.present) == (None, FRAMES * CHANNELS * 3)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"RIFF",
        b"RIFF\0\0\0\0WAVE",
        b"RIFF\0\0\0\0WAVE" + b"\0" * 100_000,
        b"RIFF\0\0\0\0WAVE" + b"junk\xff\xff\xff\x7f" * 3,
        b"RF64\xff\xff\xff\xffWAVEds64\x04\0\0\0abcd",
        b".snd\0",
        b"hello, this is text",
    ],
)
def test_any_bytes_are_walked_without_leaving_the_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    assert read_container(tmp_path / "x") is None


def test_random_damage_of_a_header_never_breaks_the_walk(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    for container in FORMATS:
        data = bytearray(write(tmp_path / "x", container))
        for _ in range(15):
            damaged = data.copy()
            for at in generator.integers(0, 120, size=4):
                damaged[at] = generator.integers(256)
            (tmp_path / "y").write_bytes(damaged)
            found = read_container(tmp_path / "y")
            assert found is None or 0 <= found.present <= len(damaged)
