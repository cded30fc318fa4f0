"""Channels that are one signal: by the hashes of every second, and by likeness in all bands."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from codecctl.datasets.check.channels import live_channels, quiet_seconds
from codecctl.datasets.check.finding import WARNING, Finding
from codecctl.datasets.check.limits import Limits
from codecctl.datasets.check.scan import Scan
from codecctl.datasets.check.spectra import Spectra
from codecctl.datasets.check.sphere_fit import opposed
from codecctl.datasets.check.wording import number_list

Floats = npt.NDArray[np.float64]

_ABOVE_NOISE = 300.0
"""Power over that of the store's rounding that a band needs: 25 dB, r is then good to 0.003."""
_WIDE_HZ = 1400
"""Bands from here on are needed: below, capsules of a small array hear the same."""


def duplicate_channels(
    scan: Scan, check: npt.NDArray[np.uint64], spectra: Spectra, limits: Limits
) -> list[Finding]:
    """Groups of channels that hold one signal, up to gain and sign.

    Args:
        scan: For levels and silence.
        check: Hash of each chunk, (C, S); equal ones are exact copies.
        spectra: Of the recording.
        limits: Thresholds.
    """
    live = live_channels(scan, limits)
    sounding = ~quiet_seconds(scan, limits)
    found: dict[tuple[int, int], str] = {}
    for place, a in enumerate(live.tolist()):
        for b in live[place + 1 :].tolist():
            both = sounding[a] & sounding[b]
            if both.any() and (check[a, both] == check[b, both]).mean() > 0.9:
                found[a, b] = "equal samples" if _same_level(scan, a, b) else "equal up to gain"
    for a, b, r in _alike(scan, spectra, live, limits):
        found.setdefault((a, b), "inverted copies" if r < 0 else f"r = {r:.5f} in every band")
    return [_finding(scan, group, how, limits) for group, how in _groups(found)]


def inverted_channels(scan: Scan, spectra: Spectra, limits: Limits) -> list[Finding]:
    """Channels of a small array of any shape that move against all others below 300 Hz."""
    live = live_channels(scan, limits)
    likeness = spectra.likeness((150, 300), live)
    if likeness is None or len(live) < 3 or spectra.segments < limits.min_segments:
        return []
    sign = opposed(spectra, live)
    upright = likeness * np.outer(sign, sign)
    above = np.triu_indices(len(live), 1)
    if not (sign < 0).any() or upright[above].mean() < limits.capsule_r:
        return []
    numbers = tuple((live[sign < 0] + 1).tolist())
    r = float(upright[above].mean())
    return [inverted_finding(scan.recording.name, numbers, f"r = {-r:.2f} below 300 Hz", -r)]


def inverted_finding(name: str, numbers: tuple[int, ...], how: str, measured: float) -> Finding:
    """What is told of inverted channels, however they were found."""
    return Finding(
        "inverted-channel", WARNING, name,
        f"{number_list('channel', numbers)}: polarity inverted ({how})",
        "sums and differences of channels come out wrong: beams, downmixes and every spatial "
        "measure; exchange the sign in the source and ingest again",
        channels=numbers, measured=round(measured, 2),
    )  # fmt: skip


def _alike(
    scan: Scan, spectra: Spectra, live: npt.NDArray[np.intp], limits: Limits
) -> list[tuple[int, int, float]]:
    """Pairs whose likeness is nearly 1 or -1 in every band that the store holds well."""
    if spectra.segments < limits.min_segments:
        return []
    noise = _rounding_power(scan)
    worst: Floats | None = None
    wide = np.zeros((len(live), len(live)), dtype=bool)
    for number, band in enumerate(spectra.bands):
        likeness = spectra.likeness(band, live)
        if likeness is None:
            continue
        share = (band[1] - band[0]) / (scan.recording.sample_rate / 2)
        well = spectra.power[number][live] > _ABOVE_NOISE * noise[live] * share
        valid = np.outer(well, well)
        # Rounding alone makes exact copies with another gain differ by this much.
        worst = likeness * 0 + 2 if worst is None else worst
        smaller = np.abs(likeness) < np.abs(worst)
        worst = np.where(valid & smaller, likeness, worst)
        if band[0] >= _WIDE_HZ:
            wide |= valid
    if worst is None:
        return []
    hits = np.argwhere(np.triu((np.abs(worst) > limits.duplicate_r) & (worst <= 1.5) & wide, 1))
    return [(int(live[a]), int(live[b]), float(worst[a, b])) for a, b in hits]


def _rounding_power(scan: Scan) -> Floats:
    """Mean square of what the store rounded away, (C,)."""
    if scan.recording.dtype != "int16":
        return np.zeros(scan.recording.channels)
    power: Floats = np.square(scan.peak / 32767).mean(axis=1) / 12
    return power


def _same_level(scan: Scan, a: int, b: int) -> bool:
    one, other = (float(scan.power[channel].sum()) for channel in (a, b))
    return abs(one - other) <= 1e-6 * max(one, other)


def _groups(found: dict[tuple[int, int], str]) -> list[tuple[tuple[int, ...], str]]:
    """Pairs that share channels become groups; how they are alike is that of the first pair."""
    groups: list[tuple[set[int], str]] = []
    for (a, b), how in sorted(found.items()):
        for members, _ in groups:
            if a in members or b in members:
                members.update((a, b))
                break
        else:
            groups.append(({a, b}, how))
    return [(tuple(sorted(members)), how) for members, how in groups]


def _finding(scan: Scan, group: tuple[int, ...], how: str, limits: Limits) -> Finding:
    numbers = tuple(channel + 1 for channel in group)
    return Finding(
        "duplicate-channels", WARNING, scan.recording.name,
        f"{number_list('channel', numbers)}: one signal ({how})",
        "fewer independent channels than the count says; pairs of them teach a model that "
        "channels are equal",
        channels=numbers, limit=limits.duplicate_r, unit="r",
    )  # fmt: skip
