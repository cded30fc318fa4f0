"""What recordings of a store say about each other: copies, outliers of a scene, products of a take.

Copies are found three ways: equal audio hashes; seconds with equal hashes, wherever they stand;
and level curves that run alike at some offset, for copies with another gain, cut or rate.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt

from codecctl.datasets.check.finding import NOTE, WARNING, Finding
from codecctl.datasets.check.limits import Limits
from codecctl.datasets.check.scan import FRAMES_PER_SECOND
from codecctl.datasets.check.wording import decibels
from codecctl.datasets.eigenscape import missing_takes, oddity
from codecctl.datasets.naming import SCENES, Place, place
from codecctl.datasets.store import RecordingInfo

Floats = npt.NDArray[np.float64]
Hashes = npt.NDArray[np.uint64]

_LEAK = "split over training and validation, the validation is no test any more"
_SMOOTH = np.array([0.25, 0.5, 0.25])
_SLOW_SECONDS = 2.0
_LEAST_CHANGE_DB = 0.02


@dataclass(frozen=True)
class Outline:
    """What is kept of a recording to compare it with others."""

    recording: RecordingInfo
    power: float
    """Mean square over all channels."""
    envelope: Floats
    """Mean square of each 40 ms."""
    chunks: Hashes
    """Hashes of the seconds that have sound, any order."""


def across_findings(outlines: Sequence[Outline], limits: Limits) -> list[Finding]:
    """All findings that concern several recordings, or the store."""
    pairs: set[frozenset[str]] = set()
    found = []
    for finding in (
        *_same_hash(outlines),
        *_shared_chunks(outlines, limits),
        *_same_curve(outlines, limits),
    ):
        pair = frozenset((finding.recording, *finding.others))
        if pair not in pairs:
            pairs.add(pair)
            found.append(finding)
    rows = [outline.recording for outline in outlines]
    return [*found, *_scene_outliers(outlines, limits), *_products(rows), *_eigenscape(rows)]


def _same_hash(outlines: Sequence[Outline]) -> Iterator[Finding]:
    groups: Mapping[tuple[object, ...], list[RecordingInfo]] = defaultdict(list)
    for outline in outlines:
        info = outline.recording
        if outline.power > 0:
            groups[info.audio_hash, info.frames, info.channels].append(info)
    for rows in groups.values():
        for other in rows[1:]:
            yield _copy(rows[0], other, "the same audio, sample for sample", 1.0, "")


def _shared_chunks(outlines: Sequence[Outline], limits: Limits) -> Iterator[Finding]:
    """Pairs of recordings with equal seconds."""
    if len(outlines) < 2:
        return
    hashes = np.concatenate([np.unique(outline.chunks) for outline in outlines])
    owners = np.repeat(
        np.arange(len(outlines)), [len(np.unique(outline.chunks)) for outline in outlines]
    )
    order = np.argsort(hashes, kind="stable")
    hashes, owners = hashes[order], owners[order]
    shared: dict[tuple[int, int], int] = defaultdict(int)
    for start in np.flatnonzero(hashes[1:] == hashes[:-1]).tolist():
        shared[int(owners[start]), int(owners[start + 1])] += 1
    for (a, b), count in sorted(shared.items()):
        one, other = outlines[a].recording, outlines[b].recording
        seconds = count / min(one.channels, other.channels)
        if count >= limits.shared_chunks:
            yield _copy(one, other, f"{count} seconds of single channels in common", seconds, "s")


def _same_curve(outlines: Sequence[Outline], limits: Limits) -> Iterator[Finding]:
    """Pairs of recordings whose level curves agree at some offset."""
    least = round(limits.envelope_seconds * FRAMES_PER_SECOND)
    curves = [
        (outline, _curve(outline.envelope))
        for outline in outlines
        if len(outline.envelope) >= least and outline.power > 0
    ]
    if len(curves) < 2:
        return
    size = 1 << (2 * max(len(curve) for _, curve in curves) - 1).bit_length()
    spectra = [np.fft.rfft(curve, size) for _, curve in curves]
    squares = [np.concatenate([[0.0], np.cumsum(curve**2)]) for _, curve in curves]
    for b in range(1, len(curves)):
        for a in range(b):
            product = np.fft.irfft(spectra[a] * np.conj(spectra[b]), size)
            r, lag = _best(product, squares[a], squares[b], least)
            if r < limits.envelope_r:
                continue
            one, other = curves[a][0].recording, curves[b][0].recording
            if (one.corpus, one.scene, one.take) == (other.corpus, other.scene, other.take):
                continue  # two products of a take, told of by name
            offset = lag / FRAMES_PER_SECOND
            what = f"level curves that run alike (r = {r:.2f}) at an offset of {offset:+.1f} s"
            yield _copy(one, other, what, round(r, 3), "r")


def _curve(envelope: Floats) -> Floats:
    """Level in dB, smoothed so that half a frame does not matter, as deviations of equal size.

    Slow changes are taken out and each stretch weighs the same: neither a bang nor the edge of a
    silence must be all that two recordings have in common.
    """
    smooth = np.convolve(envelope, _SMOOTH, "same")
    floor = max(1e-14, float(np.median(smooth)) * 1e-4)
    level = 10 * np.log10(np.maximum(smooth, floor))
    change = level - _moving_mean(level)
    size = np.sqrt(_moving_mean(change**2))
    curve: Floats = np.clip(change / (size + _LEAST_CHANGE_DB), -3.0, 3.0)
    return curve


def _moving_mean(values: Floats) -> Floats:
    width = round(_SLOW_SECONDS * FRAMES_PER_SECOND) | 1
    padded = np.pad(values, width // 2, mode="edge")
    mean: Floats = np.convolve(padded, np.full(width, 1 / width), "valid")
    return mean


def _best(product: Floats, one: Floats, other: Floats, least: int) -> tuple[float, int]:
    """Largest correlation over offsets with enough overlap, and that offset in frames."""
    lags = np.arange(least - (len(other) - 1), len(one) - 1 - least + 1)
    first = np.maximum(lags, 0)
    last = np.minimum(len(one) - 1, lags + len(other) - 1)
    energy = (one[last] - one[first]) * (other[last - lags] - other[first - lags])
    r = product[lags] / np.sqrt(np.maximum(energy, 1e-12))
    best = int(r.argmax())
    return float(r[best]), int(lags[best])


def _copy(
    one: RecordingInfo, other: RecordingInfo, what: str, measured: float, unit: str
) -> Finding:
    scenes = f"scenes {one.scene} and {other.scene}" if one.scene != other.scene else "one scene"
    return Finding(
        "duplicate-recording", WARNING, one.name,
        f"{one.name} and {other.name} ({scenes}) hold {what}",
        f"{_LEAK}; keep one of them, or both on one side",
        measured=measured, unit=unit, others=(other.name,),
    )  # fmt: skip


def _scene_outliers(outlines: Sequence[Outline], limits: Limits) -> Iterator[Finding]:
    groups: Mapping[tuple[str, str, str], list[Outline]] = defaultdict(list)
    for outline in outlines:
        info = outline.recording
        if outline.power > 0 and info.scene:
            groups[info.corpus, info.scene, info.array].append(outline)
    for (_, scene, _), members in groups.items():
        if len(members) < limits.scene_recordings:
            continue
        levels = np.array([decibels(outline.power) for outline in members])
        apart = levels - np.median(levels)
        for outline, level, difference in zip(members, levels, apart, strict=True):
            if abs(difference) > limits.scene_outlier_db:
                word = "above" if difference > 0 else "below"
                yield Finding(
                    "scene-outlier", WARNING, outline.recording.name,
                    f"{level:.1f} dBFS, {abs(difference):.0f} dB {word} the median of {scene}",
                    "another gain, another place, or the wrong file; losses that are not relative "
                    "to the level weigh it accordingly",
                    measured=round(float(difference), 1), limit=limits.scene_outlier_db, unit="dB",
                )  # fmt: skip


def _products(rows: Sequence[RecordingInfo]) -> Iterator[Finding]:
    """Takes that a store holds in more than one array."""
    takes: Mapping[tuple[str, str, str], list[RecordingInfo]] = defaultdict(list)
    for info in rows:
        if info.scene:
            takes[info.corpus, info.scene, info.take].append(info)
    several = {key: found for key, found in takes.items() if len({r.array for r in found}) > 1}
    if several:
        arrays = ", ".join(sorted({info.array for found in several.values() for info in found}))
        names = tuple(info.name for found in several.values() for info in found)
        yield Finding(
            "two-products", NOTE, "",
            f"{len(several)} takes are here as several products ({arrays})",
            "one performance twice: a profile takes one of them by its channels, and a split has "
            "to keep them on one side",
            measured=float(len(several)), others=names,
        )  # fmt: skip


def _eigenscape(rows: Sequence[RecordingInfo]) -> Iterator[Finding]:
    """Published faults and missing takes of EigenScape."""
    places = []
    for info in rows:
        claims = place(PurePosixPath(info.source_name))
        where = Place(info.scene, info.take, claims.raw, claims.dotted)
        if info.scene in SCENES:
            places.append(where)
        if text := oddity(where, info.channels):
            yield Finding(
                "published-fault", NOTE, info.name, text,
                "nothing to mend: it is stored by what it holds, not by what it is called",
            )  # fmt: skip
    scenes = {where.scene for where in places}
    if len(scenes) > len(SCENES) // 2 and (text := missing_takes(places)):
        yield Finding(
            "missing-takes", NOTE, "", text,
            "fine for a subset; results are not comparable with those of the whole corpus",
        )  # fmt: skip
