from __future__ import annotations

import numpy as np
import pytest

from codecctl.datasets.resample import Resampler, converted_frames

RATES = [(48_000, 24_000), (44_100, 24_000), (16_000, 24_000), (96_000, 24_000), (48_000, 44_100)]


def convert(audio: np.ndarray, source_rate: int, rate: int, *, block: int = 5000) -> np.ndarray:
    """(C, n) to (C, m), in blocks."""
    resampler = Resampler(len(audio), source_rate=source_rate, rate=rate)
    frames = audio.shape[1]
    return np.concatenate(
        [
            resampler.convert(audio[:, at : at + block], last=at + block >= frames).copy()
            for at in range(0, frames, block)
        ],
        axis=1,
    )


def tone(frequency: float, *, rate: int, seconds: float = 2.0) -> np.ndarray:
    return np.sin(2 * np.pi * frequency * np.arange(round(rate * seconds)) / rate)[None]


@pytest.mark.parametrize(("source_rate", "rate"), RATES)
@pytest.mark.parametrize("frames", [1, 2, 3, 999, 24_001, 48_000, 100_003])
def test_the_number_of_frames_is_exact_whatever_the_blocks(
    source_rate: int, rate: int, frames: int
) -> None:
    expected = converted_frames(frames, source_rate, rate)
    assert expected == int(frames * rate / source_rate + 0.5)
    for block in (777, 4096, 1_000_000):
        audio = np.zeros((1, frames), np.float32)
        assert convert(audio, source_rate, rate, block=block).shape == (1, expected)


def test_ten_minutes_lose_no_frame() -> None:
    source_rate, frames = 44_100, 44_100 * 600 + 1
    resampler = Resampler(1, source_rate=source_rate, rate=24_000)
    block = np.zeros((1, 62_501), np.float32)
    found = 0
    for at in range(0, frames, 62_501):
        rest = frames - at
        found += resampler.convert(block[:, :rest], last=rest <= 62_501).shape[1]
    assert found == converted_frames(frames, source_rate, 24_000)


@pytest.mark.parametrize(("source_rate", "rate"), RATES)
def test_a_sine_keeps_its_phase_and_level(source_rate: int, rate: int) -> None:
    audio = tone(1000.0, rate=source_rate).astype(np.float32)
    found = convert(audio, source_rate, rate)[0]
    expected = tone(1000.0, rate=rate)[0]
    middle = slice(2000, -2000)  # at the ends the sine begins and stops
    assert np.abs(found - expected)[middle].max() < 2e-6


@pytest.mark.parametrize("frequency", [12_100.0, 13_000.0, 16_000.0, 20_000.0, 23_900.0])
def test_what_the_new_rate_cannot_hold_is_suppressed_by_100_db(frequency: float) -> None:
    found = convert(tone(frequency, rate=48_000).astype(np.float32), 48_000, 24_000)[0]
    # Steady state: a tone that starts and stops has honest energy everywhere.
    power = np.mean(np.square(found[4000:-4000], dtype=np.float64))
    assert 10 * np.log10(power / 0.5 + 1e-30) < -100


@pytest.mark.parametrize("frequency", [20.0, 5000.0, 10_800.0])
def test_what_it_can_hold_passes_within_a_hundredth_of_a_decibel(frequency: float) -> None:
    found = convert(tone(frequency, rate=48_000).astype(np.float32), 48_000, 24_000)[0]
    power = np.mean(np.square(found[12_000:36_000], dtype=np.float64))
    assert abs(10 * np.log10(power / 0.5)) < 0.01


def test_channels_do_not_touch_each_other() -> None:
    audio = np.random.default_rng(0).standard_normal((3, 30_000)).astype(np.float32)
    together = convert(audio, 48_000, 24_000)
    for channel in range(3):
        alone = convert(audio[channel : channel + 1], 48_000, 24_000)
        np.testing.assert_array_equal(together[channel], alone[0])


def test_equal_rates_pass_through_untouched() -> None:
    audio = np.random.default_rng(0).standard_normal((2, 1000)).astype(np.float32)
    np.testing.assert_array_equal(convert(audio, 24_000, 24_000), audio)


@pytest.mark.parametrize(("source_rate", "rate"), RATES)
def test_blocks_of_any_size_give_the_same_bits(source_rate: int, rate: int) -> None:
    audio = np.random.default_rng(0).standard_normal((2, 40_001)).astype(np.float32)
    whole = convert(audio, source_rate, rate, block=50_000)
    for block in (1000, 9375, 31_250):
        np.testing.assert_array_equal(convert(audio, source_rate, rate, block=block), whole)


def test_the_exact_response_holds_the_band_and_keeps_aliases_out() -> None:
    """Halving the rate meets an impulse in two phases: every second tap of the filter each."""
    frames, at = 8192, 4096
    impulses = np.zeros((2, frames), np.float32)
    impulses[0, at] = impulses[1, at + 1] = 1
    even, odd = convert(impulses, 48_000, 24_000)
    taps = np.zeros(frames)
    taps[0::2], taps[1:-1:2] = even, odd[1:]
    gain_db = 20 * np.log10(np.abs(np.fft.rfft(taps, 65_536)) + 1e-12)
    frequency = np.fft.rfftfreq(65_536, 1 / 48_000)
    assert np.abs(gain_db[frequency <= 10_800]).max() <= 0.01
    assert gain_db[frequency >= 12_000].max() <= -100
