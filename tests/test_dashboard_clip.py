"""Reading one channel of a preview."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from codecctl.dashboard.clip import MAX_SECONDS, read_clip


def test_one_channel_of_many_is_read(tmp_path: Path) -> None:
    path = tmp_path / "item-000.wav"
    audio = np.stack([np.full(240, 0.25), np.full(240, -0.5)], axis=1)
    soundfile.write(path, audio, 24_000, subtype="FLOAT")
    clip = read_clip(str(path), 1)
    assert (clip.channel, clip.num_channels, clip.sample_rate) == (1, 2, 24_000)
    assert clip.seconds == 0.01
    np.testing.assert_array_equal(clip.samples, np.float32(-0.5))
    assert read_clip(str(path), 7).channel == 1  # the last one there is


def test_only_the_beginning_of_a_long_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    soundfile.write(path, np.zeros(int((MAX_SECONDS + 5) * 8_000)), 8_000)
    assert read_clip(str(path), 0).seconds == MAX_SECONDS


def test_a_file_that_is_gone_empty_or_no_audio_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no audio")
    soundfile.write(tmp_path / "empty.wav", np.zeros((0, 2)), 24_000)
    for name in ("gone.wav", "text.wav", "empty.wav"):
        clip = read_clip(str(tmp_path / name), 0)
        assert clip.problem.startswith(name)
        assert clip.samples.size == 0


def test_broken_samples_are_drawn_as_silence(tmp_path: Path) -> None:
    path = tmp_path / "nan.wav"
    soundfile.write(path, np.array([np.nan, 0.5]), 24_000, subtype="FLOAT")
    assert read_clip(str(path), 0).samples.tolist() == [0.0, 0.5]
