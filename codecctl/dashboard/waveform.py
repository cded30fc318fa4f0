"""Short-time spectra of previews, with numpy alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]

FLOOR_DB = -100.0
_BATCH = 512


def spectrogram_db(audio: Samples, *, sample_rate: int, columns: int, rows: int) -> Array:
    """Levels over time and frequency.

    A Hann window of about 20 ms; each column holds the loudest frame of its span and each row
    the loudest bin of its band, so that neither a click nor a sine gets lost in an average. The
    rows are spaced linearly from 0 to the Nyquist frequency.

    Args:
        audio: (T,)
        sample_rate: Hz.
        columns: Width of the picture.
        rows: Height of the picture.

    Returns:
        (rows, columns), dB relative to a full-scale sine, highest frequency first.
    """
    window_length = int(2 ** np.round(np.log2(max(64.0, sample_rate * 0.02))))
    audio = audio if audio.size >= window_length else np.pad(audio, (0, window_length - audio.size))
    hop = max(1, min(window_length // 2, (audio.size - window_length) // columns))
    starts = np.arange(0, audio.size - window_length + 1, hop)
    window = np.hanning(window_length + 1)[:-1]
    picture = np.full((columns, rows), FLOOR_DB)
    column = starts * columns // (int(starts[-1]) + 1)
    for first in range(0, starts.size, _BATCH):
        part = starts[first : first + _BATCH]
        frames = audio[part[:, None] + np.arange(window_length)] * window  # (frames, window)
        magnitude = np.abs(np.fft.rfft(frames, axis=1)) / window.sum() * 2
        level = 20 * np.log10(np.maximum(_bands(magnitude, rows), 10 ** (FLOOR_DB / 20)))
        np.maximum.at(picture, column[first : first + _BATCH], level)
    return picture.T[::-1]


def _bands(magnitude: Array, rows: int) -> Array:
    """The loudest bin of each of `rows` equal bands: (frames, bins) -> (frames, rows)."""
    edges = np.arange(rows) * magnitude.shape[1] // rows
    bands: Array = np.maximum.reduceat(magnitude, np.unique(edges), axis=1)
    return (
        bands
        if bands.shape[1] == rows
        else np.repeat(bands, -(-rows // bands.shape[1]), 1)[:, :rows]
    )


def waveform_extent(audio: Samples, *, columns: int) -> tuple[Array, Array]:
    """Lowest and highest sample of each column, (columns,) each.

    Args:
        audio: (T,)
        columns: Width of the picture.
    """
    if audio.size == 0:
        return np.zeros(columns), np.zeros(columns)
    starts = np.arange(columns) * audio.size // columns
    unique = np.unique(starts)
    low = np.minimum.reduceat(audio, unique)
    high = np.maximum.reduceat(audio, unique)
    where = np.searchsorted(unique, starts)
    return low[where].astype(np.float64), high[where].astype(np.float64)


def peak_db(audio: Samples) -> float:
    """The largest sample in dB of full scale; `FLOOR_DB` for silence."""
    peak = float(np.abs(audio).max(initial=0.0))
    return max(FLOOR_DB, 20 * float(np.log10(peak))) if peak > 0 else FLOOR_DB
