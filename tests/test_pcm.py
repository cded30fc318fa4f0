from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
import xxhash

from codecctl.datasets import pcm
from codecctl.datasets.audiofile import AudioFileError, probe
from codecctl.datasets.pcm import AudioBlocks

KINDS = [
    ("WAV", "PCM_U8"),
    ("WAV", "PCM_16"),
    ("WAV", "PCM_24"),
    ("WAV", "PCM_32"),
    ("WAV", "FLOAT"),
    ("WAV", "DOUBLE"),
    ("WAVEX", "PCM_24"),
    ("RF64", "PCM_24"),
    ("W64", "PCM_16"),
    ("AIFF", "PCM_24"),
    ("CAF", "PCM_24"),
    ("FLAC", "PCM_24"),
    ("OGG", "VORBIS"),
]


def write(path: Path, *, frames: int = 20_011, channels: int = 2, **kind: str) -> Path:
    audio = np.random.default_rng(0).uniform(-0.9, 0.9, (frames, channels))
    soundfile.write(path, audio, 48_000, **{"subtype": "PCM_24", "format": "WAV", **kind})
    return path


def joined(blocks: AudioBlocks) -> np.ndarray:
    return np.concatenate([block.copy() for block in blocks], axis=1)


@pytest.mark.parametrize(("container", "subtype"), KINDS)
def test_samples_and_hash_equal_those_of_the_file(
    tmp_path: Path, container: str, subtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pcm, "_BLOCK_SAMPLES", 9_001)  # several blocks, the last one shorter
    path = write(tmp_path / "a", format=container, subtype=subtype)
    blocks = AudioBlocks(probe(path))
    expected, _ = soundfile.read(path, dtype="float32", always_2d=True)
    np.testing.assert_array_equal(joined(blocks), expected.T)
    assert blocks.hash("xxh3-128") == f"xxh3-128:{xxhash.xxh3_128_hexdigest(path.read_bytes())}"


@pytest.mark.parametrize("channels", [1, 2, 7, 25, 32])
def test_any_number_of_channels_is_planar(tmp_path: Path, channels: int) -> None:
    path = write(tmp_path / "a.wav", channels=channels, frames=3000)
    expected, _ = soundfile.read(path, dtype="float32", always_2d=True)
    np.testing.assert_array_equal(joined(AudioBlocks(probe(path))), expected.T)


def test_the_extremes_of_24_bits_arrive_exactly(tmp_path: Path) -> None:
    integers = np.array([-(2**23), -1, 0, 1, 2**23 - 1], dtype=np.int32) << 8
    soundfile.write(tmp_path / "a.wav", integers, 48_000, subtype="PCM_24")
    found = joined(AudioBlocks(probe(tmp_path / "a.wav")))[0]
    assert found.tolist() == [-1.0, -(2.0**-23), 0.0, 2.0**-23, 1 - 2.0**-23]


@pytest.mark.parametrize(("value", "word"), [(np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf")])
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
def test_a_sample_that_is_no_number_is_named_by_channel_and_time(
    tmp_path: Path, value: float, word: str, subtype: str
) -> None:
    audio = np.zeros((48_000, 4))
    audio[36_000, 2] = value
    audio[40_000, 0] = value
    soundfile.write(tmp_path / "a.wav", audio, 48_000, subtype=subtype)
    with pytest.raises(AudioFileError, match=rf"channel 3 holds {word} at 0\.7500 s"):
        joined(AudioBlocks(probe(tmp_path / "a.wav")))


def test_samples_beyond_full_scale_are_kept(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.array([1.5, -3.0]), 48_000, subtype="FLOAT")
    assert joined(AudioBlocks(probe(tmp_path / "a.wav"))).tolist() == [[1.5, -3.0]]


def test_a_truncated_flac_file_is_found_out_while_reading(tmp_path: Path) -> None:
    path = write(tmp_path / "a.flac", format="FLAC", frames=96_000)
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(AudioFileError, match=r"truncated|cannot be decoded"):
        joined(AudioBlocks(probe(path)))


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav")
    audio = probe(path)
    os.utime(path, (1, 1))
    with pytest.raises(AudioFileError, match="changed while it was read"):
        joined(AudioBlocks(audio))
    os.truncate(path, 10_000)
    with pytest.raises(AudioFileError, match="became shorter while it was read"):
        joined(AudioBlocks(audio))
