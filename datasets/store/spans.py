"""Stored samples become audio: the inner loop of every read.

What costs is the copy out of the page cache and one pass over the samples; a call of Python
costs as much as a thousand samples. So rooms for samples are used again, and a product in place
after a conversion takes less than a product that converts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np


class Scratch:
    """Room for the samples of some channels as they are stored; for one thread at a time."""

    def __init__(self) -> None:
        self._key: tuple[int, str] | None = None
        self.samples: list[np.ndarray] = []
        """(n,) each."""
        self.views: list[memoryview] = []
        """The bytes of each."""

    def fit(self, rows: int, frames: int, sample_type: np.dtype[np.generic]) -> None:
        """Make it hold (rows, frames) of a type, or more rows; costs little while it does."""
        key = (frames, sample_type.char)
        if key != self._key or rows > len(self.samples):
            self.samples = list(np.empty((rows, frames), dtype=sample_type))
            self.views = [row.data.cast("B") for row in self.samples]
            self._key = key


Parts = Sequence[tuple[slice, int]]
"""Which samples of a span were taken while which value of the scale held."""


def parts_of(start: int, frames: int, scale_frames: int) -> Parts:
    """The parts of a span.

    Args:
        start: First frame.
        frames: Frames of the span.
        scale_frames: Frames that share a scale.
    """
    second, inside = divmod(start, scale_frames)
    stop = scale_frames - inside
    if frames <= stop:
        return ((slice(0, frames), second),)
    parts = [(slice(0, stop), second)]
    while stop < frames:
        second += 1
        parts.append((slice(stop, min(stop + scale_frames, frames)), second))
        stop += scale_frames
    return parts


def expand(samples: np.ndarray, scale: np.ndarray, parts: Parts, out: np.ndarray) -> None:
    """Undo `quantize`: integers of a channel times what a step was worth where they were taken.

    Args:
        samples: (n,) integers.
        scale: (S,) float32, of the channel.
        parts: Of the span.
        out: (n,) float32.
    """
    out[...] = samples
    for part, second in parts:
        piece = out[part]
        np.multiply(piece, scale[second, ...], piece)  # an array without axes beats a number


def peak(samples: np.ndarray, scale: np.ndarray, parts: Parts, enough: float) -> float:
    """The largest magnitude of what `expand` makes, without making it.

    Rounding keeps order, so the largest product is the product of the largest integer: this is
    the same number to the last bit.

    Args:
        samples: (n,) integers, at least one.
        scale: As in `expand`.
        parts: As in `expand`.
        enough: A peak from here on need not be exact; some value between it and the peak will do.

    Returns:
        The peak; infinite or not a number where a product is. Still to be rounded to float32.
    """
    low, high = _ends(scale, parts)
    if low >= 0 and high < _SAFE:  # what is no number fails both
        count = len(samples)
        for place in (0, count // 3, count // 2, count - 1):  # most audio is loud somewhere
            value: float = abs(samples.item(place)) * low
            if value >= enough:
                return value
    peaks = [float(_magnitude(samples[part], scale[second])) for part, second in parts]
    return float(np.maximum.reduce(peaks))  # unlike max(), does not lose what is no number


def _ends(scale: np.ndarray, parts: Parts) -> tuple[float, float]:
    """Smallest and largest scale; where there are two, in either order if one is no number."""
    first, last = parts[0][1], parts[-1][1]
    if last > first + 1:
        scales = scale[first : last + 1]
        return float(np.minimum.reduce(scales)), float(np.maximum.reduce(scales))
    one, other = scale.item(first), scale.item(last)  # a window of a second: the most frequent
    return (one, other) if one < other else (other, one)


def _magnitude(samples: np.ndarray, scale: np.float32) -> np.float32:
    """Largest magnitude of integers times a scale of either sign."""
    ends = np.array([samples.min(), samples.max()], dtype=np.float32)
    with np.errstate(all="ignore"):  # a damaged scale
        largest: np.float32 = np.abs(ends * scale).max()
    return largest


def float_peak(audio: np.ndarray) -> float:
    """The largest magnitude of (n,) float32; infinite or not a number where a sample is."""
    return float(max(audio.max(), -audio.min()))


def grouped(places: Iterable[int], channels: Sequence[int], *, reach: int) -> list[list[int]]:
    """Places of channels that lie at most `reach` channels behind their neighbour, in order.

    Args:
        places: Which of `channels` to group.
        channels: Channel of each place.
        reach: From 1: only neighbours; 0 keeps all apart. Groups stay below what one call takes.
    """
    groups: list[list[int]] = []
    for place in sorted(places, key=channels.__getitem__):
        distance = channels[place] - channels[groups[-1][-1]] if groups else 0
        if groups and 0 < distance <= reach and len(groups[-1]) < _MOST_TOGETHER:
            groups[-1].append(place)
        else:
            groups.append([place])
    return groups


_SAFE = float(np.finfo(np.float32).max) / 2**31
"""Any integer times a scale below it is finite."""
_MOST_TOGETHER = 256
"""Half of the buffers that a call may name, since there are gaps between them."""
