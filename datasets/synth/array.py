"""Plane waves onto the em32: fixed directions by long blocks, moving ones by cross-faded grains.

Both add the same finite filters (`sphere.mode_filters`), so that a sound that stands still is
the same either way. Everything is delayed by DELAY samples.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from codecctl.datasets.em32 import RADIUS_METERS, capsule_directions
from codecctl.datasets.sphere import bin_frequencies, mode_filters, sum_of_modes

Floats = npt.NDArray[np.float64]
Samples = npt.NDArray[np.float32]
Spectra = npt.NDArray[np.complex64]

FILTER_TAPS = 384
DELAY = 96
BLOCK = 8192
"""Samples that the renderer makes at a time, 0.17 s: memory does not follow the recording."""

_SUB_BLOCK = 2048
_SUB_FFT = 2560  # 384 taps, and 128 for the loss of air
GRAIN_HOP = 512  # 11 ms: a car that passes at 5 m and 14 m/s turns by 1.7 degrees in it
_GRAIN_FFT = 1536
_ANGLE_STEPS = 1440  # an eighth of a degree: interpolation stays below -74 dB at 24 kHz


class FixedDirections:
    """Convolves signals from directions that never change, (D, BLOCK) to (C, BLOCK).

    Args:
        directions: Unit vectors, (D, 3).
        gains: Factors by frequency on `frequencies`, (D, F), such as the loss of air.
        sample_rate: Hz.
    """

    def __init__(self, directions: Floats, *, gains: Floats, sample_rate: int) -> None:
        modes = _mode_spectra(sample_rate, _SUB_FFT)
        responses = np.empty((_SUB_FFT // 2 + 1, 32, len(directions)), dtype=np.complex64)
        for index, direction in enumerate(directions):
            cosine = np.clip(capsule_directions() @ direction, -1.0, 1.0)
            responses[:, :, index] = (sum_of_modes(cosine, modes) * gains[index]).T
        self._responses = responses  # (F, C, D)
        self._tail = np.zeros((32, _SUB_FFT - _SUB_BLOCK), dtype=np.float32)

    @staticmethod
    def frequencies(sample_rate: int) -> Floats:
        """Hz at which `gains` are wanted, (F,)."""
        return bin_frequencies(_SUB_FFT, sample_rate)

    def process(self, signals: Samples) -> Samples:
        """Pressure at the capsules during this block, (C, BLOCK)."""
        pieces = signals.reshape(len(signals), -1, _SUB_BLOCK)  # (D, J, S)
        spectra = np.fft.rfft(pieces, _SUB_FFT).astype(np.complex64, copy=False)
        by_bin = np.ascontiguousarray(spectra.transpose(2, 0, 1))  # (F, D, J)
        mixed = np.matmul(self._responses, by_bin)  # (F, C, J)
        waves = np.fft.irfft(mixed.transpose(1, 2, 0), _SUB_FFT)  # (C, J, _SUB_FFT)
        output = np.zeros((32, signals.shape[1] + self._tail.shape[1]), dtype=np.float32)
        output[:, : self._tail.shape[1]] = self._tail
        for index in range(pieces.shape[1]):
            start = index * _SUB_BLOCK
            output[:, start : start + _SUB_FFT] += waves[:, index]
        self._tail = output[:, signals.shape[1] :].copy()
        return output[:, : signals.shape[1]]


class MovingDirections:
    """Adds signals whose directions change: windowed grains, each from its own direction.

    The windows of neighboring grains add up to one, so the responses cross-fade. The last grain
    of a block reaches GRAIN_HOP samples into the next, where it fades out.

    Args:
        sample_rate: Hz.
    """

    def __init__(self, *, sample_rate: int) -> None:
        angles = np.linspace(0.0, np.pi, _ANGLE_STEPS + 1)
        modes = _mode_spectra(sample_rate, _GRAIN_FFT)
        self._table: Spectra = sum_of_modes(np.cos(angles), modes).astype(np.complex64)
        self._capsules = capsule_directions()
        self._window = np.hanning(2 * GRAIN_HOP + 1)[:-1].astype(np.float32)
        self._output = np.zeros((32, BLOCK + _GRAIN_FFT), dtype=np.float32)
        self._spectra = np.zeros((BLOCK // GRAIN_HOP, 32, _GRAIN_FFT // 2 + 1), np.complex64)
        self.frequencies = bin_frequencies(_GRAIN_FFT, sample_rate)

    def add(self, signal: Samples, *, directions: Floats, gains: Floats) -> None:
        """Add one moving plane wave to the block in work.

        Args:
            signal: Of this block and GRAIN_HOP samples more, (BLOCK + GRAIN_HOP,).
            directions: Unit vectors at the centers of the grains, (G, 3).
            gains: Factors by frequency for each grain, (G, F).
        """
        grains = np.lib.stride_tricks.sliding_window_view(signal, 2 * GRAIN_HOP)[::GRAIN_HOP]
        spectra = np.fft.rfft(grains * self._window, _GRAIN_FFT) * gains
        spectra = spectra.astype(np.complex64)
        cosines = np.clip(np.einsum("gx,cx->gc", directions, self._capsules), -1.0, 1.0)
        places = np.arccos(cosines) * (_ANGLE_STEPS / np.pi)
        below = np.minimum(places.astype(np.int64), _ANGLE_STEPS - 1)
        share = (places - below).astype(np.float32)[..., None]  # (G, C, 1)
        for grain, spectrum in enumerate(spectra):
            first, second = self._table[below[grain]], self._table[below[grain] + 1]
            self._spectra[grain] += (first + share[grain] * (second - first)) * spectrum

    def finish(self) -> Samples:
        """Pressure at the capsules during this block, (C, BLOCK); begins the next one."""
        waves = np.fft.irfft(self._spectra, _GRAIN_FFT)  # (G, C, _GRAIN_FFT)
        for grain, wave in enumerate(waves):
            start = grain * GRAIN_HOP
            self._output[:, start : start + _GRAIN_FFT] += wave
        block = self._output[:, :BLOCK].copy()
        self._output[:, :_GRAIN_FFT] = self._output[:, BLOCK:]
        self._output[:, _GRAIN_FFT:] = 0.0
        self._spectra[:] = 0.0
        return block


def _mode_spectra(sample_rate: int, fft_size: int) -> npt.NDArray[np.complex128]:
    filters = mode_filters(sample_rate, radius=RADIUS_METERS, taps=FILTER_TAPS, delay=DELAY)
    spectra: npt.NDArray[np.complex128] = np.fft.rfft(filters, fft_size)
    return spectra
