"""Clipping: tops that were cut, found again in the loudest seconds of each channel.

Where nothing was resampled, cut tops are equal samples at the maximum; of 80 real recordings only
those that are clipped have any such place. Resampling makes ripples of the corners: then samples
beyond full scale tell a clipped source, and tops that are flatter than those of any sound tell a
limiter or a converter whose ceiling is lower.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codecctl.datasets.check.channels import live_channels
from codecctl.datasets.check.finding import NOTE, WARNING, Finding
from codecctl.datasets.check.limits import Limits
from codecctl.datasets.check.scan import Scan
from codecctl.datasets.check.wording import decibels, number_list, runs_of
from codecctl.datasets.store import Store

_LOUDEST = 8
"""Seconds of a channel that are read again."""
_LEAST_STEPS = 1000
"""A maximum of fewer steps of the source repeats by itself."""


@dataclass(frozen=True)
class _Tops:
    """What the loudest seconds of a channel look like near its maximum."""

    equal: int
    """Places with equal samples at the maximum."""
    full: int
    """Places that reach full scale."""
    over: int
    """Samples beyond full scale."""
    flat: float
    """Of the samples above 90 % of the maximum, the share above 97 %; 0 where it says nothing."""


def clipping(store: Store, scan: Scan, limits: Limits) -> list[Finding]:
    """Channels that are clipped, with the seconds where they reach their ceiling.

    Raises:
        DataError: The recording cannot be read.
    """
    info = scan.recording
    same_rate = info.sample_rate == info.source_rate
    step = 2.0 ** (1 - info.source_bits) if 0 < info.source_bits < 32 else 0.0
    hit: dict[int, str] = {}
    for channel in live_channels(scan, limits).tolist():
        maximum = float(scan.peak[channel].max())
        if maximum < max(1e-4, _LEAST_STEPS * step):
            continue
        tops = _tops(store, scan, channel, maximum, limits)
        if same_rate and tops.equal >= limits.clip_events:
            hit[channel] = f"{tops.equal} flat tops"
        elif not same_rate and tops.full >= limits.clip_events and tops.over > 0:
            hit[channel] = f"{tops.full} tops at full scale, {tops.over} samples beyond"
        elif not same_rate and tops.flat >= limits.flat_share:
            hit[channel] = f"flat tops ({tops.flat:.0%} of the loud time at the ceiling)"
    return [_finding(scan, hit, limits)] if hit else []


def _tops(store: Store, scan: Scan, channel: int, maximum: float, limits: Limits) -> _Tops:
    info = scan.recording
    order = np.argsort(-scan.peak[channel], kind="stable")[:_LOUDEST]
    equal = full = over = num_top = above_90 = above_97 = 0
    for second in order[scan.peak[channel, order] >= 0.9 * maximum].tolist():
        start = second * info.sample_rate
        frames = min(info.sample_rate, info.frames - start)
        size = np.abs(store.read(info.name, start, frames, [channel])[0])
        # Tops of int16 seconds come back as scale * 32767: equal to some parts in 10^8.
        highest = runs_of(size >= maximum * (1 - 1e-6))
        equal += sum(last - first >= limits.clip_run for first, last in highest)
        over += int(np.count_nonzero(size > 1.0))
        for first, last in runs_of(size >= 0.9 * maximum):
            top = size[first:last]
            full += bool(top.max() >= limits.full_scale)
            if top.max() >= 0.97 * maximum:
                num_top += 1
                above_90 += len(top)
                above_97 += int(np.count_nonzero(top >= 0.97 * maximum))
    shaped = num_top >= limits.flat_events and above_90 >= limits.flat_samples * num_top
    return _Tops(equal, full, over, above_97 / above_90 if shaped else 0.0)


def _finding(scan: Scan, hit: dict[int, str], limits: Limits) -> Finding:
    info = scan.recording
    channels = np.array(list(hit))
    ceiling = scan.peak[channels].max(axis=1, keepdims=True)
    reached = (scan.peak[channels] >= 0.97 * ceiling).any(axis=0)
    share = float(reached.mean())
    worst = int(channels[ceiling[:, 0].argmax()])
    level = decibels(float(ceiling.max()) ** 2)
    numbers = tuple((channels + 1).tolist())
    resampled = "" if info.sample_rate == info.source_rate else ", resampled since"
    return Finding(
        "clipped",
        WARNING if share >= limits.clipped_seconds else NOTE,
        info.name,
        f"{number_list('channel', numbers)}: clipped at {level:+.1f} dBFS{resampled}; channel "
        f"{worst + 1} has {hit[worst]}, {int(reached.sum())} s reach the ceiling",
        "distortion that a codec learns to reproduce, and metrics that reward it",
        channels=numbers,
        spans=tuple((float(a), float(b)) for a, b in runs_of(reached)[:50]),
        measured=round(share, 4),
        limit=limits.clipped_seconds,
        unit="of the seconds",
    )
