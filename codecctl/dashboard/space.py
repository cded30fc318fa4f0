"""What an array hears: maps of the sphere, coherence between capsules, a beam into a direction."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codecctl.dashboard.heard import beam_pair
from codecctl.dashboard.loaded import Loaded
from codecctl.dashboard.sound import Samples
from codecctl.dashboard.waveform import level_db, power_db
from codecctl.datasets.bands import band_edges, band_sums, nominal, octave_centers
from codecctl.datasets.between import WINDOW, Between, between
from codecctl.datasets.directions import FLOOR_DB, DirectionMaps, can_aim, direction_maps, strongest
from codecctl.datasets.em32 import ARRAY_NAME
from codecctl.datasets.geometry import capsule_angles
from codecctl.datasets.harmonics import unit_vector

Array = npt.NDArray[np.float64]
Direction = tuple[float, float]
_GAP_DEGREES = 10.0
"""Of an em32 no two capsules have distances between 42 and 63 degrees, 80 and 100, and so on."""
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
class Loudest:
    """Where both sides are loudest in a range of frequencies."""

    center: float | None
    """Of an octave, Hz; None for the whole range of the maps."""
    reference: Direction | None
    """None for silence."""
    reconstruction: Direction | None

    @property
    def moved_degrees(self) -> float | None:
        """Angle between both; None where a side is silent."""
        if self.reference is None or self.reconstruction is None:
            return None
        cosine = float(unit_vector(*self.reference) @ unit_vector(*self.reconstruction))
        return math.degrees(math.acos(min(1.0, max(-1.0, cosine))))


@dataclass(frozen=True)
class Maps:
    """Energy by direction of both sides, of one size."""

    sides: tuple[DirectionMaps, DirectionMaps]
    """Reference and reconstruction."""

    @property
    def reference(self) -> Array:
        """Over all frequencies of a map, dB, (rows, columns)."""
        return self.sides[0].whole

    @property
    def reconstruction(self) -> Array:
        """The same."""
        return self.sides[1].whole

    @property
    def difference(self) -> Array:
        """Reconstruction less reference, dB, (rows, columns)."""
        return self.reconstruction - self.reference

    def loudest(self) -> Iterator[Loudest]:
        """Of each octave, then of all frequencies of a map."""
        pairs = zip(*(side.octaves for side in self.sides), strict=True)
        for center, (ours, theirs) in zip(self.sides[0].centers, pairs, strict=True):
            yield Loudest(center, _place(ours), _place(theirs))
        yield Loudest(None, _place(self.reference), _place(self.reconstruction))

    @property
    def mean_error_db(self) -> float:
        """Mean over the sphere of the difference of levels that are within 20 dB of the loudest."""
        heard = self.reference > self.reference.max() - 20
        return mean_over_sphere(np.abs(self.difference), where=heard)


@dataclass(frozen=True)
class Apart:
    """Coherence of the pairs of capsules that stand about equally far apart."""

    nearest: float
    """Degrees on the sphere."""
    farthest: float
    reference: float
    """Mean over pairs and bins."""
    reconstruction: float
    error: float


@dataclass(frozen=True)
class BeamLevels:
    """A beam into a direction, dBFS, over all and by octave."""

    reference: float
    reconstruction: float
    centers: tuple[float, ...]
    """Hz."""
    reference_bands: tuple[float, ...]
    reconstruction_bands: tuple[float, ...]


def mean_over_sphere(values: Array, *, where: npt.NDArray[np.bool_] | None = None) -> float:
    """Mean of a map (rows, columns) over the area of its cells, or of those where a mask is set."""
    rows = len(values)
    area = np.cos(np.radians(90 - (np.arange(rows) + 0.5) * 180 / rows))[:, None]
    weights = np.broadcast_to(area, values.shape) * (1.0 if where is None else where)
    return float((values * weights).sum() / weights.sum())


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
        direction_maps(
            sound.audio,
            array=loaded.array,
            sample_rate=sound.sample_rate,
            columns=columns,
            rows=rows,
        )
        for sound in (pair.reference, pair.reconstruction)
    )
    return Maps((reference, reconstruction))


def _place(levels: Array) -> Direction | None:
    return strongest(levels) if levels.max() > FLOOR_DB else None


def between_of(loaded: Loaded) -> Between:
    """Coherence of both sides."""
    pair = loaded.pair
    return between(
        pair.reconstruction.audio, pair.reference.audio, sample_rate=pair.reference.sample_rate
    )


def by_distance(between: Between, array: str) -> tuple[Apart, ...]:
    """Coherence by how far capsules stand apart, the nearest first; of an em32 alone."""
    angles = capsule_angles()[np.triu_indices(len(capsule_angles()), 1)]  # (P,)
    if array != ARRAY_NAME or len(between.pair_error) != len(angles):
        return ()
    order = np.argsort(angles)
    ends = np.flatnonzero(np.diff(angles[order]) > _GAP_DEGREES) + 1
    return tuple(
        Apart(
            float(angles[pairs].min()),
            float(angles[pairs].max()),
            float(between.pair_reference[pairs].mean()),
            float(between.pair_estimate[pairs].mean()),
            float(between.pair_error[pairs].mean()),
        )
        for pairs in np.split(order, ends)
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
