"""The tokenizer: symbols by hand, every sample there and back, streams and their inverse."""

from __future__ import annotations

import numpy as np
import pytest

from codecctl.datasets.tokens import (
    MULAW,
    Tokenizer,
    blocked,
    mixed_down,
    rectangles,
    unblocked,
)


def every_sample(bits: int) -> np.ndarray:
    """All of 8 and 16 bits; the extremes and a million others of more."""
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    if bits <= 16:
        return np.arange(low, high + 1)
    drawn = np.random.default_rng(bits).integers(low, high, 1_000_000, endpoint=True)
    return np.concatenate([[low, -1, 0, 1, high], drawn])


@pytest.mark.parametrize(
    ("sample", "bits", "symbol_bits", "symbol"),
    [
        (0, 16, 16, 32768),
        (-1, 16, 16, 32767),
        (-32768, 16, 16, 0),
        (32767, 16, 16, 65535),
        (0, 16, 8, 128),
        (255, 16, 8, 128),
        (256, 16, 8, 129),
        (-1, 16, 8, 127),
        (-128, 8, 8, 0),
        (-128, 8, 16, 0),
        (1, 8, 16, 33024),
        (-(1 << 23), 24, 24, 0),
        (511, 24, 16, 32769),
    ],
)
def test_a_sample_becomes_the_symbol_worked_out_by_hand(
    sample: int, bits: int, symbol_bits: int, symbol: int
) -> None:
    assert Tokenizer(symbol_bits).tokens(np.array([sample]), bits=bits).tolist() == [symbol]


@pytest.mark.parametrize("symbol_bits", [8, 16, 24])
@pytest.mark.parametrize("bits", [8, 16, 24])
def test_every_sample_of_no_more_bits_comes_back(bits: int, symbol_bits: int) -> None:
    tokenizer, samples = Tokenizer(symbol_bits), every_sample(bits)
    tokens = tokenizer.tokens(samples, bits=bits)
    assert tokens.min() >= 0 and tokens.max() < tokenizer.vocabulary
    back = tokenizer.samples(tokens, bits=bits)
    assert tokenizer.is_exact(bits) == (bits <= symbol_bits)
    assert np.array_equal(back, samples) == (bits <= symbol_bits)
    assert np.abs(back - samples).max() <= (1 << max(0, bits - symbol_bits)) // 2
    assert np.array_equal(tokenizer.tokens(back, bits=bits), tokens)


@pytest.mark.parametrize("symbol_bits", [8, 16, 24])
def test_symbols_travel_as_float_audio_without_loss(symbol_bits: int) -> None:
    tokenizer = Tokenizer(symbol_bits)
    tokens = tokenizer.tokens(every_sample(symbol_bits), bits=symbol_bits)
    audio = tokenizer.audio(tokens)
    assert audio.dtype == np.float32 and audio.min() >= -1.0 and audio.max() < 1.0
    assert np.array_equal(tokenizer.symbols(audio), tokens)


@pytest.mark.parametrize("bits", [16, 24])
def test_mulaw_rises_and_every_symbol_stands_for_itself(bits: int) -> None:
    tokenizer = Tokenizer(8, MULAW)
    tokens = tokenizer.tokens(np.sort(every_sample(bits)), bits=bits)
    assert np.all(np.diff(tokens) >= 0) and (tokens[0], tokens[-1]) == (0, 255)
    symbols = np.arange(256)
    assert np.array_equal(
        tokenizer.tokens(tokenizer.samples(symbols, bits=bits), bits=bits), symbols
    )
    assert not tokenizer.is_exact(8)


def test_mulaw_is_the_published_curve_and_finer_than_linear_where_it_is_quiet() -> None:
    tokenizer = Tokenizer(8, MULAW)
    half = np.log1p(255 * 0.5) / np.log1p(255)  # 0.875
    assert tokenizer.tokens(np.array([16384]), bits=16)[0] == int((half + 1) * 128)
    quiet = np.arange(-200, 201)
    assert len(np.unique(tokenizer.tokens(quiet, bits=16))) > 40
    assert len(np.unique(Tokenizer(8).tokens(quiet, bits=16))) == 2


def test_two_channels_in_blocks_of_three_are_the_stream_of_the_document() -> None:
    left, right = np.arange(5), 10 + np.arange(5)
    stream = blocked(np.stack([left, right]), block=3)
    assert stream.tolist() == [0, 1, 2, 10, 11, 12, 3, 4, 13, 14]


@pytest.mark.parametrize("channels", [1, 2, 3, 8, 32])
def test_a_stream_of_blocks_has_an_inverse_and_any_span_of_it_can_be_read_alone(
    channels: int,
) -> None:
    rng = np.random.default_rng(channels)
    for _ in range(40):
        frames, block = int(rng.integers(0, 60)), int(rng.integers(1, 40))
        samples = rng.integers(-9, 9, (channels, frames))
        stream = blocked(samples, block=block)
        assert np.array_equal(unblocked(stream, channels=channels, block=block), samples)
        start = int(rng.integers(0, len(stream) + 1))
        length = int(rng.integers(0, len(stream) - start + 1))
        parts = list(rectangles(start, length, channels=channels, frames=frames, block=block))
        found = [
            samples[list(part.channels), part.start : part.start + part.frames].reshape(-1)[
                part.cut
            ]
            for part in parts
        ]
        assert np.array_equal(np.concatenate([*found, stream[:0]]), stream[start : start + length])
        read = sum(part.frames * len(part.channels) for part in parts)
        assert read <= 3 * length


def test_the_mean_of_channels_is_rounded_down_and_cannot_overflow() -> None:
    samples = np.array([[1, -1, 2**31 - 1], [2, -2, 2**31 - 1]], dtype=np.int32)
    assert mixed_down(samples).tolist() == [1, -2, 2**31 - 1]
