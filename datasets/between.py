"""What lies between the channels of a reconstruction, beside that of its reference; numpy alone.

The same windows and definitions as the validation (`codecctl.engine.metrics.spatial`), by octave.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codecctl.datasets.bands import band_edges, nominal, octave_centers
from codecctl.datasets.sphere import Complexes

Samples = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

WINDOW = 512
_BATCH = 128
_FLOOR = 1e-12
"""Of a mean square, relative to that of the loudest bin."""
_SILENCE = 1e-18


@dataclass(frozen=True)
class Between:
    """Coherence, levels and phases between channels: by octave, bin and pair, and over all.

    F bins are those of a window that have a phase; P pairs those of `numpy.triu_indices(C, 1)`;
    B octaves those that a bin lies in.
    """

    centers: tuple[float, ...]
    """Nominal, Hz."""
    reference: Floats
    """Mean over pairs, (B,)."""
    estimate: Floats
    """(B,)"""
    error: Floats
    """Mean over pairs and bins of the absolute difference, (B,)."""
    levels_db: Floats
    """Error of the levels of channels against the mean of all, mean over channels, (B,)."""
    phases: Floats
    """Error of the phases between channels in radians, weighted by the reference, (B,)."""
    frequencies: Floats
    """Of the bins, Hz, (F,)."""
    bin_reference: Floats
    """Coherence in each bin, mean over pairs, (F,)."""
    bin_estimate: Floats
    """(F,)"""
    bin_levels_db: Floats
    """Error of levels as above, (F,)."""
    bin_phases: Floats
    """Error of phases as above, (F,)."""
    pair_reference: Floats
    """Coherence of each pair, mean over bins, (P,)."""
    pair_estimate: Floats
    """(P,)"""
    pair_error: Floats
    """(P,)"""
    coherence_error: float
    """Mean over all bins, as `val/coherence_error`."""
    level_error_db: float
    """Between the channels, as `val/level_error`."""
    phase_error: float
    """Radians, as `val/phase_error`."""


def between(estimate: Samples, reference: Samples, *, sample_rate: int) -> Between:
    """Compare what lies between channels.

    Args:
        estimate: (C, T), C >= 2, T >= 512.
        reference: (C, T)
        sample_rate: Hz.
    """
    pairs = np.triu_indices(len(reference), 1)
    ours, theirs = (_cross_spectra(audio) for audio in (estimate, reference))
    coherent = [_coherence(spectra)[:, pairs[0], pairs[1]] for spectra in (ours, theirs)]
    levels = [_relative_levels(spectra) for spectra in (ours, theirs)]
    differences = np.abs(coherent[0] - coherent[1])  # (bins, pairs)
    difference = differences.mean(axis=1)
    level_error = np.abs(levels[0] - levels[1]).mean(axis=1)
    between_pairs = [spectra[:, pairs[0], pairs[1]] for spectra in (ours, theirs)]
    weights = np.abs(between_pairs[1])
    angles = weights * np.abs(np.angle(between_pairs[0] * between_pairs[1].conj()))
    frequencies = np.arange(1, WINDOW // 2) * sample_rate / WINDOW
    centers = octave_centers(sample_rate)
    inside = [
        (frequencies >= low) & (frequencies < high) for low, high in band_edges(centers).tolist()
    ]
    heard = [index for index, bins in enumerate(inside) if bins.any()]
    return Between(
        centers=tuple(nominal(float(centers[index])) for index in heard),
        reference=np.array([coherent[1][inside[index]].mean() for index in heard]),
        estimate=np.array([coherent[0][inside[index]].mean() for index in heard]),
        error=np.array([difference[inside[index]].mean() for index in heard]),
        levels_db=np.array([level_error[inside[index]].mean() for index in heard]),
        phases=np.array([_share(angles[inside[i]], weights[inside[i]]) for i in heard]),
        frequencies=frequencies,
        bin_reference=coherent[1].mean(axis=1),
        bin_estimate=coherent[0].mean(axis=1),
        bin_levels_db=level_error,
        bin_phases=angles.sum(axis=1) / np.maximum(weights.sum(axis=1), _SILENCE),
        pair_reference=coherent[1].mean(axis=0),
        pair_estimate=coherent[0].mean(axis=0),
        pair_error=differences.mean(axis=0),
        coherence_error=float(difference.mean()),
        level_error_db=float(level_error.mean()),
        phase_error=_share(angles, weights),
    )


def _share(weighted: Floats, weights: Floats) -> float:
    return float(weighted.sum() / max(float(weights.sum()), _SILENCE))


def _cross_spectra(audio: Samples) -> Complexes:
    """Mean over frames of X_c conj(X_d), without the bins that have no phase, (bins, C, C)."""
    starts = np.arange(0, audio.shape[1] - WINDOW + 1, WINDOW // 2)
    window = np.hanning(WINDOW + 1)[:-1]
    total = np.zeros((WINDOW // 2 - 1, len(audio), len(audio)), np.complex128)
    for first in range(0, len(starts), _BATCH):
        places = starts[first : first + _BATCH, None] + np.arange(WINDOW)
        spectrum = np.fft.rfft(audio[:, places] * window, axis=-1)[..., 1:-1]
        rows = np.moveaxis(spectrum, -1, 0)  # (bins, C, frames)
        total += rows @ rows.conj().swapaxes(1, 2)
    return total / len(starts)


def _powers(spectra: Complexes) -> Floats:
    powers = np.einsum("bcc->bc", spectra).real
    floor = _FLOOR * max(float(powers.max()), _SILENCE)
    floored: Floats = np.maximum(powers, floor)
    return floored


def _coherence(spectra: Complexes) -> Floats:
    roots = np.sqrt(_powers(spectra))
    coherence: Floats = np.abs(spectra) / (roots[:, :, None] * roots[:, None, :])
    return coherence


def _relative_levels(spectra: Complexes) -> Floats:
    """Levels of each channel in dB against the mean of all, (bins, C)."""
    levels = 10 * np.log10(_powers(spectra))
    relative: Floats = levels - levels.mean(axis=1, keepdims=True)
    return relative
