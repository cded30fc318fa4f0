"""What an array hears: maps of the sphere, coherence between capsules, a beam into a direction."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codecctl.dashboard.heard import beam_pair
from codecctl.dashboard.loaded import Loaded
from codecctl.dashboard.sound import Samples
from codecctl.dashboard.waveform import level_db, power_db
from codecctl.datasets.bands import band_edges, band_sums, nominal, octave_centers
from codecctl.datasets.between import WINDOW, Between, between
from codecctl.datasets.directions import can_aim, direction_map_db, strongest
from codecctl.datasets.harmonics import unit_vector

Array = npt.NDArray[np.float64]
Direction = tuple[float, float]
_AROUND = (
    "front",
    "front left",
    "left",
    "back left",
    "back",
    "back right",
    "right",
    "front right",
)


@dataclass(frozen=True)
class Maps:
    """Energy by direction, dB, (rows, columns)."""

    reference: Array
    reconstruction: Array

    @property
    def moved_degrees(self) -> float:
        """Angle between the loudest places."""
        places = [strongest(levels) for levels in (self.reference, self.reconstruction)]
        cosine = float(unit_vector(*places[0]) @ unit_vector(*places[1]))
        return math.degrees(math.acos(min(1.0, max(-1.0, cosine))))

    @property
    def mean_error_db(self) -> float:
        """Mean over the sphere of the difference of levels that are within 20 dB of the loudest."""
        heard = self.reference > self.reference.max() - 20
        rows = len(self.reference)
        area = np.cos(np.radians(90 - (np.arange(rows) + 0.5) * 180 / rows))[:, None] * heard
        return float((np.abs(self.reconstruction - self.reference) * area).sum() / area.sum())


@dataclass(frozen=True)
class BeamLevels:
    """A beam into a direction, dBFS, over all and by octave."""

    reference: float
    reconstruction: float
    centers: tuple[float, ...]
    """Hz."""
    reference_bands: tuple[float, ...]
    reconstruction_bands: tuple[float, ...]


def is_comparable(loaded: Loaded) -> str:
    """Why nothing lies between the channels of an item, "" where something does."""
    pair = loaded.pair
    if pair.problem:
        return pair.problem
    if pair.reference.channels < 2:
        return "one channel: nothing lies between channels"
    if pair.reference.audio.shape[1] < WINDOW:
        return f"shorter than {WINDOW} samples"
    return ""


def maps_of(loaded: Loaded, *, columns: int, rows: int) -> Maps | None:
    """Both maps; None where no beam can be formed."""
    pair = loaded.pair
    if not can_aim(loaded.array, pair.reference.channels):
        return None
    reference, reconstruction = (
        direction_map_db(
            sound.audio,
            array=loaded.array,
            sample_rate=sound.sample_rate,
            columns=columns,
            rows=rows,
        )
        for sound in (pair.reference, pair.reconstruction)
    )
    return Maps(reference, reconstruction)


def between_of(loaded: Loaded) -> Between:
    """Coherence of both sides."""
    pair = loaded.pair
    return between(
        pair.reconstruction.audio, pair.reference.audio, sample_rate=pair.reference.sample_rate
    )


def beam_levels(loaded: Loaded, direction: Direction) -> BeamLevels | None:
    """Levels of both sides in a direction; None where no beam can be formed."""
    pair = loaded.pair
    if not can_aim(loaded.array, pair.reference.channels):
        return None
    rate = pair.reference.sample_rate
    beams = beam_pair(pair, direction, array=loaded.array)
    centers = octave_centers(rate)
    first, second = (_bands(audio, rate, centers) for audio in beams)
    levels = [level_db(audio) for audio in beams]
    return BeamLevels(levels[0], levels[1], tuple(map(nominal, centers.tolist())), first, second)


def _bands(audio: Samples, sample_rate: int, centers: Array) -> tuple[float, ...]:
    """Level of each octave."""
    power = 2 * np.abs(np.fft.rfft(audio)) ** 2 / audio.size**2
    edges = band_edges(centers)
    sums = band_sums(power, bin_width=sample_rate / audio.size, edges=edges)
    return tuple(power_db(value) for value in sums.tolist())


def aimed(direction: Direction, *, left: int = 0, up: int = 0, step: float = 10.0) -> Direction:
    """Another direction: azimuth goes round, elevation ends above and below."""
    azimuth = (direction[0] + left * step + 180) % 360 - 180
    return azimuth, min(90.0, max(-90.0, direction[1] + up * step))


def direction_text(direction: Direction) -> str:
    """A direction in degrees and words."""
    azimuth, elevation = direction
    if abs(elevation) >= 80:
        word = "up" if elevation > 0 else "down"
    else:
        word = _AROUND[round((azimuth % 360) / 45) % len(_AROUND)]
    return f"azimuth {azimuth:g}°, elevation {elevation:g}° ({word})"
