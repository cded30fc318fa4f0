"""Energy by direction: a beam of an array into every direction of a map of the sphere.

For each bin of a short-time spectrum the power of a beam with filters w is w^H R w, with R the
cross spectra of the channels, so that one matrix serves every direction. Between 700 Hz and 7 kHz,
where the beams of an em32 have their third and fourth order. Such a map has few spherical
harmonics: beams are formed into the directions of one grid, and maps of any size are drawn from
its Fourier series along meridians and parallels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from codecctl.datasets.bands import band_edges, nominal, octave_centers
from codecctl.datasets.beam import ambisonic_weights, em32_weights
from codecctl.datasets.em32 import ARRAY_NAME, NUM_CAPSULES
from codecctl.datasets.harmonics import order_of_channels
from codecctl.datasets.sphere import Complexes

Samples = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

LOW_HZ, HIGH_HZ = 700.0, 7000.0
FLOOR_DB = -140.0
_BIN_HZ = 94.0
_BATCH = 128
_GRID = (48, 24)
"""Columns and rows in which beams are formed: enough for the power of beams of order 10."""


@dataclass(frozen=True)
class DirectionMaps:
    """Levels of beams into the directions of a map, dB relative to full scale (mean square of 1).

    Octaves are those that lie inside the range of frequencies.
    """

    whole: Floats
    """Over the range, (rows, columns)."""
    centers: tuple[float, ...]
    """Nominal, Hz."""
    octaves: Floats
    """(octaves, rows, columns)"""


def can_aim(array: str, channels: int) -> bool:
    """Whether beams of an array can be formed."""
    if array == ARRAY_NAME:
        return channels == NUM_CAPSULES
    return array.startswith("ambisonic") and bool(order_of_channels(channels))


def map_angles(columns: int, rows: int) -> tuple[Floats, Floats]:
    """Azimuth of each column and elevation of each row of a map, degrees, at their centers.

    Left is left: azimuth falls from 180 (back) over 90 (left), 0 (front) and -90 (right) to -180;
    the first row is up.
    """
    azimuth = 180 - (np.arange(columns) + 0.5) * 360 / columns
    elevation = 90 - (np.arange(rows) + 0.5) * 180 / rows
    return azimuth, elevation


def direction_maps(
    audio: Samples, *, array: str, sample_rate: int, columns: int, rows: int
) -> DirectionMaps:
    """Levels of beams into the directions of a map, over all and by octave.

    Args:
        audio: (C, T) of an array for which `can_aim` holds.
        array: `em32` or `ambisonic...`.
        sample_rate: Hz.
        columns: Of the map, around.
        rows: Of the map, from top to bottom.
    """
    size = 1 << max(6, round(np.log2(sample_rate / _BIN_HZ)))
    spectra = _cross_spectra(audio, size)
    frequencies = np.arange(size // 2 + 1) * sample_rate / size
    high_hz = min(HIGH_HZ, 0.43 * sample_rate)
    inside = (frequencies >= LOW_HZ) & (frequencies <= high_hz)
    spectra, frequencies = spectra[inside], frequencies[inside]
    if array == ARRAY_NAME:
        filters = _em32(tuple(frequencies.tolist()))
        beams = (filters[..., index] for index in range(len(frequencies)))
        heard = zip(beams, spectra, strict=True)
        powers = [_power(beam, matrix) for beam, matrix in heard]
    else:
        order = order_of_channels(len(audio))
        assert order is not None, len(audio)
        real = np.stack([ambisonic_weights(look, order) for look in _looks(*_GRID)])
        powers = [_power(real, matrix.real) for matrix in spectra]
    power = np.array(powers).reshape(-1, _GRID[0] * _GRID[1])  # (F, D), F may be 0
    centers = octave_centers(sample_rate)
    edges = band_edges(centers)
    fits = (edges[:, 0] >= LOW_HZ) & (edges[:, 1] <= high_hz)
    low, high = edges[fits].T[..., None]
    bands = ((frequencies >= low) & (frequencies < high)) @ power  # (octaves, D)
    *octaves, whole = (
        _level_db(_drawn(each.reshape(_GRID[::-1]), columns=columns, rows=rows))
        for each in (*bands, power.sum(axis=0))
    )
    several = np.array(octaves).reshape(-1, rows, columns)
    return DirectionMaps(whole, tuple(map(nominal, centers[fits].tolist())), several)


def strongest(levels_db: Floats) -> tuple[float, float]:
    """Azimuth and elevation of the loudest place of a map, degrees."""
    rows, columns = levels_db.shape
    azimuth, elevation = map_angles(columns, rows)
    row, column = divmod(int(np.argmax(levels_db)), columns)
    return float(azimuth[column]), float(elevation[row])


def _looks(columns: int, rows: int) -> Floats:
    """Unit vectors of a map, (rows * columns, 3)."""
    azimuth, elevation = (np.radians(angles) for angles in map_angles(columns, rows))
    level = np.cos(elevation)[:, None]
    up = np.broadcast_to(np.sin(elevation)[:, None], (rows, columns))
    looks: Floats = np.stack([level * np.cos(azimuth), level * np.sin(azimuth), up], axis=-1)
    return looks.reshape(-1, 3)


@lru_cache(maxsize=4)
def _em32(frequencies: tuple[float, ...]) -> Complexes:
    """Filters of every direction of the grid, (D, 32, F); 40 MB for 67 frequencies."""
    return em32_weights(_looks(*_GRID), np.array(frequencies))


def _drawn(power: Floats, *, columns: int, rows: int) -> Floats:
    """The function of which a map holds values, at the places of another map, (rows, columns).

    A meridian goes on behind the pole half around: together they are a circle, so that the map
    has a Fourier series in both directions.
    """
    height, width = power.shape
    around = np.concatenate([power, np.roll(power[::-1], width // 2, axis=1)])  # (2 H, W)
    series = np.fft.fft2(around) / around.size
    turns = [  # from the first place of the map to those that are wanted
        (np.arange(rows) + 0.5) / (2 * rows) - 0.5 / (2 * height),
        (np.arange(columns) + 0.5) / columns - 0.5 / width,
    ]
    along, across = (
        np.exp(2j * np.pi * np.outer(places, np.fft.fftfreq(count, 1 / count)))
        for places, count in zip(turns, around.shape, strict=True)
    )
    values: Floats = (along @ series @ across.T).real
    return values


def _cross_spectra(audio: Samples, size: int) -> Complexes:
    """Mean of X_c conj(X_d) over half-overlapping Hann frames, one-sided, (F, C, C)."""
    audio = np.pad(audio, ((0, 0), (0, max(0, size - audio.shape[1]))))
    starts = np.arange(0, audio.shape[1] - size + 1, size // 2)
    window = np.hanning(size + 1)[:-1]
    total = np.zeros((size // 2 + 1, len(audio), len(audio)), np.complex128)
    for first in range(0, len(starts), _BATCH):
        places = starts[first : first + _BATCH, None] + np.arange(size)
        spectrum = np.fft.rfft(audio[:, places] * window, axis=-1)  # (C, frames, F)
        rows = np.moveaxis(spectrum, -1, 0)  # (F, C, frames)
        total += rows @ rows.conj().swapaxes(1, 2)
    mean: Complexes = total * 2 / (len(starts) * size * np.sum(window**2))
    return mean


def _power(beams: Floats | Complexes, spectra: Floats | Complexes) -> Floats:
    """w^H R w of each beam, (D,): of conjugated weights (D, C) and cross spectra (C, C)."""
    power: Floats = ((beams @ spectra) * beams.conj()).real.sum(axis=1)
    return power


def _level_db(power: Floats) -> Floats:
    level: Floats = 10 * np.log10(np.maximum(power, 10 ** (FLOOR_DB / 10)))
    return level
