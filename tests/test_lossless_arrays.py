"""Coding without a model: every byte comes back, channels help each other, damage is refused."""

from __future__ import annotations

import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codecctl.engine.lossless import arrays
from codecctl.engine.lossless.arrays import decode_array, encode_array
from codecctl.engine.lossless.integers import Packer, Unpacker, tables
from codecctl.engine.lossless.magnitudes import MOST, REACH, TOTAL_BITS
from codecctl.engine.lossless.range_coder import put, put_beside, take_beside
from codecctl.errors import CodecctlError, DataError

from .coded_mutations import judge, mutated

SUBTYPES = {8: "PCM_U8", 16: "PCM_16", 24: "PCM_24"}
SHORT = [(2, 0), (8, 1), (25, 1), (32, 0), (32, 1)]
"""Channels and frames."""


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
    [(1, 0), (1, 1), (1, 8193), (2, 31), (8, 701), (25, 3), (32, 700), (64, 33), *SHORT],
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


@pytest.mark.parametrize(
    ("draw", "entropy"),
    [("normal", 0.5 * np.log2(2 * np.pi * np.e)), ("laplace", np.log2(2 * np.e))],
)
def test_numbers_take_what_their_distribution_has_to_take(draw: str, entropy: float) -> None:
    rng = np.random.default_rng(0)
    values = np.rint(getattr(rng, draw)(0, 800, (20000, 2))).astype(np.int64)
    packer = Packer(2)
    packer.rows(values)
    bits = 8 * len(packer.bytes()) / values.size
    assert entropy + np.log2(800) < bits < entropy + np.log2(800) + 0.02


def test_a_scale_follows_its_channel_and_the_others() -> None:
    rng = np.random.default_rng(1)
    loud = np.repeat(rng.choice([10.0, 2000.0], 300), 40)[:, None]
    values = np.rint(rng.laplace(0, 1, (len(loud), 8)) * loud).astype(np.int64)

    def bits(some: np.ndarray) -> float:
        packer = Packer(some.shape[1])
        packer.rows(np.ascontiguousarray(some))
        return 8 * len(packer.bytes()) / some.size

    of_one_scale = np.log2(2 * np.e) + np.log2(np.abs(values).mean())
    assert bits(values[:, :1]) < of_one_scale - 1
    assert bits(values) < bits(values[:, :1]) - 0.5


def test_numbers_come_back_in_pieces_of_any_length() -> None:
    values = np.rint(np.random.default_rng(0).laplace(0, 800, (3000, 3))).astype(np.int64)
    values[:3, 1] = (MOST - 1, -MOST, 0)
    values[1000:2000] = 0
    packer = Packer(3)
    packer.number(29, 5)
    packer.rows(values[:0])
    packer.rows(values[:1234])
    packer.number(0xFFFF, 16)
    packer.rows(values[1234:])
    unpacker = Unpacker(packer.bytes(), 3)
    assert unpacker.number(5) == 29
    assert np.array_equal(unpacker.rows(1234), values[:1234])
    assert unpacker.number(16) == 0xFFFF
    assert np.array_equal(unpacker.rows(1766), values[1234:])
    unpacker.end()


def test_a_carry_runs_through_all_words_that_it_has_to() -> None:
    """The low end of an interval just below a power of two, and then one step above it."""
    words = np.zeros(20, np.uint16)
    words[0], words[1:6] = 7, 0xFFFF
    put((1 << 48) - 1, 1 << 34, 6, words, (3, 1, 2))
    assert words[:7].tolist() == [8, 0, 0, 0, 0, 0, 0]


def test_numbers_beside_the_coder_are_their_bits_in_a_row() -> None:
    rng = np.random.default_rng(2)
    sizes = [0, 32, 1, 31, *rng.integers(0, 33, 200).tolist()]
    numbers = [int(rng.integers(0, 1 << 32)) % (1 << size) for size in sizes]
    words, bits, fill = np.zeros(400, np.uint16), 0, 0
    for number, size in zip(numbers, sizes, strict=True):
        bits, fill = put_beside(bits, fill, words, number, size)
    words[fill >> 4] = bits
    whole = sum(number << sum(sizes[:at]) for at, number in enumerate(numbers))
    assert int.from_bytes(words.astype("<u2").tobytes(), "little") == whole
    assert fill == sum(sizes)
    at = 0
    for number, size in zip(numbers, sizes, strict=True):
        assert take_beside(at, words, size) == number
        at += size
    assert take_beside(1 << 40, words, 32) == 0


def test_frequencies_are_those_of_every_machine_and_of_their_mean() -> None:
    counts = np.diff(tables().bounds, axis=2)
    assert zlib.crc32(counts.astype("<i4").tobytes()) == 0xB5D288B4
    sizes = np.abs(np.arange(-REACH, REACH + 1))
    found = (np.diff(tables().bounds)[:, :, :-1] - 1) @ sizes / (1 << TOTAL_BITS)
    means = 1 / tables().inverses[: found.shape[1]]
    assert np.allclose(found[:, 16:], means[16:], rtol=0.005)


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
