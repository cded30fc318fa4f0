"""Spectrograms with a logarithmic axis of frequency, with numpy alone."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]

FLOOR_DB = -140.0
LOWEST_HZ = 50.0
_WINDOW_SECONDS = 0.04
_BATCH = 256
_LABELED = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)


def log_frequencies(sample_rate: int, rows: int) -> Array:
    """Edges of the rows, Hz, (rows + 1,) rising from 50 Hz to half the rate."""
    edges: Array = np.geomspace(min(LOWEST_HZ, sample_rate / 8), sample_rate / 2, rows + 1)
    return edges


def frequency_labels(sample_rate: int, lines: int) -> dict[int, str]:
    """Round frequencies by the line of a picture that they lie in, the highest line first.

    Args:
        sample_rate: Hz.
        lines: Of the picture.
    """
    edges = log_frequencies(sample_rate, lines)
    labels: dict[int, str] = {}
    for frequency in _LABELED:
        line = lines - int(np.searchsorted(edges, frequency, side="right"))
        if 0 <= line < lines and line not in labels:
            labels[line] = f"{frequency // 1000}k" if frequency >= 1000 else str(frequency)
    return labels


def log_spectrogram_db(audio: Samples, *, sample_rate: int, columns: int, rows: int) -> Array:
    """Levels over time and frequency.

    A Hann window of about 40 ms, half overlapping. Each column holds the loudest frame of its
    span and each row the loudest bin of its band, so that neither a click nor a sine gets lost in
    an average; rows narrower than a bin lie between its neighbors.

    Args:
        audio: (T,)
        sample_rate: Hz.
        columns: Width of the picture.
        rows: Height of the picture.

    Returns:
        (rows, columns), dB relative to a full-scale sine, highest frequency first.
    """
    length = int(2 ** np.round(np.log2(max(64.0, sample_rate * _WINDOW_SECONDS))))
    lacking = max(0, length - audio.size)
    audio = np.pad(audio, (lacking // 2, lacking - lacking // 2))
    hop = max(1, min(length // 2, (audio.size - length) // columns))
    starts = np.arange(0, audio.size - length + 1, hop)
    window = (np.hanning(length + 1)[:-1] / (length / 4)).astype(np.float32)
    column = starts * columns // (int(starts[-1]) + 1)
    edges = log_frequencies(sample_rate, rows)
    picture = np.full((columns, rows), FLOOR_DB)
    for first in range(0, starts.size, _BATCH):
        part = starts[first : first + _BATCH]
        frames = audio[part[:, None] + np.arange(length)] * window
        magnitude = np.abs(np.fft.rfft(frames, 2 * length, axis=1))
        level = 20 * np.log10(np.maximum(magnitude, 10 ** (FLOOR_DB / 20)))
        loudest = _rows(level, edges, bin_width=sample_rate / (2 * length))
        np.maximum.at(picture, column[first : first + _BATCH], loudest)
    return _filled(picture, np.unique(column)).T[::-1]


def _rows(level: Array, edges: Array, *, bin_width: float) -> Array:
    """(frames, bins) -> (frames, rows)."""
    centers = np.sqrt(edges[1:] * edges[:-1]) / bin_width
    below = np.minimum(centers.astype(np.intp), level.shape[1] - 2)
    share = centers - below
    between: Array = level[:, below] * (1 - share) + level[:, below + 1] * share
    stops = np.ceil(edges / bin_width).astype(int).tolist()
    for row, (first, stop) in enumerate(pairwise(stops)):
        if stop > first:
            between[:, row] = np.maximum(between[:, row], level[:, first:stop].max(axis=1))
    return between


def _filled(picture: Array, known: npt.NDArray[np.intp]) -> Array:
    """Columns that no frame fell into show the one before: a clip shorter than the picture."""
    before = np.searchsorted(known, np.arange(len(picture)), side="right") - 1
    filled: Array = picture[known[np.maximum(before, 0)]]
    return filled
