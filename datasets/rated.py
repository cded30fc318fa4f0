"""A store read at another rate than it holds: windows are resampled as they are read.

A window equals the same span of the whole recording resampled at once, to the rounding of float32
(-130 dB of it): it starts where a frame of either rate meets one of the other, and what the
filters see beyond its ends is read, too. Where both rates share so few frames that soxr follows
their ratio with a clock of finite steps (a reduced ratio of numbers above 2048, such as 44 056 to
24 000 Hz), the clock of a whole recording drifts away from true time, by 0.0001 of a frame in a
minute; windows do not.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import gcd

import numpy as np
import xxhash

from codecctl.datasets.resample import QUALITY, Resampler, converted_frames
from codecctl.datasets.store import AudioSource, RecordingInfo, Store
from codecctl.datasets.view import View
from codecctl.errors import DataError

MARGIN = 256
"""Frames, at the lower of both rates, that are resampled on either side of a window and dropped.

The filter of soxr HQ is below -120 dB beyond 80 of them, and at the rounding from 160 on.
"""
_PASS_FRAMES = 1 << 18
"""Source frames of one pass: some channels in one stream, while they fit into the cache."""
_BLOCK_FRAMES = 16_384


def is_native(recordings: Sequence[RecordingInfo]) -> bool:
    """Whether recordings are stored at the rate of their sources: nothing above it was lost."""
    return all(info.sample_rate == info.source_rate for info in recordings)


def at_rate(store: Store, rate: int) -> AudioSource:
    """The store at a rate in Hz: itself where it holds that rate."""
    return store if store.sample_rate == rate else RatedStore(store, rate)


def note(source: AudioSource) -> str:
    """What a user should know who trains on a view, "" for a store."""
    if not isinstance(source, RatedStore):
        return ""
    rate, native = source.sample_rate, source.source.sample_rate
    empty = f", holds nothing above {native // 2} Hz" if rate > native else ""
    return (
        f"store {source.name}: {native} Hz{empty}, resampled to {rate} Hz as it is read; a store "
        f"made with --rate {rate} is read 10 to 30 times faster"
    )


@dataclass(frozen=True)
class _Grid:
    """Where the frames of two rates meet: every `source` and every `target` frames."""

    source: int
    target: int
    margin: int
    """Steps of the grid on either side of a window."""

    @staticmethod
    def of(source_rate: int, rate: int) -> _Grid:
        common = gcd(source_rate, rate)
        source, target = source_rate // common, rate // common
        return _Grid(source, target, -(-MARGIN // min(source, target)))


class RatedStore(View[Store]):
    """A store as if it held another rate; reads like a `Store`, and belongs to it.

    `recordings` count their frames at the new rate; what they say of their source stays. Threads
    may read at the same time; it may be pickled, and used after a fork.

    Args:
        store: Opened; closed with the view.
        rate: Hz wanted, lower or higher than the store's.
    """

    def __init__(self, store: Store, rate: int) -> None:
        assert rate > 0 and rate != store.sample_rate, (rate, store.sample_rate)
        super().__init__(store, [_at_rate(info, rate) for info in store.recordings])
        self.sample_rate = rate
        self._grid = _Grid.of(store.sample_rate, rate)

    @property
    def fingerprint(self) -> str:
        """Hash of the store's own, of the rate and of the filter."""
        identity = json.dumps([self.source.fingerprint, self.sample_rate, f"soxr {QUALITY}"])
        return f"xxh3-128:{xxhash.xxh3_128_hexdigest(identity.encode())}"

    def read(
        self,
        name: str,
        start: int,
        frames: int,
        channels: Sequence[int],
        out: np.ndarray | None = None,
    ) -> np.ndarray:
        """Read a span of some channels, resampled.

        Args:
            name: Recording.
            start: First frame, at the new rate.
            frames: Frames at the new rate.
            channels: Indices from 0, in the order of the result.
            out: (len(channels), frames) float32 with contiguous rows, to read into.

        Returns:
            (len(channels), frames) float32. Full scale is [-1, 1]; filters may go beyond it.

        Raises:
            DataError: The span or a channel is outside the recording, or the file is too short.
        """
        stored = self.recording(name).frames
        if start < 0 or frames < 0 or start + frames > stored:
            raise DataError(
                f"{name}: needed frames {start} to {start + frames} at {self.sample_rate} Hz, "
                f"found {stored} frames"
            )
        if out is None:
            out = np.empty((len(channels), frames), dtype=np.float32)
        assert out.shape == (len(channels), frames) and out.dtype == np.float32, out.shape
        if frames == 0:
            return out
        first, last = self._steps(start, frames)
        begin, end = self._inside(name, first=first, last=last)
        grid = self._grid
        skipped = start - begin // grid.source * grid.target
        at_an_edge = begin > first * grid.source or end < last * grid.source
        together = 1 if at_an_edge else max(1, _PASS_FRAMES // (end - begin))
        for at in range(0, len(channels), together):
            rows = slice(at, at + together)
            resampled = self._resample(name, channels[rows], begin=begin, end=end)
            out[rows] = resampled[:, skipped : skipped + frames]
        return out

    def will_need(self, name: str, start: int, frames: int, channels: Sequence[int]) -> None:
        """Tell the system that a span is read next, so that a cold disk serves a batch at once."""
        first, last = self._steps(start, frames)
        begin, end = self._inside(name, first=first, last=last)
        self.source.will_need(name, begin, end - begin, channels)

    def __reduce__(self) -> tuple[type[RatedStore], tuple[Store, int]]:
        return RatedStore, (self.source, self.sample_rate)

    def _steps(self, start: int, frames: int) -> tuple[int, int]:
        """The steps of the grid around a span and its margins; may lie outside the recording."""
        grid = self._grid
        end = -(-(start + frames) // grid.target)
        return start // grid.target - grid.margin, end + grid.margin

    def _inside(self, name: str, *, first: int, last: int) -> tuple[int, int]:
        """The frames of the store between two steps, as far as the recording goes."""
        stored = self.source.recording(name).frames
        begin, end = (step * self._grid.source for step in (first, last))
        return min(max(begin, 0), stored), min(max(end, 0), stored)

    def _resample(self, name: str, channels: Sequence[int], *, begin: int, end: int) -> np.ndarray:
        """All of some channels between two frames of the store, (C, frames at the new rate).

        One stream takes all channels, one behind the other: to make a stream costs as much as
        half a second of audio, and the margins keep neighbours apart. Where there is none, at the
        ends of the recording, a stream takes one channel and begins and ends with it: soxr's
        stages do not see what the stage before them would ring ahead of the first frame.
        """
        line = self.source.read(name, begin, end - begin, channels).reshape(1, -1)
        resampler = Resampler(1, source_rate=self.source.sample_rate, rate=self.sample_rate)
        total = line.shape[1]
        blocks = [
            resampler.convert(line[:, at : at + _BLOCK_FRAMES], last=at + _BLOCK_FRAMES >= total)
            for at in range(0, total, _BLOCK_FRAMES)
        ]
        return np.concatenate(blocks, axis=1).reshape(len(channels), -1)


def _at_rate(info: RecordingInfo, rate: int) -> RecordingInfo:
    """A row at another rate; it has no place in a file."""
    frames = converted_frames(info.frames, info.sample_rate, rate)
    return replace(info, sample_rate=rate, frames=frames, dtype="float32", audio_offset=-1)
