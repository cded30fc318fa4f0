"""Do 32 channels behave like the capsules of an em32, in their order and with their sign?

What a rigid sphere hears at low frequencies is a smooth function on it: any sound field, diffuse
or of one source, lies within the spherical harmonics up to an order that grows with kr. So

    misfit = tr(P S) / tr(S),    P = projection onto what those harmonics cannot be

of the cross-spectra S of the channels is small (measured: -25 to -33 dB, genuine recordings
included, set by how much capsules differ) when channel n is capsule n, whatever was recorded.
Exchanging two channels, or inverting one, makes their values jump against their neighbors' and
raises it; so a fault is there where undoing it lowers the misfit. An array that is turned or
mirrored as a whole looks like another sound field: that cannot be found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codecctl.datasets.check.limits import Limits
from codecctl.datasets.check.spectra import Spectra
from codecctl.datasets.em32 import NUM_CAPSULES, capsule_directions
from codecctl.datasets.harmonics import sn3d

Floats = npt.NDArray[np.float64]

_VERDICT_BANDS = slice(1, 3)
"""Of `ORDERS`: above them sensor noise, below them wind may stand in for the field."""
ORDERS = {(300, 700): 2, (700, 1400): 3, (1400, 2400): 4, (2400, 3600): 4}
"""By band; the next order is below -30 dB there at a radius of 42 mm."""
_MOST_FAULTS = 16


@dataclass(frozen=True)
class Fault:
    """One change of the channels that makes them fit the sphere better."""

    kind: str
    """`swapped`, `inverted` or `odd`."""
    channels: tuple[int, ...]
    """Indices from 0."""
    gain_db: float
    """How much the misfit falls, mean over the bands."""


@dataclass(frozen=True)
class Fit:
    """How well channels fit the sphere."""

    misfit_db: float
    """As they are, 700 to 2400 Hz."""
    repaired_db: float
    """When the faults are undone."""
    faults: tuple[Fault, ...]
    """Inversions, omissions, and one `swapped` for each ring of channels."""
    order: tuple[int, ...]
    """By capsule, the channel that it is found in; indices from 0."""


def fit_sphere(spectra: Spectra, live: npt.NDArray[np.intp], limits: Limits) -> Fit | None:
    """Compare the channels of an em32 with the sphere; None where there is too little to go by.

    Args:
        spectra: Of 32 channels.
        live: Indices of the channels that are not dead.
        limits: Thresholds.
    """
    rows = [spectra.bands.index(band) for band in ORDERS if band in spectra.bands]
    if len(rows) < 3 or len(live) < 28 or spectra.segments < limits.min_segments:
        return None
    if not _has_field(spectra, live, limits):
        return None
    halves = [half[rows] for half in spectra.halves if np.abs(half).sum() > 0]
    state = _Array(halves, tuple(ORDERS[spectra.bands[row]] for row in rows), live)
    first = state.misfit()
    faults = [*_invert(state, spectra, limits)]
    while len(faults) < _MOST_FAULTS:
        fault = _next_fault(state, limits)
        if fault is None:
            break
        state.undo(fault)
        faults.append(fault)
    enough = _gain(first, state.misfit()) >= min(limits.swap_db, limits.flip_db)
    after = state.misfit() if enough else first
    order = tuple(state.order) if enough else tuple(range(NUM_CAPSULES))
    kept = [fault for fault in faults if fault.kind != "swapped"] if enough else []
    gain = sum(fault.gain_db for fault in faults if fault.kind == "swapped")
    kept += [Fault("swapped", ring, gain) for ring in _rings(order)]
    return Fit(_mean_db(first), _mean_db(after), tuple(kept), order)


def _rings(order: Sequence[int]) -> list[tuple[int, ...]]:
    """The places that change among themselves, of a permutation."""
    seen: set[int] = set()
    rings = []
    for start in range(len(order)):
        ring = []
        place = start
        while place not in seen:
            seen.add(place)
            ring.append(place)
            place = order[place]
        if len(ring) > 1:
            rings.append(tuple(sorted(ring)))
    return rings


def _has_field(spectra: Spectra, live: npt.NDArray[np.intp], limits: Limits) -> bool:
    """Whether the channels hear something together, in whatever order and sign."""
    likeness = spectra.likeness((300, 700), live)
    if likeness is None:
        return False
    above = np.triu_indices(len(live), 1)
    return float(np.abs(likeness[above]).mean()) > limits.field_r


def _invert(state: _Array, spectra: Spectra, limits: Limits) -> Iterator[Fault]:
    """The channels that move against the others where all of them hear the same."""
    sign = opposed(spectra, state.live)
    before = state.misfit()
    for channel in state.live[sign < 0].tolist():
        state.undo(Fault("inverted", (channel,), 0.0))
    gain = _gain(before, state.misfit())
    inverted = state.live[sign < 0].tolist()
    for channel in inverted:
        if gain >= limits.flip_db:
            yield Fault("inverted", (channel,), gain)
        else:
            state.undo(Fault("inverted", (channel,), 0.0))


def opposed(spectra: Spectra, live: npt.NDArray[np.intp]) -> Floats:
    """-1 for each channel that moves against most of the others below 300 Hz, else 1, (L,)."""
    likeness = spectra.likeness((150, 300), live)
    if likeness is None:
        return np.ones(len(live))
    leading = np.linalg.eigh(likeness)[1][:, -1]
    sign: Floats = np.where(leading * np.sign(np.sign(leading).sum() or 1) < 0, -1.0, 1.0)
    return sign


class _Array:
    """Cross-spectra of channels, and what is assumed of their order and sign."""

    def __init__(
        self, halves: Sequence[Floats], orders: Sequence[int], live: npt.NDArray[np.intp]
    ) -> None:
        assert halves[0].shape[-1] == NUM_CAPSULES, halves[0].shape
        self._halves = halves
        self._orders = orders
        self._order = np.arange(NUM_CAPSULES)
        self._sign = np.ones(NUM_CAPSULES)
        self.live = live

    @property
    def order(self) -> list[int]:
        """By capsule, the channel that is taken for it."""
        return [int(channel) for channel in self._order]

    def forms(self) -> Floats:
        """Misfit = sum over ij of signs_i signs_j form_ij, (H, B, L, L)."""
        directions = capsule_directions()[self.live]
        source = self._order[self.live]
        sign = np.outer(self._sign[source], self._sign[source])
        forms = []
        for half in self._halves:
            for spectrum, order in zip(half, self._orders, strict=True):
                inside = spectrum[np.ix_(source, source)]
                total = np.trace(inside)
                forms.append(_complement(directions, order) * inside * sign / total)
        shape = (len(self._halves), len(self._orders), len(self.live), len(self.live))
        result: Floats = np.array(forms).reshape(shape)
        return result

    def misfit(self) -> Floats:
        """(H, B)."""
        result: Floats = np.maximum(self.forms().sum(axis=(2, 3)), 1e-12)
        return result

    def undo(self, fault: Fault) -> None:
        """Assume a fault from now on."""
        if fault.kind == "swapped":
            a, b = fault.channels
            self._order[[a, b]] = self._order[[b, a]]
        elif fault.kind == "inverted":
            self._sign[self._order[fault.channels[0]]] *= -1
        else:
            self.live = self.live[self.live != fault.channels[0]]

    def swapped(self) -> Iterator[tuple[int, int, Floats]]:
        """Places and misfit (H, B) of each exchange of two channels."""
        projections = [_complement(capsule_directions()[self.live], n) for n in self._orders]
        source = self._order[self.live]
        sign = np.outer(self._sign[source], self._sign[source])
        spectra = np.array(
            [[s[np.ix_(source, source)] * sign for s in half] for half in self._halves]
        )
        totals = np.einsum("hbii->hb", spectra)
        projection = np.array(projections)
        base = np.einsum("bij,hbij->hb", projection, spectra)
        # Exchanging i and j in the projection changes its rows and columns i and j only.
        product = np.einsum("bik,hbjk->hbij", projection, spectra)
        own = np.einsum("hbii->hbi", product)
        for i in range(len(self.live)):
            for j in range(i):
                p, s = projection, spectra
                change = 2 * (product[..., i, j] + product[..., j, i] - own[..., i] - own[..., j])
                # What the rows share was counted twice.
                dp = p[:, i, i] + p[:, j, j] - 2 * p[:, i, j]
                ds = s[..., i, i] + s[..., j, j] - 2 * s[..., i, j]
                change = change + dp * ds
                misfit = np.maximum((base + change) / totals, 1e-12)
                yield int(self.live[i]), int(self.live[j]), misfit


def _next_fault(state: _Array, limits: Limits) -> Fault | None:
    """The exchange or omission that lowers the misfit most, None where none is worth it."""
    base = state.misfit()
    candidates = [
        Fault("swapped", (min(a, b), max(a, b)), gain)
        for a, b, misfit in state.swapped()
        if (gain := _gain(base, misfit)) >= limits.step_db
    ]
    best = max(candidates, key=lambda fault: fault.gain_db, default=None)
    odd = _odd(state, base, limits)
    # Leaving a channel out also cures the half of an exchange.
    if odd is not None and (best is None or odd.gain_db > best.gain_db + 3):
        return odd
    return best


def _odd(state: _Array, base: Floats, limits: Limits) -> Fault | None:
    """The channel without which the others fit best, where they do."""
    gains = []
    for channel in state.live.tolist():
        rest = _Array(state._halves, state._orders, state.live[state.live != channel])
        rest._order, rest._sign = state._order, state._sign
        gains.append((_gain(base, rest.misfit()), channel))
    gain, channel = max(gains)
    enough = gain >= limits.odd_db and len(state.live) > 28
    return Fault("odd", (channel,), gain) if enough else None


def _gain(before: Floats, after: Floats) -> float:
    """How much the misfit falls in dB, mean over bands, in the half that says less."""
    by_half = (10 * np.log10(before / after)).mean(axis=1)
    return float(by_half.min())


def _mean_db(misfit: Floats) -> float:
    return float((10 * np.log10(misfit[:, _VERDICT_BANDS])).mean())


def _complement(directions: Floats, order: int) -> Floats:
    """Projection onto what harmonics up to an order cannot be at these places, (L, L)."""
    basis, _ = np.linalg.qr(sn3d(directions, order))
    result: Floats = np.eye(len(directions)) - basis @ basis.T
    return result
