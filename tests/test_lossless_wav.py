"""The parts of WAV files, as libsndfile sees them, and their samples as bytes and back."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codecctl.engine.lossless.wav import packed, read_parts, unpacked, wav_header
from codecctl.errors import DataError, NotFoundError

SUBTYPES = {8: "PCM_U8", 16: "PCM_16", 24: "PCM_24"}


@pytest.mark.parametrize("kind", ["WAV", "WAVEX", "RF64"])
@pytest.mark.parametrize("bits", SUBTYPES)
@pytest.mark.parametrize("channels", [1, 2, 32])
def test_samples_are_found_where_libsndfile_finds_them(
    tmp_path: Path, kind: str, bits: int, channels: int
) -> None:
    half = 1 << (bits - 1)
    samples = np.random.default_rng(bits).integers(-half, half, (41, channels))
    path = tmp_path / "a.wav"
    left = (samples << (32 - bits)).astype(np.int32)
    soundfile.write(path, left, 8000, subtype=SUBTYPES[bits], format=kind)
    parts = read_parts(path)
    assert (parts.channels, parts.bits, parts.rate, parts.frames) == (channels, bits, 8000, 41)
    raw = np.fromfile(path, np.uint8)[parts.offset : parts.end].reshape(41, channels, -1)
    found = unpacked(raw, bits)
    assert np.array_equal(found, samples)
    assert np.array_equal(packed(found, bits), raw)


@pytest.mark.parametrize(
    ("samples", "announced", "frames"),
    [
        (b"", 0, 0),
        (b"\1\2", 2, 1),
        (b"\1\2\3", 3, 1),
        (b"\1\2\3\4", 0xFFFFFFFF, 2),
        (b"\1\2", 99, 1),
    ],
)
def test_lengths_follow_the_header_as_far_as_the_file_goes(
    tmp_path: Path, samples: bytes, announced: int, frames: int
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(samples, announced=announced))
    parts = read_parts(path)
    assert (parts.frames, parts.offset) == (frames, 44)


def wav(
    samples: bytes, *, announced: int | None = None, tag: int = 1, bits: int = 16, channels: int = 1
) -> bytes:
    length = len(samples) if announced is None else announced
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", tag, channels, 8000, 8000 * block, block, bits)
    chunks = b"fmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", length) + samples
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"no WAV file: it starts with b''"),
        (b"fLaC" + bytes(40), r"no WAV file: it starts with b'fLaC"),
        (b"RIFF\0\0\0\0WAVE", r"without samples: found no fmt and data chunk"),
        (b"RIFF\0\0\0\0WAVEdata\4\0\0\0abcd", r"without samples"),
        (wav(b"\0\0\0\0", tag=3, bits=32), r"found coding 3 of 32 bits in 1 channels, needed int"),
        (wav(b"\0\0\0\0", bits=32), r"found coding 1 of 32 bits"),
        (wav(b"\0\0", channels=0), r"in 0 channels"),
        (b"RIFF\0\0\0\0WAVEfmt \4\0\0\0abcd", r"a fmt chunk of 4 bytes, needed 16"),
    ],
)
def test_what_is_no_wav_file_of_integers_says_so(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_parts(path)


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"a\.wav: no such file"):
        read_parts(tmp_path / "a.wav")


@pytest.mark.parametrize("bits", SUBTYPES)
@pytest.mark.parametrize("channels", [1, 2, 3, 32])
@pytest.mark.parametrize("frames", [0, 1, 41])
def test_a_header_is_one_that_libsndfile_reads(
    tmp_path: Path, bits: int, channels: int, frames: int
) -> None:
    half = 1 << (bits - 1)
    samples = np.random.default_rng(bits).integers(-half, half, (frames, channels))
    path, raw = tmp_path / "a.wav", packed(samples, bits).tobytes()
    header = wav_header(channels=channels, bits=bits, rate=44100, frames=frames)
    path.write_bytes(header + raw + bytes(len(raw) % 2))
    left, rate = soundfile.read(path, dtype="int32", always_2d=True)
    assert rate == 44100
    assert soundfile.info(path).subtype == SUBTYPES[bits]
    assert np.array_equal(left >> (32 - bits), samples)
    parts = read_parts(path)
    assert (parts.offset, parts.frames) == (len(header), frames)


def test_sizes_of_more_than_32_bits_have_a_place(tmp_path: Path) -> None:
    """A sparse file: its header, and one sample in its last frame."""
    frames, path = 1 << 27, tmp_path / "a.wav"
    header = wav_header(channels=16, bits=24, rate=48000, frames=frames)
    assert header.startswith(b"RF64")
    with path.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + frames * 48)
        file.seek(len(header) + frames * 48 - 3)
        file.write(b"\1\0\0")
    assert read_parts(path).frames == frames
    with soundfile.SoundFile(path) as sound:
        assert (sound.frames, sound.channels) == (frames, 16)
        sound.seek(frames - 1)
        assert sound.read(1, dtype="int32")[0, -1] == 1 << 8
