"""Loudness of short clips, so that of two of them the louder one does not sound the better.

ITU-R BS.1770-5, annex 1, without its gate: a clip of a second has too few blocks for one. The
filters are those of the recommendation's table for 48 kHz and, at other rates, those of the
analog filters that they stem from (De Man, Evaluation of implementations of the EBU R128 loudness
measurement, AES 145, 2018). They act on the spectrum of the whole clip.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

MOST_GAIN_DB = 40.0
_OFFSET_DB = -0.691
_SHELF_HZ, _SHELF_DB, _SHELF_Q = 1681.9744509555319, 3.99984385397, 0.7071752369554193
_SHELF_BAND = 0.499666774155
_HIGH_PASS_HZ, _HIGH_PASS_Q = 38.13547087613982, 0.5003270373253953


def k_filters(sample_rate: int) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Coefficients of z^0, z^-1, z^-2 of the shelf and the high-pass, numerator and denominator.

    Args:
        sample_rate: Hz.
    """
    k = math.tan(math.pi * _SHELF_HZ / sample_rate)
    high = 10 ** (_SHELF_DB / 20)
    slope = high**_SHELF_BAND * k / _SHELF_Q
    zeros = np.array([high + slope + k * k, 2 * (k * k - high), high - slope + k * k])
    shelf = zeros / (1 + k / _SHELF_Q + k * k), _denominator(k, _SHELF_Q)
    low = math.tan(math.pi * _HIGH_PASS_HZ / sample_rate)
    return shelf, (np.array([1.0, -2.0, 1.0]), _denominator(low, _HIGH_PASS_Q))


def loudness(audio: Samples, *, sample_rate: int) -> float:
    """Loudness of a clip in LUFS, -inf for silence.

    Args:
        audio: (C, T), full scale at [-1, 1]; each channel counts once, as left and right do.
        sample_rate: Hz.
    """
    frames = audio.shape[1]
    if not frames:
        return -math.inf
    size = 1 << (frames - 1).bit_length()
    z = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    response = np.ones(len(z))
    for numerator, denominator in k_filters(sample_rate):
        response *= np.abs(np.polyval(numerator[::-1], z) / np.polyval(denominator[::-1], z)) ** 2
    weights = np.full(len(z), 2.0)  # a spectrum of `rfft` holds all but its ends once of twice
    weights[0] = weights[-1] = 1.0
    power = 0.0
    for channel in audio:
        spectrum = np.abs(np.fft.rfft(channel, size)) ** 2
        power += float(np.sum(spectrum * response * weights)) / size / frames
    return _OFFSET_DB + 10 * math.log10(power) if power > 0 else -math.inf


def matching_gain_db(estimate: Samples, reference: Samples, *, sample_rate: int) -> float:
    """Gain that makes an estimate as loud as its reference, at most 40 dB either way.

    Args:
        estimate: (C, T)
        reference: (C, T)
        sample_rate: Hz.

    Returns:
        0 where either is silent.
    """
    ours, theirs = (loudness(audio, sample_rate=sample_rate) for audio in (estimate, reference))
    if not (math.isfinite(ours) and math.isfinite(theirs)):
        return 0.0
    return min(max(theirs - ours, -MOST_GAIN_DB), MOST_GAIN_DB)


def _denominator(k: float, q: float) -> Floats:
    scale = 1 + k / q + k * k
    return np.array([1.0, 2 * (k * k - 1) / scale, (1 - k / q + k * k) / scale])
