"""Where a sound is: standing, walking to and fro, or driving past again and again.

Coordinates are meters from the center of the array: x front, y left, z up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from codecctl.datasets.sphere import SPEED_OF_SOUND

Floats = npt.NDArray[np.float64]
MotionKind = Literal["static", "walking", "driving"]

APPEAR_SECONDS = 0.75  # a car fades in and out at the ends of its line: no clicks
RETARDATION_ROUNDS = 6  # the error shrinks by v / c < 0.06 with each


@dataclass(frozen=True)
class Motion:
    """A movement along a straight line that repeats."""

    kind: MotionKind
    start: tuple[float, float, float]
    """Meters; the place itself of a static sound."""
    end: tuple[float, float, float]
    """Meters; equal to `start` for a static sound."""
    speed: float
    """Meters per second; the mean one of a walk, which slows down at its ends."""
    pause_seconds: float
    """Silence between two passes of a driving sound."""
    phase_seconds: float
    """Time already gone in the first repetition when the recording begins."""

    def positions(self, times: Floats) -> Floats:
        """Places at some times, (T, 3) meters, from times of emission in seconds, (T,)."""
        start = np.array(self.start)
        line = np.array(self.end) - start
        places: Floats = start + self._progress(times)[:, None] * line
        return places

    def presence(self, times: Floats) -> Floats:
        """Gain between 0 and 1 at times of emission, (T,): 1, but for a car's ends and pauses."""
        if self.kind != "driving":
            return np.ones_like(times)
        since = self._since(times)
        inside = np.minimum(since, self._travel_seconds - since) / APPEAR_SECONDS
        gain: Floats = 0.5 - 0.5 * np.cos(np.pi * np.clip(inside, 0.0, 1.0))
        return gain

    def closest_meters(self) -> float:
        """Smallest distance from the center of the array on the whole line."""
        start, line = np.array(self.start), np.array(self.end) - np.array(self.start)
        length = float(line @ line)
        share = min(max(-float(start @ line) / length, 0.0), 1.0) if length else 0.0
        return float(np.linalg.norm(start + share * line))

    def mirrored(self, floor: float) -> Motion:
        """The image of this movement in a horizontal floor.

        Args:
            floor: Height of the floor, meters; below the array, so negative.
        """

        def image(place: tuple[float, float, float]) -> tuple[float, float, float]:
            return (place[0], place[1], 2 * floor - place[2])

        return Motion(
            self.kind,
            image(self.start),
            image(self.end),
            speed=self.speed,
            pause_seconds=self.pause_seconds,
            phase_seconds=self.phase_seconds,
        )

    @property
    def _travel_seconds(self) -> float:
        length = float(np.linalg.norm(np.array(self.end) - np.array(self.start)))
        return length / self.speed if self.speed else 0.0

    def _since(self, times: Floats) -> Floats:
        period = self._travel_seconds + self.pause_seconds
        return np.mod(times + self.phase_seconds, period)

    def _progress(self, times: Floats) -> Floats:
        if self.kind == "static" or not self._travel_seconds:
            return np.zeros_like(times)
        if self.kind == "driving":
            return np.minimum(self._since(times) / self._travel_seconds, 1.0)
        turns = (times + self.phase_seconds) / (2 * self._travel_seconds)
        return 0.5 - 0.5 * np.cos(2 * np.pi * turns)


def static(place: tuple[float, float, float]) -> Motion:
    """A sound that stays where it is; meters."""
    return Motion("static", place, place, speed=0.0, pause_seconds=0.0, phase_seconds=0.0)


def emission_times(motion: Motion, arrivals: Floats) -> Floats:
    """When the sound left that arrives at given times, seconds, (T,).

    Solves t = e + |p(e)| / c by iteration; the Doppler shift follows from reading the sound at e.
    """
    emitted = arrivals
    for _ in range(RETARDATION_ROUNDS if motion.speed else 1):
        distance = np.linalg.norm(motion.positions(emitted), axis=1)
        emitted = arrivals - distance / SPEED_OF_SOUND
    return emitted
