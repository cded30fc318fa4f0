"""Coding without a model: every byte comes back, channels help each other, damage is refused."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codecctl.engine.lossless import arrays
from codecctl.engine.lossless.arrays import decode_array, encode_array
from codecctl.engine.lossless.integers import MOST, Packer, Unpacker, tables
from codecctl.errors import CodecctlError, DataError

from .coded_mutations import judge, mutated

SUBTYPES = {8: "PCM_U8", 16: "PCM_16", 24: "PCM_24"}


def write_wav(path: Path, samples: np.ndarray, bits: int) -> Path:
    left = (samples << (32 - bits)).astype(np.int32)
    soundfile.write(path, left, 8000, subtype=SUBTYPES[bits], format="WAV")
    return path


def there_and_back(wav: Path) -> bytes:
    """Code and decode; returns the coded bytes."""
    coded, back = wav.with_suffix(".cctl"), wav.with_name("back.wav")
    encode_array(wav, coded)
    decode_array(coded, back)
    assert back.read_bytes() == wav.read_bytes()
    content = coded.read_bytes()
    coded.unlink()
    back.unlink()
    return content


def noise(bits: int, frames: int, channels: int) -> np.ndarray:
    """Loud noise with both extremes in it."""
    half = 1 << (bits - 1)
    drawn = np.random.default_rng(frames).integers(-half, half, (frames, channels))
    drawn[:1] = half - 1
    drawn[-1:] = -half
    return drawn


def field(frames: int, channels: int) -> np.ndarray:
    """Two smooth sources in all channels, and a little noise in each."""
    rng = np.random.default_rng(3)
    sources = np.cumsum(rng.normal(size=(frames, 2)), axis=0) * 40
    mixed = sources @ rng.normal(size=(2, channels)) + rng.normal(size=(frames, channels)) * 3
    return np.rint(np.clip(mixed, -32768, 32767)).astype(np.int64)


@pytest.mark.parametrize("bits", SUBTYPES)
@pytest.mark.parametrize(
    ("channels", "frames"),
    [(1, 0), (1, 1), (1, 8193), (2, 31), (8, 701), (25, 3), (32, 700), (64, 33)],
)
def test_every_byte_comes_back(tmp_path: Path, bits: int, channels: int, frames: int) -> None:
    there_and_back(write_wav(tmp_path / "a.wav", noise(bits, frames, channels), bits))


def test_several_segments_a_dead_channel_and_square_waves_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "MOST_FRAMES", 8192)
    samples = field(3 * 8192 + 77, 3)
    samples[:, 1] = 0
    samples[9000:, 2] = np.where(np.arange(len(samples) - 9000) // 50 % 2, 32767, -32768)
    there_and_back(write_wav(tmp_path / "a.wav", samples, 16))


def test_channels_are_predicted_from_each_other(tmp_path: Path) -> None:
    samples = field(6000, 8)
    together = len(there_and_back(write_wav(tmp_path / "a.wav", samples, 16)))
    apart = sum(
        len(there_and_back(write_wav(tmp_path / "a.wav", samples[:, [channel]], 16)))
        for channel in range(8)
    )
    assert together < 0.75 * apart


def test_silence_and_low_bits_that_are_zero_cost_nothing(tmp_path: Path) -> None:
    silent = there_and_back(write_wav(tmp_path / "a.wav", np.zeros((8000, 4), np.int64), 16))
    assert len(silent) < 1000
    narrow = there_and_back(write_wav(tmp_path / "a.wav", noise(8, 4000, 1), 16))
    wide = there_and_back(write_wav(tmp_path / "a.wav", noise(8, 4000, 1) << 8, 16))
    assert abs(len(wide) - len(narrow)) < 80


def test_numbers_take_what_a_gaussian_has_to_take() -> None:
    values = np.rint(np.random.default_rng(0).normal(0, 800, (4, 20000))).astype(np.int64)
    values[1, :3] = (MOST - 1, -MOST + 1, 0)
    values[2] = 0
    packer = Packer()
    packer.rows(values[[0, 3]])
    entropy = np.log2(800 * np.sqrt(2 * np.pi * np.e))
    assert entropy < 8 * len(packer.bytes()) / 40000 < entropy + 0.02
    packer.rows(values)
    unpacker = Unpacker(packer.bytes())
    assert np.array_equal(unpacker.rows(2, 20000), values[[0, 3]])
    assert np.array_equal(unpacker.rows(4, 20000), values)
    unpacker.end()


def test_tables_are_those_of_every_machine() -> None:
    assert tables().check == 0x6E85B8EF


def test_a_mutated_file_gives_the_audio_or_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "MOST_FRAMES", 64)
    wav = write_wav(tmp_path / "a.wav", field(200, 2), 16)
    content, source = there_and_back(wav), tmp_path / "b.cctl"
    outcomes = Counter[str]()
    for number in range(200):
        source.write_bytes(mutated(content, number, seed=2))
        outcomes[judge(source, wav.read_bytes(), decode_array)] += 1
    assert set(outcomes) <= {"refused", "equal"}
    assert outcomes["refused"] > 100


def test_more_channels_than_a_segment_takes_are_refused(tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "a.wav", noise(16, 3, 65), 16)
    with pytest.raises(DataError, match=r"found 65 channels, needed at most 64; write groups"):
        encode_array(wav, tmp_path / "a.cctl")
    assert not (tmp_path / "a.cctl").exists()


def test_a_file_of_an_earlier_format_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wav = write_wav(tmp_path / "a.wav", noise(16, 3, 1), 16)
    monkeypatch.setattr(arrays, "MODEL", "linear prediction 1")
    encode_array(wav, tmp_path / "a.cctl")
    monkeypatch.undo()
    with pytest.raises(DataError, match=r"found 'linear prediction 1', needed 'linear prediction"):
        decode_array(tmp_path / "a.cctl", tmp_path / "b.wav")
    assert not (tmp_path / "b.wav").exists()


def test_a_machine_that_computes_otherwise_is_told_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wav = write_wav(tmp_path / "a.wav", noise(16, 3, 1), 16)
    encode_array(wav, tmp_path / "a.cctl")
    monkeypatch.setattr("codecctl.engine.lossless.prediction.check", lambda: 1)
    with pytest.raises(CodecctlError, match="computes otherwise than the one that coded it"):
        decode_array(tmp_path / "a.cctl", tmp_path / "b.wav")
    assert not (tmp_path / "b.wav").exists()


def test_an_interrupt_leaves_nothing_half_written(tmp_path: Path) -> None:
    wav = write_wav(tmp_path / "a.wav", noise(16, 30, 1), 16)

    def interrupted(_count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode_array(wav, tmp_path / "a.cctl", advance=interrupted)
    encode_array(wav, tmp_path / "b.cctl")
    with pytest.raises(KeyboardInterrupt):
        decode_array(tmp_path / "b.cctl", tmp_path / "b.wav", advance=interrupted)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.wav", "b.cctl"]
