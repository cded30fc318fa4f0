"""Windows spread evenly over a recording: what stands for hours of audio in a summary."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codecctl.datasets.store import RecordingInfo, Store

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Excerpts:
    """Where the windows of a recording begin, and how long each of them is."""

    starts: tuple[int, ...]
    """First frames."""
    frames: int
    """Length of each; the last window may be shorter where all of a recording is read."""
    whole: bool
    """The windows are the recording, without gaps."""


def spread(total: int, *, frames: int, count: int) -> Excerpts:
    """At most `count` windows, spread evenly over a recording or covering all of it.

    Args:
        total: Frames of the recording.
        frames: Of a window.
        count: At least 1.
    """
    if total <= count * frames:
        return Excerpts(tuple(range(0, total, frames)), frames, whole=True)
    starts = np.linspace(0, total - frames, count).astype(int)
    return Excerpts(tuple(starts.tolist()), frames, whole=False)


def read_excerpts(store: Store, recording: RecordingInfo, excerpts: Excerpts) -> Iterator[Samples]:
    """The windows one after the other, (C, n) each; memory is that of one window.

    The disk is told of all of them first: a cold disk reads them in an order of its own.

    Raises:
        DataError: The recording cannot be read.
    """
    channels = range(recording.channels)
    spans = [(s, min(excerpts.frames, recording.frames - s)) for s in excerpts.starts]
    for start, frames in spans:
        store.will_need(recording.name, start, frames, channels)
    for start, frames in spans:
        yield store.read(recording.name, start, frames, channels)
