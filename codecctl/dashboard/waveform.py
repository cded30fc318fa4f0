"""The extent and the peak of a waveform, with numpy alone."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]

FLOOR_DB = -100.0


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


def level_db(audio: Samples) -> float:
    """RMS of (T,) in dB of full scale, -inf for silence."""
    power = float(np.mean(np.square(audio, dtype=np.float64))) if audio.size else 0.0
    return power_db(power)


def power_db(power: float) -> float:
    """Level of a mean square, -inf for silence."""
    return 10 * math.log10(power) if power > 0 else -math.inf


def peak_db(audio: Samples) -> float:
    """The largest sample in dB of full scale; `FLOOR_DB` for silence."""
    peak = float(np.abs(audio).max(initial=0.0))
    return max(FLOOR_DB, 20 * float(np.log10(peak))) if peak > 0 else FLOOR_DB
