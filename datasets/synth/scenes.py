"""The eight scenes of EigenScape as tables: what sounds, how loud, how it moves, and where.

Levels and the spectrum of Beach follow the published genuine excerpt (0.3 s); those of the other
scenes are plausible, not measured.
"""

from __future__ import annotations

from dataclasses import dataclass

from codecctl.datasets.synth.motion import MotionKind
from codecctl.datasets.synth.spectrum import Points


@dataclass(frozen=True)
class Role:
    """One sound of a scene."""

    kind: str
    """A key of PROCEDURAL, and what files of a sources folder are matched with."""
    motion: MotionKind
    level_db: float
    """At its closest point, relative to the bed."""
    distance_meters: tuple[float, float]
    """Range of the closest distance."""
    height_meters: tuple[float, float] = (-0.5, 0.3)
    """Range of heights relative to the array."""
    colored: bool = False
    """Has the spectrum of the bed: the same thing, only nearer."""


@dataclass(frozen=True)
class Scene:
    """A place."""

    display_name: str
    level_dbfs: float
    """RMS of the bed."""
    bed_kind: str
    focus: float
    spectrum: Points
    roles: tuple[Role, ...]
    rumble_dbfs_per_hz: float = -95.0
    floor_reflection: float = 0.6
    critical_distance_meters: float = 0.0
    decay_seconds: float = 0.0


# (Hz, dB) of the bed.
_BEACH: Points = (
    (20, 3), (60, 0), (200, -1.5), (350, -0.5), (500, -3.5), (700, -9), (1000, -11), (1400, -16.5),
    (2000, -20.5), (2800, -28), (4000, -37), (5600, -47.5), (8000, -61), (12000, -75), (20000, -90),
)  # fmt: skip
_ROAD: Points = (
    (20, 0), (60, 1), (120, -1), (250, -5), (500, -8), (1000, -10), (2000, -20), (4000, -33),
    (8000, -50), (20000, -75),
)  # fmt: skip
_LEAVES: Points = (
    (20, 0), (60, -5), (120, -11), (250, -17), (500, -20), (1000, -22), (2000, -27), (4000, -35),
    (8000, -48), (20000, -72),
)  # fmt: skip
_PEOPLE: Points = (
    (20, 0), (60, -2), (120, -6), (250, -9), (500, -9), (1000, -13), (2000, -20), (4000, -31),
    (8000, -48), (20000, -74),
)  # fmt: skip

_HIGH = (3.0, 9.0)
_MOUTH = (-0.1, 0.4)

SCENES: dict[str, Scene] = {
    "Beach": Scene(
        "Beach", -43.0, "surf", 1.4, _BEACH,
        (
            Role("surf", "static", -6, (18, 35), (-1.5, -1.2), colored=True),
            Role("surf", "static", -8, (25, 50), (-1.5, -1.2), colored=True),
            Role("wind", "static", -12, (6, 12), colored=True),
            Role("birds", "walking", -34, (15, 30), _HIGH),
        ),
        floor_reflection=0.4,
    ),
    "BusyStreet": Scene(
        "Busy Street", -38.0, "traffic", 0.7, _ROAD,
        (
            Role("traffic", "driving", 2, (4, 8), (-1.1, -0.7)),
            Role("traffic", "driving", -1, (6, 11), (-1.1, -0.7)),
            Role("footsteps", "walking", -20, (1.5, 4), (-1.5, -1.4)),
            Role("voice", "walking", -16, (2, 5), _MOUTH),
        ),
        floor_reflection=0.85, critical_distance_meters=14.0, decay_seconds=0.7,
    ),
    "Park": Scene(
        "Park", -47.0, "wind", 0.2, _LEAVES,
        (
            Role("birds", "static", -14, (6, 20), _HIGH),
            Role("birds", "static", -20, (10, 30), _HIGH),
            Role("footsteps", "walking", -16, (2, 6), (-1.5, -1.4)),
            Role("babble", "walking", -10, (6, 15), _MOUTH),
        ),
        rumble_dbfs_per_hz=-88.0,
    ),
    "PedestrianZone": Scene(
        "Pedestrian Zone", -40.0, "babble", 0.2, _PEOPLE,
        (
            Role("voice", "walking", -5, (1.5, 4), _MOUTH),
            Role("babble", "static", -6, (4, 10), _MOUTH),
            Role("footsteps", "walking", -12, (1.5, 4), (-1.5, -1.4)),
            Role("machinery", "static", -14, (6, 15), (0.0, 3.0)),
        ),
        floor_reflection=0.85, critical_distance_meters=11.0, decay_seconds=0.9,
    ),
    "QuietStreet": Scene(
        "Quiet Street", -48.0, "wind", 0.2, _LEAVES,
        (
            Role("birds", "static", -18, (8, 25), _HIGH),
            Role("traffic", "driving", 5, (5, 12), (-1.1, -0.7)),
            Role("footsteps", "walking", -12, (2, 6), (-1.5, -1.4)),
        ),
        floor_reflection=0.8, critical_distance_meters=18.0, decay_seconds=0.5,
    ),
    "ShoppingCentre": Scene(
        "Shopping Centre", -39.0, "babble", 0.0, _PEOPLE,
        (
            Role("babble", "static", -4, (4, 10), _MOUTH),
            Role("voice", "walking", -5, (2, 5), _MOUTH),
            Role("footsteps", "walking", -13, (2, 5), (-1.5, -1.4)),
            Role("machinery", "static", -10, (6, 12), (1.0, 3.5)),
        ),
        rumble_dbfs_per_hz=-110.0, floor_reflection=0.85,
        critical_distance_meters=5.0, decay_seconds=1.7,
    ),
    "TrainStation": Scene(
        "Train Station", -39.0, "machinery", 0.3, _ROAD,
        (
            Role("machinery", "driving", 0, (5, 9), (-1.0, 0.5)),
            Role("voice", "static", -8, (6, 14), (1.0, 3.0)),
            Role("babble", "walking", -8, (3, 8), _MOUTH),
            Role("footsteps", "walking", -14, (2, 5), (-1.5, -1.4)),
        ),
        rumble_dbfs_per_hz=-100.0, floor_reflection=0.85,
        critical_distance_meters=7.0, decay_seconds=2.2,
    ),
    "Woodland": Scene(
        "Woodland", -50.0, "wind", 0.0, _LEAVES,
        (
            Role("birds", "static", -12, (6, 20), _HIGH),
            Role("birds", "static", -16, (10, 30), _HIGH),
            Role("rain", "static", -22, (4, 10), _HIGH),
            Role("wind", "static", -8, (5, 12), (2.0, 8.0), colored=True),
        ),
        rumble_dbfs_per_hz=-90.0, floor_reflection=0.3,
    ),
}  # fmt: skip
