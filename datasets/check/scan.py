"""One pass over every sample of a recording: level, peak, offset and frozen samples by second."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codecctl.datasets.store import RecordingInfo, Store

Floats = npt.NDArray[np.float64]

FRAMES_PER_SECOND = 25
_BLOCK_SECONDS = 4  # of one channel: 400 kB at 24 kHz, stays in the second cache


@dataclass(frozen=True)
class Scan:
    """What every sample of a recording says, S seconds, the last one maybe in part."""

    recording: RecordingInfo
    peak: Floats
    """Largest magnitude, (C, S)."""
    low: Floats
    """Smallest value, (C, S)."""
    high: Floats
    """Largest value, (C, S)."""
    power: Floats
    """Mean square, (C, S)."""
    mean: Floats
    """(C, S)."""
    frozen: tuple[tuple[tuple[int, int], ...], ...]
    """By channel: first and behind-the-last frame of each run of equal samples."""
    envelope: Floats
    """Mean square over all channels of each 40 ms, (S * 25,)."""

    @property
    def constant(self) -> npt.NDArray[np.bool_]:
        """Seconds in which no sample differs from another, (C, S)."""
        same: npt.NDArray[np.bool_] = self.low == self.high
        return same


def scan_recording(
    store: Store,
    recording: RecordingInfo,
    *,
    min_run_seconds: float,
    on_bytes: Callable[[int], None],
) -> Scan:
    """Read a recording once, channel by channel as it lies on the disk.

    Args:
        store: That holds it.
        recording: Its row.
        min_run_seconds: Equal samples in a row that count as frozen.
        on_bytes: Called with the bytes of audio done since the last call.

    Raises:
        DataError: It cannot be read.
    """
    table = (recording.channels, recording.geometry.seconds)
    tables = {key: np.zeros(table) for key in ("low", "high", "power", "mean")}
    envelope = np.zeros((table[1], FRAMES_PER_SECOND))
    min_run = max(2, round(min_run_seconds * recording.sample_rate))
    frozen = []
    for channel in range(recording.channels):
        runs: list[tuple[int, int]] = []
        for start in range(0, recording.frames, _BLOCK_SECONDS * recording.sample_rate):
            frames = min(_BLOCK_SECONDS * recording.sample_rate, recording.frames - start)
            audio = store.read(recording.name, start, frames, [channel])[0]
            _measure(audio, start, channel, recording.sample_rate, tables, envelope)
            runs += _frozen(audio, start, min_run)
            on_bytes(frames * recording.geometry.sample_type.itemsize)
        frozen.append(tuple(_joined(runs)))
    peak = np.maximum(np.abs(tables["low"]), np.abs(tables["high"]))
    flat = envelope.ravel() / recording.channels
    return Scan(recording, peak, frozen=tuple(frozen), envelope=flat, **tables)


def _measure(
    audio: np.ndarray,
    start: int,
    channel: int,
    rate: int,
    tables: dict[str, Floats],
    envelope: Floats,
) -> None:
    """Fill in the seconds of a block of one channel that starts at a whole second."""
    first = start // rate
    whole = len(audio) // rate
    pieces = [(first, audio[: whole * rate].reshape(whole, rate))] if whole else []
    if len(audio) > whole * rate:
        pieces.append((first + whole, audio[None, whole * rate :]))
    for second, rows in pieces:
        span = slice(second, second + len(rows))
        tables["low"][channel, span] = rows.min(axis=1)
        tables["high"][channel, span] = rows.max(axis=1)
        tables["mean"][channel, span] = rows.mean(axis=1)
        powers = _frame_powers(rows, rate)
        envelope[span, : powers.shape[1]] += powers
        tables["power"][channel, span] = (
            powers.mean(axis=1) if powers.size else np.square(rows).mean(axis=1)
        )


def _frame_powers(rows: np.ndarray, rate: int) -> Floats:
    """Mean square of each 40 ms of some seconds, (S, frames); short sums are exact in float32."""
    length = max(1, rate // FRAMES_PER_SECOND)
    count = min(FRAMES_PER_SECOND, rows.shape[1] // length)
    frames = rows[:, : count * length].reshape(len(rows), count, length)
    powers: Floats = np.einsum("sft,sft->sf", frames, frames).astype(np.float64) / length
    return powers


def _frozen(audio: np.ndarray, start: int, min_run: int) -> list[tuple[int, int]]:
    """Runs of at least so many equal samples, (first, behind the last) frame of the recording."""
    same = audio[1:] == audio[:-1]
    if np.count_nonzero(same) < min_run - 1:
        return []
    edges = np.flatnonzero(np.diff(same, prepend=False, append=False))
    firsts, lasts = edges[::2], edges[1::2]
    long = lasts - firsts >= min_run - 1
    return [
        (start + first, start + last + 1)
        for first, last in zip(firsts[long].tolist(), lasts[long].tolist(), strict=True)
    ]


def _joined(runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Runs that a border between blocks has cut become one."""
    joined: list[tuple[int, int]] = []
    for first, last in runs:
        if joined and joined[-1][1] == first:
            joined[-1] = (joined[-1][0], last)
        else:
            joined.append((first, last))
    return joined
