"""The published formulas of losses and balance in float64 NumPy, written without the code here.

Signals are one channel, (T,); a term is a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
RATE = 24_000
SCALES = (5, 6, 7, 8, 9, 10, 11)
MELS = 64


def log_mel_term(estimate: Array, reference: Array) -> float:
    """Sum over windows of mean |L| and mean L^2, L a difference of log mel power; Slaney bands."""
    total = 0.0
    for scale in SCALES:
        logs = [
            np.log10(np.maximum(1e-5, _power(audio, 2**scale, unit=False) @ _slaney(2**scale)))
            for audio in (estimate, reference)
        ]
        difference = logs[0] - logs[1]
        total += float(np.abs(difference).mean() + (difference**2).mean())
    return total


def power_and_log_term(estimate: Array, reference: Array) -> float:
    """Mean over windows and both terms of mean |M| and mean L^2; HTK bands, windows of energy 1."""
    total = 0.0
    for scale in SCALES:
        powers = [
            _power(audio, 2**scale, unit=True) @ _htk(2**scale) for audio in (estimate, reference)
        ]
        logs = [np.log10(1e-5 + power) for power in powers]
        total += float(np.abs(powers[0] - powers[1]).mean() + ((logs[0] - logs[1]) ** 2).mean())
    return total / (2 * len(SCALES))


class Balance:
    """Gradients of terms, each by its average size, with shares by weight; (B, ...) arrays.

    Defossez et al. 2022 (https://arxiv.org/abs/2210.13438), section 3.4, with a moving average
    that is free of its start.

    Args:
        weights: Of every term.
        total_norm: Of the sum.
        decay: Of the average of sizes.
    """

    def __init__(self, weights: Mapping[str, float], *, total_norm: float, decay: float) -> None:
        self._weights = dict(weights)
        self._total_norm = total_norm
        self._decay = decay
        self._sizes = dict.fromkeys(weights, 0.0)
        self._count = 0.0

    def combine(self, gradients: Mapping[str, Array]) -> Array:
        """The gradient that the terms together give."""
        self._count = self._decay * self._count + 1
        combined = np.zeros_like(next(iter(gradients.values())))
        for name, gradient in gradients.items():
            size = np.mean([np.sqrt((item**2).sum()) for item in gradient])
            self._sizes[name] = self._decay * self._sizes[name] + float(size)
            share = self._weights[name] / sum(self._weights.values())
            average = self._sizes[name] / self._count
            combined += self._total_norm * share * gradient / (1e-12 + average)
        return combined


def _power(audio: Array, n_fft: int, *, unit: bool) -> Array:
    """Power spectra (frames, bins) of Hann windows, a quarter of a window apart."""
    hop = n_fft // 4
    padded = np.pad(audio, (n_fft - hop) // 2, mode="reflect")
    padded = np.pad(padded, (0, -len(audio) % hop if unit else 0))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    if unit:
        window /= np.sqrt((window**2).sum())
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop]
    return np.asarray(np.abs(np.fft.rfft(frames * window)) ** 2)


def _htk(n_fft: int) -> Array:
    """Triangles of height one between points of equal distance in mel."""
    mels = np.linspace(0, 2595 * np.log10(1 + RATE / 2 / 700), MELS + 2)
    return _triangles(n_fft, 700 * (10 ** (mels / 2595) - 1))[0]


def _slaney(n_fft: int) -> Array:
    """Triangles of equal area; mel is linear below 1 kHz and logarithmic above."""
    knee, step = 1000.0, np.log(6.4) / 27

    def hertz(mel: Array) -> Array:
        return np.where(mel < 15, mel * 200 / 3, knee * np.exp((mel - 15) * step))

    top = 15 + np.log(RATE / 2 / knee) / step
    bank, widths = _triangles(n_fft, hertz(np.linspace(0, top, MELS + 2)))
    return bank * 2 / widths


def _triangles(n_fft: int, edges: Array) -> tuple[Array, Array]:
    """Filters (bins, bands) of height one, and the width of each band in Hz."""
    bins = np.linspace(0, RATE / 2, n_fft // 2 + 1)
    low, center, high = (edges[start : start + MELS] for start in range(3))
    rising = (bins[:, None] - low) / (center - low)
    falling = (high - bins[:, None]) / (high - center)
    return np.maximum(0, np.minimum(rising, falling)), high - low


TERMS: Mapping[str, Callable[[Array, Array], float]] = {
    "log": log_mel_term,
    "power_and_log": power_and_log_term,
}
"""By the `kind` of the profile's mel term."""


def relative(found: Sequence[float], expected: Sequence[float]) -> float:
    """Largest relative difference."""
    pairs = zip(found, expected, strict=True)
    return max(abs(one - other) / abs(other) for one, other in pairs)
