"""What a sampler hands to a network: audio, and where each row of it comes from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Item:
    """One window of one recording."""

    recording: str
    start: int
    """First frame, at the store's rate."""
    channels: tuple[int, ...]
    """Indices from 0, in the order of the audio's rows."""


@dataclass(frozen=True, eq=False)
class Steps:
    """What the integers of a batch are worth: one factor for each second of each channel."""

    values: np.ndarray
    """(B, M, S) float32, for the seconds that a window touches."""
    inside: np.ndarray
    """(B,) int64: how many frames of its first second a window leaves out."""
    frames: int
    """Frames of a second."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Windows of equal length."""

    samples: np.ndarray
    """(B, M, T): float32 audio, or int16 where there are `steps`."""
    sample_rate: int
    """Hz."""
    items: tuple[Item, ...]
    """One for each row of the batch."""
    steps: Steps | None = None

    @property
    def audio(self) -> np.ndarray:
        """(B, M, T) float32, full scale at [-1, 1]; made anew each time where there are `steps`."""
        if self.steps is None:
            return self.samples
        frames = np.arange(self.samples.shape[2])
        seconds = (self.steps.inside[:, None, None] + frames) // self.steps.frames  # (B, 1, T)
        factors = np.take_along_axis(self.steps.values, seconds, axis=2)  # (B, M, T)
        audio: np.ndarray = self.samples.astype(np.float32)
        audio *= factors
        return audio
