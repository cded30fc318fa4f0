"""The em32 Eigenmike: 32 capsules on a rigid sphere, where each of them points, and its name.

Angles are those of the maker's table (mh acoustics, em32 Eigenmike release notes v17.0, 2013,
appendix), in whole degrees as published: capsule 15 stands at 121 and its mirror 31 at 122.
Channel n of a recording is capsule n.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

ARRAY_NAME = "em32"
NUM_CAPSULES = 32
RADIUS_METERS = 0.042

COLATITUDE_AZIMUTH_DEGREES: tuple[tuple[int, int], ...] = (
    # colatitude 0 = up, 90 = horizon; azimuth 0 = front, anticlockwise from above, 90 = left
    (69, 0), (90, 32), (111, 0), (90, 328), (32, 0), (55, 45), (90, 69), (125, 45),
    (148, 0), (125, 315), (90, 291), (55, 315), (21, 91), (58, 90), (121, 90), (159, 89),
    (69, 180), (90, 212), (111, 180), (90, 148), (32, 180), (55, 225), (90, 249), (125, 225),
    (148, 180), (125, 135), (90, 111), (55, 135), (21, 269), (58, 270), (122, 270), (159, 271),
)  # fmt: skip


def capsule_directions() -> npt.NDArray[np.float64]:
    """Unit vectors from the center to the capsules, (32, 3): x front, y left, z up."""
    colatitude, azimuth = np.radians(np.array(COLATITUDE_AZIMUTH_DEGREES, dtype=np.float64)).T
    return np.stack(
        [
            np.sin(colatitude) * np.cos(azimuth),
            np.sin(colatitude) * np.sin(azimuth),
            np.cos(colatitude),
        ],
        axis=1,
    )


def capsule_labels() -> tuple[str, ...]:
    """Names of the channels in order: `capsule1` ... `capsule32`."""
    return tuple(f"capsule{number}" for number in range(1, NUM_CAPSULES + 1))
