"""Preview files are read within bounds, and what is wrong with one becomes a line."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codecctl.dashboard import sound
from codecctl.dashboard.sound import read_pair, read_sound

from .preview_files import write_sound


def test_all_channels_are_read_and_one_is_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "item-000.wav"
    audio = np.stack([np.full(240, 0.25), np.full(240, -0.5)])
    write_sound(path, audio)
    found = read_sound(str(path))
    assert (found.channels, found.sample_rate, found.cut) == (2, 24_000, False)
    clip = found.clip(1)
    assert clip.seconds == 0.01
    np.testing.assert_array_equal(clip.samples, np.float32(-0.5))
    np.testing.assert_array_equal(found.clip(7).samples, clip.samples)  # the last one there is


def test_only_the_beginning_of_a_long_file_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, np.zeros((25 * 8000, 2)), 8000)
    found = read_sound(str(path))
    assert (found.audio.shape, found.cut) == ((2, 20 * 8000), True)
    monkeypatch.setattr(sound, "MAX_SAMPLES", 1000)
    assert read_sound(str(path)).audio.shape == (2, 500)


def test_a_file_that_is_no_preview_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no audio")
    soundfile.write(tmp_path / "empty.wav", np.zeros((0, 2)), 24_000)
    soundfile.write(tmp_path / "slow.wav", np.zeros(10), 4)
    soundfile.write(tmp_path / "wide.wav", np.zeros((2, 300)), 24_000)
    os.mkfifo(tmp_path / "pipe.wav")  # is not waited for
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "cut.wav").write_bytes(b"RIFF\x00\x00")
    names = ("gone", "text", "empty", "slow", "wide", "pipe", "folder", "cut")
    for name in names:
        found = read_sound(str(tmp_path / f"{name}.wav"))
        assert found.problem.startswith(f"{name}.wav: "), name
        assert "\n" not in found.problem
        assert found.channels == 0
        assert found.clip(0).samples.size == 0


def test_a_header_that_promises_more_than_there_is_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "liar.wav"
    write_sound(path, np.full((1, 100), 0.5))
    content = bytearray(path.read_bytes())
    place = content.index(b"data")
    content[place + 4 : place + 8] = struct.pack("<I", 0xFFFF_FF00)
    path.write_bytes(content)
    found = read_sound(str(path))
    assert found.problem or found.audio.shape[1] <= 100


def test_broken_samples_are_drawn_as_silence(tmp_path: Path) -> None:
    path = tmp_path / "nan.wav"
    soundfile.write(path, np.array([np.nan, 0.5, np.inf]), 24_000, subtype="FLOAT")
    assert read_sound(str(path)).audio[0].tolist() == [0.0, 0.5, 4.0]


def test_a_pair_has_one_rate_one_number_of_channels_and_one_length(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", np.zeros((2, 480)))
    write_sound(tmp_path / "longer.wav", np.zeros((2, 500)))
    write_sound(tmp_path / "mono.wav", np.zeros((1, 480)))
    write_sound(tmp_path / "fast.wav", np.zeros((2, 480)), rate=48_000)
    reference = str(tmp_path / "a.wav")
    pair = read_pair(reference, str(tmp_path / "longer.wav"))
    assert pair.problem == ""
    assert pair.reference.audio.shape == pair.reconstruction.audio.shape == (2, 480)
    pair = read_pair(reference, str(tmp_path / "mono.wav"))
    assert pair.problem == "found 1 channels at 24000 Hz, its reference has 2 at 24000 Hz"
    pair = read_pair(reference, str(tmp_path / "fast.wav"))
    assert pair.problem == "found 2 channels at 48000 Hz, its reference has 2 at 24000 Hz"
    assert read_pair("", reference).problem == "not written"
