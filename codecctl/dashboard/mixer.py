"""Reference and reconstruction at the same place of time, one of them heard."""

from __future__ import annotations

import threading

import numpy as np

from codecctl.dashboard.sound import Samples

FADE_SECONDS = 0.005


class Mixer:
    """Plays two sounds in step, over and over; `other` changes which one is heard.

    The one that is heard is faded into, so that a change makes no click of its own, and the ends
    of the loop are faded. Called by the thread of a sound device.

    Args:
        sides: Two sounds (C, T) of one shape.
        sample_rate: Hz.
        side: Which is heard first.
    """

    def __init__(self, sides: tuple[Samples, Samples], *, sample_rate: int, side: int = 0) -> None:
        fade = max(1, min(round(FADE_SECONDS * sample_rate), sides[0].shape[1] // 2))
        ends = np.ones(sides[0].shape[1], np.float32)
        ramp = np.linspace(0, 1, fade + 1, dtype=np.float32)[1:]
        ends[:fade] *= ramp
        ends[len(ends) - fade :] *= ramp[::-1]
        self._sides = tuple(side * ends for side in sides)
        self._step = 1 / fade
        self._lock = threading.Lock()
        self._share = float(side)
        self.side = side
        self.position = 0

    def other(self) -> int:
        """Hear the other one from now on; returns which."""
        with self._lock:
            self.side = 1 - self.side
            return self.side

    def fill(self, frames: int) -> Samples:
        """What is heard next, (frames, C)."""
        length = self._sides[0].shape[1]
        places = (self.position + np.arange(frames)) % length
        with self._lock:
            target = self.side
        moved = self._share + np.sign(target - self._share) * self._step * np.arange(1, frames + 1)
        share = np.clip(moved, min(self._share, target), max(self._share, target)).astype(
            np.float32
        )
        mixed = self._sides[0][:, places] * (1 - share) + self._sides[1][:, places] * share
        self._share = float(share[-1]) if frames else self._share
        self.position = int((self.position + frames) % length)
        heard: Samples = np.ascontiguousarray(np.clip(mixed, -1.0, 1.0).T, dtype=np.float32)
        return heard
