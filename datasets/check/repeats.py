"""Blocks that a recorder wrote twice: samples that come again, one by one, a buffer later.

Only where nothing was resampled, which would change them, and in the loudest channel: a lost
buffer is lost in all channels. Exact repetition of three samples happens by chance, of a whole
buffer it does not; a tone that repeats over and over is no block.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from codecctl.datasets.check.channels import live_channels
from codecctl.datasets.check.finding import WARNING, Finding
from codecctl.datasets.check.limits import Limits
from codecctl.datasets.check.scan import Scan
from codecctl.datasets.check.wording import runs_of
from codecctl.datasets.store import Store

_SHORTEST_BLOCK = 32
"""Samples; smaller buffers than any driver's."""
_FACTORS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)


def repeated_blocks(store: Store, scan: Scan, limits: Limits) -> list[Finding]:
    """Blocks of a recording that stand there twice, in the same second.

    Raises:
        DataError: The recording cannot be read.
    """
    info = scan.recording
    live = live_channels(scan, limits)
    if info.sample_rate != info.source_rate or not len(live):
        return []
    channel = int(live[scan.power[live].mean(axis=1).argmax()])
    shortest = max(_SHORTEST_BLOCK, round(limits.dropout_seconds / 4 * info.sample_rate))
    found: list[tuple[int, int]] = []
    for start in range(0, info.frames, info.sample_rate):
        frames = min(info.sample_rate, info.frames - start)
        audio = store.read(info.name, start, frames, [channel])[0]
        found += [(start + a, start + b) for a, b in _repeats(audio, shortest)]
    if not found:
        return []
    rate = info.sample_rate
    longest = max(last - first for first, last in found)
    places = "1 place" if len(found) == 1 else f"{len(found)} places"
    return [
        Finding(
            "repeated-block", WARNING, info.name,
            f"a block of samples comes twice in {places}, up to {longest} samples (seen in "
            f"channel {channel + 1}, where the recorder lost one, all have it)",
            "clicks, and a place where time jumps",
            spans=tuple((round(a / rate, 4), round(b / rate, 4)) for a, b in found[:50]),
            measured=float(longest), limit=float(shortest), unit="samples",
        )
    ]  # fmt: skip


def _repeats(audio: npt.NDArray[np.float32], shortest: int) -> list[tuple[int, int]]:
    """First and behind the last sample of each block that also stands right before itself."""
    if len(audio) < 2 * shortest:
        return []
    bits = audio.view(np.uint32).astype(np.uint64)
    with np.errstate(over="ignore"):
        keys = bits[:-2] * _FACTORS[0] ^ bits[1:-1] * _FACTORS[1] ^ bits[2:] * _FACTORS[2]
    order = np.argsort(keys, kind="stable")
    same = keys[order[1:]] == keys[order[:-1]]
    lags = (order[1:] - order[:-1])[same]
    if len(lags) < shortest - 2:
        return []
    found = []
    values, counts = np.unique(lags[lags >= shortest], return_counts=True)
    for lag in values[counts >= shortest - 2].tolist():
        again = (audio[lag:] == audio[:-lag]) & (audio[lag:] != 0)
        for first, last in runs_of(again):
            block = audio[first + lag : last + lag]
            # Longer than two blocks: a tone whose period is a whole number of samples.
            if not shortest <= len(block) <= 2 * lag:
                continue
            if np.count_nonzero(np.diff(block)) > len(block) / 2:  # else it is a frozen stretch
                found.append((first + lag, last + lag))
    return found
