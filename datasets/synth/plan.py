"""Everything that decides how one recording sounds; written to its JSON log as it is."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from codecctl.datasets.synth.motion import Motion

SAMPLE_RATE = 48_000
LOG_SCHEMA = 1
STATEMENT = (
    "Simulated audio. It tests shapes, input and output, memory and the behavior of training; "
    "it must never support a claim about quality on EigenScape."
)


@dataclass(frozen=True)
class Material:
    """Where the samples of a sound come from."""

    kind: str
    """What it stands for in the scene: `surf`, `footsteps`, ..."""
    file: str | None
    """Path below the sources folder; None: the built-in sound of this kind."""
    start_seconds: float
    """Where in the file the loop begins."""
    loop_seconds: float
    """Period after which the sound repeats."""
    silence_seconds: float
    """Pause that a short sound makes within each period."""
    shift_seconds: float
    """Where in its period it is when the recording begins: no two uses of a file coincide."""
    seed: int
    """Of the built-in sound."""


@dataclass(frozen=True)
class SourcePlan:
    """A mono sound with a place."""

    material: Material
    level_dbfs: float
    """RMS at the array at the closest point of its way, before the floor reflection."""
    motion: Motion
    spectrum: tuple[tuple[float, float], ...] = ()
    """(Hz, dB) that it is equalized to, up to a constant; empty: left as it is."""


@dataclass(frozen=True)
class BedPlan:
    """Diffuse background: one sound from many directions, each at another moment of it."""

    material: Material
    level_dbfs: float
    """RMS of the pressure at the center."""
    num_directions: int
    azimuth_degrees: float
    """Where it is loudest; anticlockwise from the front."""
    focus: float
    """0: the same from everywhere; above: louder from one side and near the horizon."""
    spectrum: tuple[tuple[float, float], ...]
    """(Hz, dB): its long-term spectrum, up to a constant."""
    seed: int


@dataclass(frozen=True)
class RoomPlan:
    """What surrounds the array."""

    floor_meters: float
    """Height of the floor from the array's center; below it, so negative."""
    floor_reflection: float
    """Factor on the pressure."""
    critical_distance_meters: float
    """Where a sound and its reverberation are equally loud; 0: no reverberation."""
    decay_seconds: float
    """Time of a decay by 60 dB below 1 kHz."""
    num_directions: int
    seed: int


@dataclass(frozen=True)
class NoisePlan:
    """What differs from capsule to capsule."""

    rumble_dbfs_per_hz: float
    """Wind on the capsules, at 20 Hz; falls by 12 dB an octave above 40 Hz."""
    sensor_dbfs_per_hz: float
    gain_spread_db: float
    """Standard deviation of the capsule gains, which are those of the corpus."""
    gain_seed: int
    seed: int


@dataclass(frozen=True)
class RecordingPlan:
    """One recording of the corpus."""

    scene: str
    take: int
    seconds: float
    sources: tuple[SourcePlan, ...]
    bed: BedPlan
    room: RoomPlan
    noise: NoisePlan

    @property
    def frames(self) -> int:
        """Length in samples."""
        return round(self.seconds * SAMPLE_RATE)

    def to_json(self) -> dict[str, object]:
        """The log of this recording: positions, motion, files, gains and seeds."""
        return {
            "schema": LOG_SCHEMA,
            "statement": STATEMENT,
            "array": "em32",
            "sample_rate": SAMPLE_RATE,
            "coordinates": "meters from the center of the array: x front, y left, z up",
            **asdict(self),
        }
