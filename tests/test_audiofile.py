from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codecctl.datasets.audiofile import AudioFileError, probe


def write(path: Path, *, frames: int = 4800, channels: int = 2, **kind: str) -> Path:
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, (frames, channels))
    soundfile.write(path, audio, 48_000, **{"subtype": "PCM_24", **kind})
    return path


def test_a_header_says_rate_channels_length_and_depth(tmp_path: Path) -> None:
    found = probe(write(tmp_path / "a.wav", channels=32, format="WAVEX"))
    assert (found.channels, found.frames, found.sample_rate, found.bits) == (32, 4800, 48_000, 24)
    assert found.seconds == 0.1
    assert not found.is_float
    assert found.container is not None


def test_lossy_audio_has_no_bits_and_may_exceed_full_scale(tmp_path: Path) -> None:
    found = probe(write(tmp_path / "a.ogg", format="OGG", subtype="VORBIS"))
    assert (found.bits, found.is_float, found.container, found.warnings) == (0, True, None, ())


def test_an_empty_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    with pytest.raises(AudioFileError, match=r"a\.wav: empty file \(0 bytes\)"):
        probe(tmp_path / "a.wav")


def test_text_named_wav_shows_how_it_starts(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("Beach recordings, see the README")
    with pytest.raises(AudioFileError, match="not audio: it starts with b'Beach rec"):
        probe(tmp_path / "a.wav")


def test_a_file_without_samples_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="holds no samples"):
        probe(write(tmp_path / "a.wav", frames=0))


@pytest.mark.parametrize("container", ["WAV", "WAVEX", "RF64", "W64", "AIFF", "CAF", "AU"])
def test_a_truncated_file_is_refused(tmp_path: Path, container: str) -> None:
    path = write(tmp_path / "a.wav", format=container)
    os.truncate(path, path.stat().st_size - 6000)
    with pytest.raises(AudioFileError, match=r"truncated: the header announces 28800 .*22800"):
        probe(path)


def test_libsndfile_itself_takes_what_a_truncated_file_holds(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav")
    os.truncate(path, path.stat().st_size - 6000)
    assert soundfile.info(path).frames == 3800  # the reason for our own check


def test_a_recorder_that_never_closed_its_file_is_recognized(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav")
    data = path.read_bytes()
    at = data.index(b"data") + 4
    path.write_bytes(data[:at] + b"\0" * 4 + data[at + 4 :])
    with pytest.raises(AudioFileError, match="did not close the file"):
        probe(path)


def test_a_length_left_open_is_a_warning(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav")
    data = path.read_bytes()
    at = data.index(b"data") + 4
    path.write_bytes(data[:at] + b"\xff" * 4 + data[at + 4 :])
    assert "leaves the length open" in probe(path).warnings[0]
    assert probe(path).frames == 4800


def test_more_than_a_riff_header_can_announce_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav")
    os.truncate(path, 2**32 + 100)  # sparse: no byte is written
    with pytest.raises(AudioFileError, match="rewrite it as RF64"):
        probe(path)


def test_a_header_beyond_two_gibibytes_is_read_unsigned(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", format="RF64", frames=10, channels=32)
    size = 3_000_000_000 // 96 * 96
    data = bytearray(path.read_bytes())
    data[28:36] = size.to_bytes(8, "little")
    path.write_bytes(data)
    os.truncate(path, data.index(b"data") + 8 + size)
    assert probe(path).frames == size // 96


def test_an_ogg_file_without_an_end_is_a_warning(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ogg", format="OGG", subtype="VORBIS", frames=96_000)
    os.truncate(path, path.stat().st_size * 2 // 3)
    assert "cut short" in probe(path).warnings[0]


def test_a_missing_file_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="cannot be read: No such file"):
        probe(tmp_path / "a.wav")


def test_a_rate_out_of_range_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(100), 10)
    with pytest.raises(AudioFileError, match="found a rate of 10 Hz, needed 1000 to"):
        probe(tmp_path / "a.wav")


def test_the_genuine_clip_is_what_its_description_says(shared_audio: Path) -> None:
    found = probe(shared_audio / "sph" / "eigenscape" / "Beach-01-Raw.wav")
    assert (found.channels, found.sample_rate, found.bits) == (32, 48_000, 24)
    assert found.frames == 14_400
    assert found.container is not None
    assert found.container.offset == 80
