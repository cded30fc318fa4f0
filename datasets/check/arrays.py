"""Findings about the array: order and sign of em32 capsules, and what kind of channels they are."""

from __future__ import annotations

import numpy as np

from codecctl.datasets.check.channels import level_outliers, live_channels
from codecctl.datasets.check.finding import NOTE, WARNING, Finding
from codecctl.datasets.check.kind import AMBISONICS, CAPSULES, Kind, channel_kind
from codecctl.datasets.check.limits import Limits
from codecctl.datasets.check.pairs import inverted_channels, inverted_finding
from codecctl.datasets.check.scan import Scan
from codecctl.datasets.check.spectra import Spectra
from codecctl.datasets.check.sphere_fit import Fit, fit_sphere
from codecctl.datasets.em32 import ARRAY_NAME, NUM_CAPSULES
from codecctl.datasets.harmonics import order_of_channels
from codecctl.datasets.store import RecordingInfo

_MOST_MOVED = 6
"""Channels that are told of one by one; more are another order, and undoing it stays a guess."""
_LOOKS = {
    AMBISONICS: "they look like ambisonics",
    CAPSULES: "they look like capsules in another order or of another array",
}


def array_findings(
    scan: Scan, spectra: Spectra, duplicates: list[Finding], limits: Limits
) -> list[Finding]:
    """What is wrong with the order, sign, level or kind of the channels.

    Args:
        scan: Of the recording.
        spectra: Of the recording.
        duplicates: What was found about copies of channels.
        limits: Thresholds.
    """
    info = scan.recording
    live = live_channels(scan, limits)
    if len(live) < 2 or spectra.segments == 0:
        return []
    kind = channel_kind(spectra, live, limits)
    if info.array == ARRAY_NAME and info.channels == NUM_CAPSULES:
        fit = fit_sphere(spectra, live, limits)
        found = _em32(info, fit, kind, limits)
        levels = level_outliers(scan, spectra, limits, compact=True)
        known = {number for one in (*levels, *duplicates) for number in one.channels}
        # A channel that is too low, or a copy, fits the sphere badly, too: told once.
        return levels + [
            one for one in found if one.kind != "odd-channel" or not set(one.channels) <= known
        ]
    if info.array.startswith("ambisonic"):
        return _ambisonic(info, kind, limits)
    if kind.kind == AMBISONICS:
        return [_looks_ambisonic(info, kind, limits)] if kind.normalization else []
    found = inverted_channels(scan, spectra, limits)
    return found + level_outliers(scan, spectra, limits, compact=kind.kind == CAPSULES)


def _em32(info: RecordingInfo, fit: Fit | None, kind: Kind, limits: Limits) -> list[Finding]:
    if fit is None:
        return []
    moved = sum(channel != place for place, channel in enumerate(fit.order))
    if fit.repaired_db > limits.misfit_db or moved > _MOST_MOVED:
        looks = _LOOKS.get(kind.kind, "their order is unknown")
        return [
            Finding(
                "wrong-array", WARNING, info.name,
                f"32 channels, but not those of an em32 in capsule order (misfit "
                f"{fit.misfit_db:.0f} dB): {looks}",
                "channel n is not capsule n: geometry, beams and spatial measures are wrong, and "
                "a model learns another array than from the other recordings",
                measured=round(fit.misfit_db, 1), limit=limits.misfit_db, unit="dB",
            )
        ]  # fmt: skip
    found = []
    for fault in fit.faults:
        numbers = tuple(channel + 1 for channel in fault.channels)
        better = f"misfit to the sphere falls by {fault.gain_db:.1f} dB"
        if fault.kind == "inverted":
            found.append(inverted_finding(info.name, numbers, better, fault.gain_db))
        elif fault.kind == "swapped":
            found.append(_swapped(info.name, fit, numbers, better, fault.gain_db, limits))
        else:
            found.append(_odd(info.name, numbers, better, fault.gain_db, limits))
    return found


def _swapped(
    name: str, fit: Fit, numbers: tuple[int, ...], better: str, gain: float, limits: Limits
) -> Finding:
    if len(numbers) == 2:
        what = f"channels {numbers[0]} and {numbers[1]} are exchanged"
    else:
        channels = ", ".join(str(fit.order[number - 1] + 1) for number in numbers)
        capsules = ", ".join(map(str, numbers))
        what = f"capsules {capsules} are in channels {channels}"
    return Finding(
        "swapped-channels", WARNING, name, f"{what} ({better} when put back)",
        "capsules stand in each other's place: spatial measures and beams are wrong there; put "
        "them back in the source and ingest again",
        channels=numbers, measured=round(gain, 1), limit=limits.swap_db, unit="dB",
    )  # fmt: skip


def _odd(name: str, numbers: tuple[int, ...], better: str, gain: float, limits: Limits) -> Finding:
    return Finding(
        "odd-channel", WARNING, name,
        f"channel {numbers[0]} does not hear what its neighbors hear ({better} without it)",
        "a broken capsule, noise, a wrong gain or a foreign signal in the array",
        channels=numbers, measured=round(gain, 1), limit=limits.odd_db, unit="dB",
    )  # fmt: skip


def _ambisonic(info: RecordingInfo, kind: Kind, limits: Limits) -> list[Finding]:
    orders = ", ".join(f"{value:+.1f}" for value in kind.order_db[1:])
    if kind.kind == CAPSULES:
        return [
            Finding(
                "wrong-array", WARNING, info.name,
                f"listed as {info.array}, but all channels hear the same below 300 Hz (r = "
                f"{kind.likeness:.2f}): these are capsules",
                "a model of ambisonic components would learn capsule signals; is the raw file "
                "under an ambisonic name?",
                measured=round(kind.likeness, 3), limit=limits.capsule_r, unit="r",
            )
        ]  # fmt: skip
    if kind.kind == AMBISONICS and kind.normalization != "SN3D" and info.array.endswith("SN3D"):
        says = "N3D" if kind.normalization == "N3D" else "neither SN3D nor N3D in ACN order"
        return [
            Finding(
                "wrong-normalization", WARNING if kind.normalization else NOTE, info.name,
                f"orders stand at {orders} dB against W: {says}",
                "mixed with SN3D recordings, the higher orders have other levels: convert it "
                "before ingest",
                measured=kind.order_db[1], limit=limits.order_db, unit="dB",
            )
        ]  # fmt: skip
    return []


def _looks_ambisonic(info: RecordingInfo, kind: Kind, limits: Limits) -> Finding:
    order = order_of_channels(info.channels)
    how = "N3D or FuMa" if order == 1 and kind.normalization == "N3D" else kind.normalization
    return Finding(
        "looks-ambisonic", NOTE, info.name,
        f"{info.channels} channels that look like ambisonics of order {order}, "
        f"{how} (r = {kind.likeness:.2f} below 300 Hz)",
        "they are components, no microphones: single channels of it are no recordings of a place",
        measured=round(kind.likeness, 3) if np.isfinite(kind.likeness) else None,
        limit=limits.ambisonic_r, unit="r",
    )  # fmt: skip
