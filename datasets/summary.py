"""What a store sounds like: levels and octaves of each scene, likeness of channels of each array.

Estimates from a bounded number of half seconds spread evenly over the recordings, so that hours
cost seconds; recordings are weighted by their length. Peaks of int16 stores are exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codecctl.datasets.bands import band_edges, band_means, nominal, octave_centers
from codecctl.datasets.diffuse import diffuse_coherence
from codecctl.datasets.em32 import RADIUS_METERS, capsule_directions
from codecctl.datasets.excerpts import Excerpts, spread
from codecctl.datasets.measure import Measured, measure, pairs_of, peak_is_exact
from codecctl.datasets.sphere import ORDER_AT_48_KHZ
from codecctl.datasets.store import RecordingInfo, Store

Floats = npt.NDArray[np.float64]

WINDOW_SECONDS = 0.5
MOST_WINDOWS = 512
"""Of a store; every recording gets at least two, and no more than 16."""
QUIET_PERCENT, LOUD_PERCENT = 10.0, 90.0
_FEWEST, _MOST = 2, 16
_COMPONENTS = (1, 2, 4, 8, 16)


@dataclass(frozen=True)
class SceneSummary:
    """The recordings of one scene that one array made; levels in dBFS, -inf for silence."""

    scene: str
    array: str
    recordings: int
    seconds: float
    rms_db: float
    quiet_db: float
    """Level of a window that 10 % of the time lies below."""
    loud_db: float
    """Level of a window that 10 % of the time lies above."""
    peak_db: float
    bands_db: tuple[float, ...]
    """Level in each octave, mean over channels."""
    coherence: Mapping[str, tuple[float, ...]]
    """Real part by kind of pair in each octave; empty where pairs mean nothing."""


@dataclass(frozen=True)
class ArraySummary:
    """All recordings of one array."""

    array: str
    channels: int
    recordings: int
    seconds: float
    channel_levels_db: tuple[float, ...]
    coherence: Mapping[str, tuple[float, ...]]
    expected: Mapping[str, tuple[float, ...]]
    """The coherence of a diffuse field on this array."""
    correlation: float
    """Mean |r| between channels, broadband; NaN for one channel."""
    components: Mapping[int, float]
    """Share of the power that so many principal components carry."""


@dataclass(frozen=True)
class Summary:
    """Estimates of a whole store."""

    windows: int
    seconds_read: float
    whole: bool
    """Every sample was read: nothing is an estimate."""
    peaks_exact: bool
    band_centers: tuple[float, ...]
    """Nominal, Hz."""
    scenes: tuple[SceneSummary, ...]
    """Known arrays first, then by channels and scene."""
    arrays: tuple[ArraySummary, ...]
    levels_db: Mapping[str, float]
    """RMS of each recording."""


def summarize(store: Store, on_recording: Callable[[], None] | None = None) -> Summary:
    """Measure windows of every recording of a store.

    Args:
        store: Opened.
        on_recording: Called after each recording.

    Raises:
        DataError: A recording cannot be read.
    """
    plans = {info.name: excerpts_of(info, len(store.recordings)) for info in store.recordings}
    measured = []
    for info in store.recordings:
        measured.append(measure(store, info, plans[info.name]))
        if on_recording is not None:
            on_recording()
    centers = octave_centers(store.sample_rate)
    return Summary(
        windows=sum(len(plan.starts) for plan in plans.values()),
        seconds_read=sum(one.seconds_read for one in measured),
        whole=all(plan.whole for plan in plans.values()),
        peaks_exact=all(peak_is_exact(info) for info in store.recordings),
        band_centers=tuple(nominal(center) for center in centers.tolist()),
        scenes=tuple(
            _scene(key[2], group)
            for key, group in _grouped(
                measured, lambda info: (info.array, info.channels, info.scene)
            )
        ),
        arrays=tuple(
            _array(group, centers)
            for _, group in _grouped(measured, lambda info: (info.array, info.channels))
        ),
        levels_db={
            one.recording.name: decibels(float(one.window_powers.mean())) for one in measured
        },
    )


def excerpts_of(info: RecordingInfo, num_recordings: int) -> Excerpts:
    """The windows of a recording in a store of so many."""
    count = min(_MOST, max(_FEWEST, MOST_WINDOWS // num_recordings))
    frames = max(1, round(WINDOW_SECONDS * info.sample_rate))
    return spread(info.frames, frames=frames, count=count)


def decibels(power: float) -> float:
    """Level of a mean square, -inf for silence."""
    return 10 * math.log10(power) if power > 0 else -math.inf


def _grouped(
    measured: Sequence[Measured], key: Callable[[RecordingInfo], tuple[object, ...]]
) -> list[tuple[tuple[object, ...], list[Measured]]]:
    groups: dict[tuple[object, ...], list[Measured]] = {}
    for one in measured:
        groups.setdefault(key(one.recording), []).append(one)
    return sorted(groups.items(), key=lambda item: _order(item[1][0].recording))


def _order(info: RecordingInfo) -> tuple[bool, int, str, str]:
    """Known arrays first, then by the number of channels."""
    return info.array.startswith("unknown"), info.channels, info.array, info.scene


def _scene(scene: object, group: Sequence[Measured]) -> SceneSummary:
    weights = _seconds(group)
    windows = np.concatenate([one.window_powers for one in group])
    window_weights = np.concatenate(
        [np.full(len(one.window_powers), w / len(one.window_powers)) for one, w in _each(group)]
    )
    quiet, loud = (
        _weighted_percentile(windows, window_weights, percent)
        for percent in (QUIET_PERCENT, LOUD_PERCENT)
    )
    bands = np.average([one.band_powers for one in group], axis=0, weights=weights)
    return SceneSummary(
        scene=str(scene),
        array=group[0].recording.array,
        recordings=len(group),
        seconds=float(weights.sum()),
        rms_db=decibels(float(np.average(windows, weights=window_weights))),
        quiet_db=decibels(quiet),
        loud_db=decibels(loud),
        peak_db=decibels(max(one.peak for one in group) ** 2),
        bands_db=tuple(decibels(power) for power in bands.tolist()),
        coherence=_mean_coherence(group),
    )


def _array(group: Sequence[Measured], centers: Floats) -> ArraySummary:
    first = group[0].recording
    weights = _seconds(group)
    channels = np.average([one.channel_powers for one in group], axis=0, weights=weights)
    shares = np.average([one.components for one in group], axis=0, weights=weights).cumsum()
    known = np.array([one.correlation for one in group])
    return ArraySummary(
        array=first.array,
        channels=first.channels,
        recordings=len(group),
        seconds=float(weights.sum()),
        channel_levels_db=tuple(decibels(power) for power in channels.tolist()),
        coherence=_mean_coherence(group),
        expected=diffuse_expectation(first.array, first.channels, centers),
        correlation=_mean_of_known(known, weights),
        components={n: float(shares[n - 1]) for n in _COMPONENTS if n < first.channels},
    )


def diffuse_expectation(
    array: str, channels: int, centers: Floats
) -> Mapping[str, tuple[float, ...]]:
    """Coherence that a diffuse field has on an array, by kind of pair in each octave."""
    frequencies = np.arange(0.0, float(centers.max() * np.sqrt(2)) + 50.0, 25.0)
    expected = {}
    for kind, pairs in pairs_of(array, channels).items():
        capsules = capsule_directions()
        cosine = np.clip((capsules[pairs[:, 0]] * capsules[pairs[:, 1]]).sum(axis=1), -1.0, 1.0)
        curve = diffuse_coherence(
            np.array([cosine.mean()]), frequencies, radius=RADIUS_METERS, order=ORDER_AT_48_KHZ
        )[0]
        means = band_means(curve, bin_width=25.0, edges=band_edges(centers))
        expected[kind] = tuple(means.tolist())
    return expected


def _mean_coherence(group: Sequence[Measured]) -> Mapping[str, tuple[float, ...]]:
    weights = _seconds(group)
    return {
        kind: tuple(
            _mean_of_known(np.array(column), weights)
            for column in zip(*(one.coherence[kind] for one in group), strict=True)
        )
        for kind in group[0].coherence
    }


def _mean_of_known(values: Floats, weights: Floats) -> float:
    """Weighted mean without NaN; NaN where nothing is known."""
    known = np.isfinite(values)
    return float(np.average(values[known], weights=weights[known])) if known.any() else math.nan


def _weighted_percentile(values: Floats, weights: Floats, percent: float) -> float:
    """The value that `percent` of the weight lies below, between the middles of the steps."""
    order = np.argsort(values, kind="stable")
    middles = np.cumsum(weights[order]) - weights[order] / 2
    return float(np.interp(percent / 100 * weights.sum(), middles, values[order]))


def _seconds(group: Sequence[Measured]) -> Floats:
    return np.array([one.recording.seconds for one in group])


def _each(group: Sequence[Measured]) -> list[tuple[Measured, float]]:
    return [(one, one.recording.seconds) for one in group]
