"""Agreement of codes against the angle between capsules, beside what a diffuse field shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from codecctl.datasets.diffuse import diffuse_coherence
from codecctl.datasets.em32 import NUM_CAPSULES, RADIUS_METERS
from codecctl.datasets.geometry import capsule_angles
from codecctl.engine.metrics.codes import AgreementMatrix

FREQUENCIES = (250.0, 500.0, 1000.0, 2000.0, 4000.0)
"""Hz, of the coherence columns."""
_GAP_DEGREES = 3.0
"""Angles of the em32 come in groups; the gaps between them are wider than this."""
_ORDER = 16
"""Highest mode on the sphere: enough up to 12 kHz."""


@dataclass(frozen=True)
class AngleGroup:
    """The pairs of capsules that are about as far apart."""

    degrees: float
    """Mean angle."""
    pairs: int
    agreement: float
    """Share of frames with equal codes, mean over the pairs."""
    chance: float
    """The share that equally frequent codes reach by chance."""
    coherence: tuple[float, ...]
    """Of a diffuse field at `FREQUENCIES` and this angle."""


def agreement_by_angle(matrix: AgreementMatrix) -> tuple[AngleGroup, ...]:
    """Agreement of the pairs of an em32, grouped by rising angle.

    Sound from everywhere at once has the coherence given: an agreement that falls more slowly with
    the angle than it, or a first codebook that agrees where nothing is coherent, codes something
    slower than the waveform (level, spectrum); one that falls as fast follows the waveform.

    Args:
        matrix: Of 32 capsules, capsule n in row n.
    """
    shape = tuple(matrix.observed.shape)
    assert shape == (NUM_CAPSULES, NUM_CAPSULES), f"needed 32 capsules, got {shape}"
    rows, columns = np.triu_indices(NUM_CAPSULES, 1)
    angles = capsule_angles()[rows, columns]
    order = np.argsort(angles, kind="stable")
    angles = angles[order]
    observed, chance = (_upper(values)[order] for values in (matrix.observed, matrix.chance))
    cuts = np.flatnonzero(np.diff(angles) > _GAP_DEGREES) + 1
    means = np.array([part.mean() for part in np.split(angles, cuts)])
    coherence = diffuse_coherence(
        np.cos(np.radians(means)), np.array(FREQUENCIES), radius=RADIUS_METERS, order=_ORDER
    )
    groups = zip(means, np.split(observed, cuts), np.split(chance, cuts), coherence, strict=True)
    return tuple(
        AngleGroup(
            degrees=float(degrees),
            pairs=len(equal),
            agreement=float(equal.mean()),
            chance=float(by_chance.mean()),
            coherence=tuple(float(value) for value in values),
        )
        for degrees, equal, by_chance, values in groups
    )


def _upper(matrix: Tensor) -> np.ndarray:
    values: np.ndarray = matrix.cpu().numpy()[np.triu_indices(NUM_CAPSULES, 1)]
    return values
