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
class Batch:
    """Windows of equal length."""

    audio: np.ndarray
    """(B, M, T) float32, full scale at [-1, 1]."""
    sample_rate: int
    """Hz."""
    items: tuple[Item, ...]
    """One for each row of the batch."""
