"""What verify says: rectangles of channels and seconds that are not as they were written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Damage:
    """One thing that is not as it was written."""

    recording: str
    what: str
    channels: tuple[int, int] | None = None
    """First and last channel, indices from 0; None where the damage is not in the audio."""
    seconds: tuple[int, int] | None = None
    """First and last second of the recording, from 0."""

    @property
    def chunks(self) -> int:
        """Chunks of audio that it covers."""
        if self.channels is None or self.seconds is None:
            return 0
        height, width = (last - first + 1 for first, last in (self.channels, self.seconds))
        return height * width

    def __str__(self) -> str:
        if self.channels is None or self.seconds is None:
            return f"{self.recording}: {self.what}"
        channels = span_text("channel", self.channels[0] + 1, self.channels[1] + 1)
        return f"{self.recording}, {channels}, {span_text('second', *self.seconds)}: {self.what}"


def span_text(word: str, first: int, last: int) -> str:
    """`second 7`, or `seconds 7-9`."""
    return f"{word} {first}" if first == last else f"{word}s {first}-{last}"


def damages_of(recording: str, faults: np.ndarray, texts: dict[int, str]) -> list[Damage]:
    """The rectangles that cover the chunks with a fault, each with one kind of fault.

    Channels that share a run of seconds become one rectangle, so that a lost span of a disk,
    which crosses all channels at other seconds, and a lost second of all channels stay readable.

    Args:
        recording: Name.
        faults: Kind of fault of each chunk, (C, seconds) of integers; 0 where there is none.
        texts: What to say for each kind.
    """
    found: list[Damage] = []
    open_runs: dict[tuple[int, int, int], int] = {}  # (kind, first, last) -> first channel
    for channel in range(len(faults) + 1):
        runs = set(_runs(faults[channel])) if channel < len(faults) else set()
        for run in [run for run in open_runs if run not in runs]:
            kind, first, last = run
            span = (open_runs.pop(run), channel - 1)
            found.append(Damage(recording, texts[kind], span, (first, last)))
        for run in runs:
            open_runs.setdefault(run, channel)
    return sorted(found, key=lambda damage: (damage.channels, damage.seconds))


def _runs(row: np.ndarray) -> list[tuple[int, int, int]]:
    """Runs of one kind of fault in a channel: kind, first and last second."""
    edges = np.flatnonzero(np.diff(row, prepend=0, append=0))
    spans = zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    return [(int(row[first]), first, stop - 1) for first, stop in spans if row[first]]
