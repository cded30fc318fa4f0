"""Exact-length, delay-free conversion of the sample rate, in blocks of any size."""

from __future__ import annotations

import numpy as np
import soxr

QUALITY = "HQ"
"""Ripple below 0.0001 dB up to 10.8 kHz and -130 dB from 12 kHz on at 48 to 24 kHz, at a third
of the cost of reading 24-bit audio with a decoder."""


def converted_frames(frames: int, source_rate: int, rate: int) -> int:
    """Frames after conversion: `frames * rate / source_rate`, halves rounded up."""
    return (2 * frames * rate + source_rate) // (2 * source_rate)


class Resampler:
    """One soxr stream a channel, fed with planar blocks in order.

    The filters are linear in phase and their delay is taken out: output frame n lies at the time
    of n / rate. The streams hold back what depends on input to come; the last block flushes them,
    and soxr then takes silence behind the end for the filters' look-ahead. Over a whole recording
    exactly `converted_frames` come out: nothing is cut off or added here.

    Args:
        channels: C.
        source_rate: Hz of the blocks.
        rate: Hz wanted; equal rates pass blocks through untouched.
    """

    def __init__(self, channels: int, *, source_rate: int, rate: int) -> None:
        self._streams = (
            [
                soxr.ResampleStream(source_rate, rate, 1, dtype="float32", quality=QUALITY)
                for _ in range(channels)
            ]
            if source_rate != rate
            else []
        )

    def convert(self, block: np.ndarray, *, last: bool) -> np.ndarray:
        """The part of the output (C, m) float32 that this block (C, n) completes; m may be 0."""
        if not self._streams:
            return block
        out = np.empty((0, 0), np.float32)
        for channel, stream in enumerate(self._streams):
            # As one column: soxr copies a row to make it one.
            column = stream.resample_chunk(block[channel].reshape(-1, 1), last=last)
            if channel == 0:
                out = np.empty((len(block), len(column)), np.float32)
            out[channel] = column[:, 0]
        return out
