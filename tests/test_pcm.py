from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
import xxhash

from codecctl.datasets import pcm
from codecctl.datasets.audiofile import AudioFileError, probe
from codecctl.datasets.pcm import READERS, AudioBlocks, pcm_refusal

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


INTEGER_KINDS = [
    ("WAV", "PCM_U8", 8),
    ("WAV", "PCM_16", 16),
    ("WAV", "PCM_24", 24),
    ("WAV", "PCM_32", 32),
    ("W64", "PCM_24", 24),
    ("AIFF", "PCM_S8", 8),
    ("AIFF", "PCM_24", 24),
    ("CAF", "PCM_32", 32),
    ("FLAC", "PCM_S8", 8),
    ("FLAC", "PCM_16", 16),
    ("FLAC", "PCM_24", 24),
]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(("container", "subtype", "bits"), INTEGER_KINDS)
def test_integers_arrive_as_they_were_written(
    tmp_path: Path, container: str, subtype: str, bits: int, reader: str
) -> None:
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    integers = np.random.default_rng(0).integers(low, high, (3000, 3), endpoint=True)
    integers[:5, 1] = [low, -1, 0, 1, high]
    shifted = (integers << (32 - bits)).astype(np.int32)  # libsndfile takes the highest bits
    soundfile.write(tmp_path / "a", shifted, 48_000, format=container, subtype=subtype)
    blocks = AudioBlocks(probe(tmp_path / "a"), integers=True, reader=reader)
    np.testing.assert_array_equal(joined(blocks), integers.T)


def test_unsigned_bytes_lose_their_offset(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", subtype="PCM_U8", frames=4, channels=1)
    path.write_bytes(path.read_bytes()[:-4] + bytes([0, 127, 128, 255]))
    assert joined(AudioBlocks(probe(path), integers=True)).tolist() == [[-128, -1, 0, 127]]


@pytest.mark.parametrize(
    ("container", "subtype", "held"),
    [
        ("WAV", "FLOAT", "32-bit floats"),
        ("W64", "DOUBLE", "64-bit floats"),
        ("WAV", "ULAW", "ULAW"),
        ("OGG", "VORBIS", "VORBIS"),
        ("CAF", "ALAC_24", "ALAC_24"),  # libsndfile returns loud noise with other samples
    ],
)
def test_floats_and_lossy_codings_have_no_integers(
    tmp_path: Path, container: str, subtype: str, held: str
) -> None:
    audio = probe(write(tmp_path / "a", format=container, subtype=subtype))
    assert pcm_refusal(audio).startswith(f"holds {held}; --dtype pcm keeps integers")


def test_without_a_hash_only_the_samples_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", frames=1000)
    tail = b"JUNK" + (8_000_000).to_bytes(4, "little") + bytes(8_000_000)
    path.write_bytes(path.read_bytes() + tail)

    def bytes_read() -> int:
        fields = Path("/proc/self/io").read_text().split()
        return int(fields[fields.index("rchar:") + 1])

    audio = probe(path)
    before = bytes_read()
    blocks = AudioBlocks(audio, hashes=())
    joined(blocks)
    assert bytes_read() - before < 100_000
    assert blocks.bytes_read == path.stat().st_size
    assert blocks.hash("xxh3-128") == ""


def test_several_hashes_are_made_in_one_pass(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav")
    blocks = AudioBlocks(probe(path), hashes=("sha256", "md5"))
    joined(blocks)
    assert blocks.hash("sha256") == "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    assert blocks.hash("md5") == "md5:" + hashlib.md5(path.read_bytes()).hexdigest()


def test_of_a_w64_file_nothing_but_its_samples_is_taken(tmp_path: Path) -> None:
    path = write(tmp_path / "a.w64", format="W64", subtype="PCM_16", frames=7, channels=1)
    expected, _ = soundfile.read(path, dtype="int16")
    tail = b"junk" + bytes.fromhex("f3acd3118cd100c04f8edb8a") + (24 + 8).to_bytes(8, "little")
    path.write_bytes(path.read_bytes() + b"\0\0" + tail + b"metadata")
    assert soundfile.info(path).frames > 7  # padding and tail, the reason for our own count
    for reader in READERS:
        found = joined(AudioBlocks(probe(path), reader=reader, integers=True))
        assert found.tolist() == [expected.tolist()]
