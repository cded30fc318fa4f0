"""The exact frequency response of the conversion from 48 to 24 kHz, from impulse responses.

    .venv/bin/python benchmarks/resampler.py

At half the rate, an impulse leaves every second tap of the filter, which taps depends on whether
it lies on an even or an odd frame; both together are the whole filter. About a second.
"""

from __future__ import annotations

import sys

import numpy as np

from codecctl.datasets.resample import QUALITY, Resampler

SOURCE_RATE, RATE = 48_000, 24_000
FRAMES, AT, POINTS = 16_384, 8192, 1 << 18
RIPPLE_DB, ALIAS_DB = 0.01, -100.0


def main() -> int:
    """Print ripple and aliases with their bars; 1 when one is missed."""
    frequency = np.fft.rfftfreq(POINTS, 1 / SOURCE_RATE)
    gain_db = 20 * np.log10(np.abs(np.fft.rfft(taps(), POINTS)) + 1e-12)
    ripple = float(np.abs(gain_db[frequency <= 10_800]).max())
    alias = float(gain_db[frequency >= 12_000].max())
    edge = float(gain_db[np.searchsorted(frequency, 12_000)])
    print(f"soxr {QUALITY}, {SOURCE_RATE} to {RATE} Hz, both phases of the filter")
    held = [ripple <= RIPPLE_DB, alias <= ALIAS_DB]
    words = ["held" if good else "MISSED" for good in held]
    print(f"  ripple to 10.8 kHz   {ripple:10.5f} dB   hold {RIPPLE_DB:g}: {words[0]}")
    print(f"  worst from 12 kHz    {alias:10.1f} dB   hold {ALIAS_DB:g}: {words[1]}")
    print(f"  at 12 kHz            {edge:10.1f} dB")
    return 0 if all(held) else 1


def taps() -> np.ndarray:
    """The filter at the rate of the source."""
    impulses = np.zeros((2, FRAMES), np.float32)
    impulses[0, AT] = impulses[1, AT + 1] = 1
    resampler = Resampler(2, source_rate=SOURCE_RATE, rate=RATE)
    even, odd = resampler.convert(impulses, last=True)
    filter_taps = np.zeros(FRAMES)
    filter_taps[0::2], filter_taps[1:-1:2] = even, odd[1:]
    return filter_taps


if __name__ == "__main__":
    sys.exit(main())
