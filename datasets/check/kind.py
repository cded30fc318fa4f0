"""Capsules or ambisonics? What the channels themselves say, whatever the name claims.

Capsules of a small array hear nearly the same below 300 Hz: equal levels, likeness above 0.9.
Ambisonic components are different functions of direction: little likeness, and the powers of an
order add up to that of W (SN3D) or 2n + 1 times it (N3D), whatever the field, because the squares
of all harmonics of an order add up to a constant.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codecctl.datasets.check.limits import Limits
from codecctl.datasets.check.spectra import Spectra
from codecctl.datasets.harmonics import order_of_channels

CAPSULES, AMBISONICS, UNCLEAR = "capsules", "ambisonics", "unclear"
_LIKENESS_BAND = (150, 300)
_ORDER_BAND = (1400, 2400)
_MOST_SPREAD_DB = 3.0
_LEAST_STRUCTURE = 0.15  # real sound fields have 0.26 and more, independent noises 0.02


@dataclass(frozen=True)
class Kind:
    """What the channels look like."""

    kind: str
    """`capsules`, `ambisonics` or `unclear`."""
    likeness: float
    """Mean correlation of all pairs, 150 to 300 Hz; NaN where there is too little to go by."""
    order_db: tuple[float, ...] = ()
    """Power of each order against W, 1400 to 2400 Hz, for (N + 1)^2 channels."""
    normalization: str = ""
    """`SN3D`, `N3D`, or "" where orders 1 and 2 fit neither."""


def channel_kind(spectra: Spectra, live: npt.NDArray[np.intp], limits: Limits) -> Kind:
    """Tell capsules from ambisonics.

    Args:
        spectra: Of C channels.
        live: Indices of those that are not dead.
        limits: Thresholds.
    """
    likeness = spectra.likeness(_LIKENESS_BAND, live)
    if likeness is None or len(live) < 3 or spectra.segments < limits.min_segments:
        return Kind(UNCLEAR, float("nan"))
    above = np.triu_indices(len(live), 1)
    mean = float(likeness[above].mean())
    level = 10 * np.log10(spectra.power[spectra.bands.index(_LIKENESS_BAND)][live])
    if mean > limits.capsule_r and level.std() < _MOST_SPREAD_DB:
        return Kind(CAPSULES, mean)
    order_db = _order_db(spectra)
    if mean < limits.ambisonic_r and order_db and _is_structured(spectra, live):
        return Kind(AMBISONICS, mean, order_db, _normalization(order_db, limits))
    return Kind(UNCLEAR, mean, order_db)


def _is_structured(spectra: Spectra, live: npt.NDArray[np.intp]) -> bool:
    """Whether some components move together: independent signals have the powers of N3D, too."""
    likeness = spectra.likeness(_ORDER_BAND, live)
    if likeness is None:
        return False
    return float(np.abs(np.triu(likeness, 1)).max()) > _LEAST_STRUCTURE


def _order_db(spectra: Spectra) -> tuple[float, ...]:
    """Power of each order against that of order 0, () for other counts of channels."""
    channels = spectra.halves.shape[-1]
    order = order_of_channels(channels)
    if not order or _ORDER_BAND not in spectra.bands:
        return ()
    power = spectra.power[spectra.bands.index(_ORDER_BAND)]
    sums = [float(power[n * n : (n + 1) ** 2].sum()) for n in range(order + 1)]
    if min(sums) <= 0:
        return ()
    return tuple(round(float(10 * np.log10(total / sums[0])), 1) for total in sums)


def _normalization(order_db: tuple[float, ...], limits: Limits) -> str:
    """Which one orders 1 and 2 agree with; the higher ones depend on the encoder's filters."""
    found = np.array(order_db[1:3])
    orders = np.arange(1, 1 + len(found))
    for name, expected in (("SN3D", 0.0 * orders), ("N3D", 10 * np.log10(2 * orders + 1))):
        if (np.abs(found - expected) < limits.order_db).all():
            return name
    return ""
