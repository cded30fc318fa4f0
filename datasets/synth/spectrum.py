"""Spectra drawn as lines through (Hz, dB) points, and noise and filters that have them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from codecctl.datasets.sphere import bin_frequencies

Floats = npt.NDArray[np.float64]
Samples = npt.NDArray[np.float32]
Points = Sequence[tuple[float, float]]
"""(Hz, dB) with rising frequencies; straight in dB over log frequency, constant outside."""

SMOOTHING_OCTAVES = 1 / 3
DYNAMIC_RANGE_DB = 100.0
LOWEST_HERTZ = 15.0
HIGH_PASS_HERTZ = 5.0
"""Microphones pass nothing that stands still; pulses of one sign would leave an offset."""


def decibels(points: Points, frequencies: Floats) -> Floats:
    """The line through some points at given frequencies, dB, (F,)."""
    hertz, values = np.array(points, dtype=np.float64).T
    line: Floats = np.interp(np.log(np.maximum(frequencies, 1.0)), np.log(hertz), values)
    return line


def amplitudes(points: Points, frequencies: Floats) -> Floats:
    """The same as factors, (F,), with a high-pass of second order far below the first point."""
    high_pass = frequencies**2 / (frequencies**2 + HIGH_PASS_HERTZ**2)
    factors: Floats = high_pass * 10 ** (decibels(points, frequencies) / 20)
    return factors


def shaped_noise(
    rng: np.random.Generator, frames: int, *, points: Points, sample_rate: int
) -> Floats:
    """Gaussian noise of unit power with a spectrum, (frames,); its end continues at its start."""
    spectrum = np.fft.rfft(rng.standard_normal(frames))
    spectrum *= amplitudes(points, bin_frequencies(frames, sample_rate))
    spectrum[0] = 0.0
    return unit_power(np.fft.irfft(spectrum, frames))


def filtered(signal: Floats, *, points: Points, sample_rate: int) -> Floats:
    """A loop with its spectrum multiplied by a line through points, (T,)."""
    spectrum = np.fft.rfft(signal)
    spectrum *= amplitudes(points, bin_frequencies(len(signal), sample_rate))
    result: Floats = np.fft.irfft(spectrum, len(signal))
    return result


def unit_power(signal: Floats) -> Floats:
    """A signal scaled to a mean square of one."""
    scaled: Floats = signal / np.sqrt(np.mean(signal**2) + 1e-30)
    return scaled


def equalized(signal: Floats, *, points: Points, sample_rate: int) -> Floats:
    """A loop whose long-term spectrum follows a line through points, unit power, (T,).

    The own spectrum, smoothed over third octaves, is taken out: what changes in time stays.
    """
    spectrum = np.fft.rfft(signal)
    frequencies = bin_frequencies(len(signal), sample_rate)
    correction = decibels(points, frequencies) - _smoothed_db(np.abs(spectrum) ** 2, frequencies)
    spectrum *= 10 ** (correction / 20) * (frequencies > LOWEST_HERTZ)
    return unit_power(np.fft.irfft(spectrum, len(signal)))


def _smoothed_db(power: Floats, frequencies: Floats) -> Floats:
    """Power in dB, averaged over a third of an octave around each frequency, (F,).

    Never more than 100 dB below the loudest, so that a correction does not amplify the void
    above the band of a recording.
    """
    total = np.concatenate([[0.0], np.cumsum(power)])
    half = 2 ** (SMOOTHING_OCTAVES / 2)
    step = frequencies[1]
    low = np.floor(frequencies / half / step).astype(np.int64)
    high = np.minimum(np.ceil(frequencies * half / step).astype(np.int64) + 1, len(power))
    mean = (total[high] - total[low]) / np.maximum(high - low, 1)
    floor = mean.max() * 10 ** (-DYNAMIC_RANGE_DB / 10)
    smoothed: Floats = 10 * np.log10(np.maximum(mean, floor + 1e-30))
    return smoothed
