"""Faults of single channels: dead, offset, silent, interrupted, far below or above the others."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from codecctl.datasets.check.finding import ERROR, NOTE, WARNING, Finding
from codecctl.datasets.check.limits import Limits
from codecctl.datasets.check.scan import Scan
from codecctl.datasets.check.spectra import Spectra
from codecctl.datasets.check.wording import decibels, number_list, runs_of

Flags = npt.NDArray[np.bool_]

_LEVEL_BANDS = ((300, 700), (700, 1400))
_HIGH_HZ = 2400
_MOST_SPANS = 50


def quiet_seconds(scan: Scan, limits: Limits) -> Flags:
    """Seconds of a channel without sound: constant or below the limit, (C, S)."""
    moving = np.maximum(scan.power - scan.mean**2, 0.0)
    quiet: Flags = scan.constant | (moving < 10 ** (limits.silence_dbfs / 10))
    return quiet


def live_channels(scan: Scan, limits: Limits) -> npt.NDArray[np.intp]:
    """Indices of the channels that are not dead."""
    return np.flatnonzero(quiet_seconds(scan, limits).mean(axis=1) < limits.dead_share)


def dead_channels(scan: Scan, limits: Limits) -> list[Finding]:
    """Channels without any sound; an error where there is no other."""
    live = live_channels(scan, limits)
    channels, name = scan.recording.channels, scan.recording.name
    dead = np.setdiff1d(np.arange(channels), live)
    if not len(dead):
        return []
    level = decibels(float(scan.power[dead].mean()))
    constant = scan.constant[dead].all()
    kind = "no sample differs from another" if constant else f"nothing above {level:.0f} dBFS"
    if not len(live):
        return [
            Finding(
                "silent-recording", ERROR, name, f"all {channels} channels are dead: {kind}",
                "nothing can be learned from it; remove it or find the right file",
                measured=_finite(level), limit=limits.silence_dbfs, unit="dBFS",
            )
        ]  # fmt: skip
    numbers = tuple((dead + 1).tolist())
    return [
        Finding(
            "dead-channel", WARNING, name, f"{number_list('channel', numbers)}: {kind}",
            "a model that draws single channels learns silence from it, one that takes all of "
            "them learns an array with a hole",
            channels=numbers, measured=_finite(level), limit=limits.silence_dbfs, unit="dBFS",
        )
    ]  # fmt: skip


def silent_stretches(scan: Scan, limits: Limits) -> list[Finding]:
    """Seconds in which no channel has sound."""
    live = live_channels(scan, limits)
    if not len(live):
        return []
    silent: Flags = np.all(quiet_seconds(scan, limits)[live], axis=0)
    end = scan.recording.seconds
    spans = [
        (float(first), min(float(last), end))
        for first, last in runs_of(silent)
        if min(last, end) - first >= limits.silent_seconds
    ]
    if not spans:
        return []
    total = sum(stop - start for start, stop in spans)
    share = total / scan.recording.seconds
    return [
        Finding(
            "silent-stretch", WARNING if share > 0.1 else NOTE, scan.recording.name,
            f"{total:.0f} s of silence in all channels ({share:.0%})",
            "training windows that fall there teach nothing; a profile's data.silence_db draws "
            "them again",
            spans=tuple(spans[:_MOST_SPANS]), measured=total, limit=limits.silent_seconds, unit="s",
        )
    ]  # fmt: skip


def offsets(scan: Scan, limits: Limits) -> list[Finding]:
    """Channels with a constant offset, the same in every second."""
    whole = scan.recording.frames // scan.recording.sample_rate
    if whole < 2:
        return []
    means = scan.mean[:, :whole]
    offset = means.mean(axis=1)
    moving = np.sqrt(np.maximum(scan.power - scan.mean**2, 0.0).mean(axis=1))
    steady = np.abs(offset) > 5 * means.std(axis=1)
    large = (np.abs(offset) > limits.dc_of_rms * moving) & (
        np.abs(offset) > 10 ** (limits.dc_dbfs / 20)
    )
    found = np.intersect1d(np.flatnonzero(steady & large), live_channels(scan, limits))
    if not len(found):
        return []
    worst = found[np.abs(offset[found]).argmax()]
    share = abs(offset[worst]) / max(float(moving[worst]), 1e-12)
    numbers = tuple((found + 1).tolist())
    return [
        Finding(
            "dc-offset", WARNING, scan.recording.name,
            f"{number_list('channel', numbers)}: offset {offset[worst]:+.4f} of full scale, "
            f"{share:.0%} of the level",
            "models spend bits on it and every cut clicks; remove it from the source (a high-pass "
            "at 10 Hz) and ingest again",
            channels=numbers, measured=round(share, 4), limit=limits.dc_of_rms, unit="of RMS",
        )
    ]  # fmt: skip


def dropouts(scan: Scan, limits: Limits) -> list[Finding]:
    """Places where samples stand still although the channel has sound around them."""
    info = scan.recording
    live = live_channels(scan, limits)
    silent = quiet_seconds(scan, limits)
    # One step of the source: where the sound is of that size, equal samples are its nature.
    step = 2.0 ** (1 - info.source_bits) if 0 < info.source_bits < 32 else 0.0
    events: dict[tuple[int, int], list[int]] = {}
    for channel in live.tolist():
        for first, last in scan.frozen[channel]:
            seconds = slice(first // info.sample_rate, -(-last // info.sample_rate))
            if silent[:, seconds].all() or first == 0 or last == info.frames:
                continue  # silence of all channels, or before and after the recording
            around = scan.power[channel, max(0, seconds.start - 1) : seconds.stop + 1].max()
            if around > (10 * step) ** 2:
                events.setdefault((first, last), []).append(channel)
    return [_dropout(scan, group, limits) for group in _by_channels(events)]


def _dropout(
    scan: Scan, group: tuple[tuple[int, ...], list[tuple[int, int]]], limits: Limits
) -> Finding:
    channels, runs = group
    rate = scan.recording.sample_rate
    longest = max(last - first for first, last in runs) / rate
    everywhere = len(channels) == scan.recording.channels
    numbers = tuple(channel + 1 for channel in channels)
    where = "all channels" if everywhere else number_list("channel", numbers)
    places = "1 place" if len(runs) == 1 else f"{len(runs)} places"
    return Finding(
        "dropout", WARNING, scan.recording.name,
        f"{where}: samples stand still in {places}, up to {longest * 1000:.0f} ms",
        "the recorder lost samples there: clicks, and time that does not fit between channels if "
        "only some are hit",
        channels=numbers, measured=round(longest, 4), limit=limits.dropout_seconds, unit="s",
        spans=tuple((round(a / rate, 4), round(b / rate, 4)) for a, b in runs[:_MOST_SPANS]),
    )  # fmt: skip


def _by_channels(
    events: dict[tuple[int, int], list[int]],
) -> list[tuple[tuple[int, ...], list[tuple[int, int]]]]:
    """Runs of several channels that overlap are one event; those of the same channels a group."""
    merged: list[tuple[int, int, set[int]]] = []
    for (first, last), channels in sorted(events.items()):
        if merged and first < merged[-1][1]:
            start, stop, others = merged[-1]
            merged[-1] = (start, max(stop, last), others | set(channels))
        else:
            merged.append((first, last, set(channels)))
    groups: dict[tuple[int, ...], list[tuple[int, int]]] = {}
    for first, last, together in merged:
        groups.setdefault(tuple(sorted(together)), []).append((first, last))
    return list(groups.items())


def level_outliers(scan: Scan, spectra: Spectra, limits: Limits, *, compact: bool) -> list[Finding]:
    """Channels far from the median of the array: in the middle, and with hiss at the top.

    Args:
        scan: For the name and the dead channels.
        spectra: Of the recording.
        limits: Thresholds.
        compact: Whether the array is small, so that levels have to agree.
    """
    live = live_channels(scan, limits)
    middle = [row for row, band in enumerate(spectra.bands) if band in _LEVEL_BANDS]
    if len(live) < 4 or not middle:
        return []
    power = np.maximum(spectra.power[:, live], 1e-30)
    apart = 10 * np.log10(power[middle].sum(axis=0))
    apart -= np.median(apart)
    limit = limits.low_db if compact else limits.low_db_unknown
    name, where = scan.recording.name, "300 to 1400 Hz"
    found = [
        *_apart("low-channel", name, live, np.where(apart < -limit, apart, 0), limit, where),
        *_apart("loud-channel", name, live, np.where(apart > limit, apart, 0), limit, where),
    ]
    high = [row for row, band in enumerate(spectra.bands) if band[0] >= _HIGH_HZ]
    if compact and high:
        levels = 10 * np.log10(power[high])
        above = (levels - np.median(levels, axis=1, keepdims=True)).max(axis=0)
        hiss = np.where((above > limits.noisy_db) & (apart <= limit), above, 0)
        found += _apart("noisy-channel", name, live, hiss, limits.noisy_db, "a band above 2400 Hz")
    return found


def _apart(
    kind: str,
    name: str,
    live: npt.NDArray[np.intp],
    apart: npt.NDArray[np.float64],
    limit: float,
    where: str,
) -> list[Finding]:
    """One finding for all channels with a level that is not 0."""
    hit = np.flatnonzero(apart)
    if not len(hit):
        return []
    numbers = tuple((live[hit] + 1).tolist())
    worst = float(apart[hit][np.abs(apart[hit]).argmax()])
    word = "above" if worst > 0 else "below"
    return [
        Finding(
            kind, WARNING, name,
            f"{number_list('channel', numbers)}: {abs(worst):.0f} dB {word} the median of the "
            f"channels, {where}",
            "a gain, a plug or a capsule; level differences between channels are what a spatial "
            "model learns",
            channels=numbers, measured=round(worst, 1), limit=limit, unit="dB",
        )
    ]  # fmt: skip


def _finite(level: float) -> float | None:
    """JSON has no infinity."""
    return round(level, 1) if np.isfinite(level) else None
