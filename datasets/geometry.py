"""Capsules by their place on the array: neighbours and opposites of the em32.

The capsules of an em32 stand in the middle of the faces of a truncated icosahedron. Faces that
share an edge are 36.8 to 42.3 degrees apart, all others 63 or more: twelve capsules have five
neighbours, twenty have six. Each capsule has one opposite, 179 degrees or more away.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt

from codecctl.datasets.em32 import ARRAY_NAME, NUM_CAPSULES, capsule_directions

ADJACENT_DEGREES = 45.0
"""Capsules closer than this are neighbours."""

ARRAYS = {ARRAY_NAME: NUM_CAPSULES}
"""Channels of the arrays whose capsules have a known place."""


@cache
def capsule_angles() -> npt.NDArray[np.float64]:
    """Angle between each two capsules of the em32 in degrees, (32, 32); read only."""
    directions = capsule_directions()
    cosines = np.clip(directions @ directions.T, -1.0, 1.0)
    # Rounded, so that equal angles are equal whatever the machine's arithmetic.
    angles = np.asarray(np.round(np.degrees(np.arccos(cosines)), 6), dtype=np.float64)
    np.fill_diagonal(angles, 0.0)
    angles.setflags(write=False)
    return angles


def opposites() -> npt.NDArray[np.int64]:
    """The capsule across the sphere from each capsule of the em32, (32,)."""
    across: npt.NDArray[np.int64] = capsule_angles().argmax(axis=1).astype(np.int64)
    return across


def adjacent_capsules(keys: np.ndarray, count: int) -> np.ndarray:
    """A capsule, then its neighbours in random order, then the others by their angle to it.

    The first is every capsule as likely, the second each of its neighbours as likely.

    Args:
        keys: (B, 32) uniform in [0, 1).
        count: M.

    Returns:
        (B, M) capsules.
    """
    rows = np.arange(len(keys))
    first = keys.argmin(axis=1)
    distances = np.maximum(capsule_angles()[first], ADJACENT_DEGREES)  # (B, 32)
    distances[rows, first] = 0.0
    return np.lexsort((keys, distances), axis=1)[:, :count]


def opposite_capsules(keys: np.ndarray, count: int) -> np.ndarray:
    """Capsules in pairs across the sphere; of an odd count, the last is without its opposite.

    Args:
        keys: (B, 32) uniform in [0, 1).
        count: M.

    Returns:
        (B, M) capsules.
    """
    pairs = np.minimum(keys, keys[:, opposites()])
    return np.lexsort((keys, pairs), axis=1)[:, :count]


GEOMETRIES: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "adjacent": adjacent_capsules,
    "opposite": opposite_capsules,
}
"""How capsules of a known array are chosen by place, from one uniform key for each of them."""


def unknown_array(array: str, channels: int) -> str:
    """Why capsules of a recording cannot be chosen by place, "" where they can."""
    if ARRAYS.get(array) == channels:
        return ""
    known = ", ".join(f"{name} ({count} channels)" for name, count in sorted(ARRAYS.items()))
    return f"found {channels} channels of array {array or 'unknown'}, needed {known}"
