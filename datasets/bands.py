"""Octave bands: which fit below half a sample rate, and the power of a spectrum in each.

Centers are 1000 Hz times powers of two; edges lie half an octave away (IEC 61260-1, base two).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_LOWEST, _HIGHEST = -5, 4
_NOMINAL = {31.25: 31.5, 62.5: 63.0}


def octave_centers(sample_rate: int) -> Floats:
    """Exact centers in Hz, (B,): from 31.25 Hz to the last whose upper edge can be stored."""
    centers = 1000 * 2.0 ** np.arange(_LOWEST, _HIGHEST + 1)
    whole: Floats = centers[centers * np.sqrt(2) <= sample_rate / 2]
    return whole


def nominal(center: float) -> float:
    """The number that is written for a center: 31.5 and 63 for 31.25 and 62.5."""
    return _NOMINAL.get(center, center)


def band_edges(centers: Floats) -> Floats:
    """Lower and upper edge of each octave, Hz, (B, 2)."""
    edges: Floats = np.stack([centers / np.sqrt(2), centers * np.sqrt(2)], axis=-1)
    return edges


def band_sums(spectrum: Floats, *, bin_width: float, edges: Floats) -> Floats:
    """Sum of a spectrum between edges, (..., B); a bin that an edge cuts counts by its parts.

    Args:
        spectrum: Value of each bin of `rfft`, (..., F); bin k reaches from (k - 1/2) to (k + 1/2).
        bin_width: Hz between bins.
        edges: Hz, (B, 2).
    """
    running = np.concatenate(
        [np.zeros((*spectrum.shape[:-1], 1)), np.cumsum(spectrum, axis=-1)], axis=-1
    )
    places = np.clip(edges / bin_width + 0.5, 0, spectrum.shape[-1])
    below = np.minimum(places.astype(np.intp), spectrum.shape[-1] - 1)
    at_edges = running[..., below] + (places - below) * spectrum[..., below]
    sums: Floats = at_edges[..., 1] - at_edges[..., 0]
    return sums


def band_means(values: Floats, *, bin_width: float, edges: Floats) -> Floats:
    """Mean of values over the bins between edges, (..., B); arguments as `band_sums`."""
    return band_sums(values, bin_width=bin_width, edges=edges) / (
        np.diff(edges, axis=-1)[:, 0] / bin_width
    )
