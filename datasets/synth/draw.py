"""From a scene, a take number and a seed to the plan of one recording."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np

from codecctl.datasets.synth.motion import Motion
from codecctl.datasets.synth.plan import (
    BedPlan,
    Material,
    NoisePlan,
    RecordingPlan,
    RoomPlan,
    SourcePlan,
)
from codecctl.datasets.synth.recorded import CROSSFADE_SECONDS, Sound, SoundFolder
from codecctl.datasets.synth.scenes import SCENES, Role, Scene

EAR_HEIGHT_METERS = 1.6
NUM_BED_DIRECTIONS = 50
NUM_REVERB_DIRECTIONS = 12
SENSOR_DBFS_PER_HZ = -129.0
GAIN_SPREAD_DB = 0.5
SHORT_SOUND_SECONDS = 2.5  # shorter ones pause between repetitions
LONGEST_LOOP_SECONDS = 45.0
LEVEL_SPREAD_DB = 1.5
WALKING = (0.9, 1.6)
DRIVING = (6.0, 14.0)

WORDS: dict[str, tuple[str, ...]] = {
    "wind": ("wind", "leaves", "breeze", "storm"),
    "surf": ("surf", "sea", "ocean", "wave", "beach", "shore"),
    "rain": ("rain", "drizzle", "water"),
    "traffic": ("traffic", "car", "bus", "truck", "road", "engine", "street", "helicopter"),
    "birds": ("bird", "rooster", "crow", "gull", "song"),
    "footsteps": ("step", "walk", "shoe"),
    "voice": ("voice", "speech", "talk", "sing", "speaker"),
    "babble": ("babble", "crowd", "people", "applause", "speech"),
    "machinery": ("machine", "train", "station", "factory", "fan", "motor", "mill", "drill"),
}
"""A file with one of these in its path stands for the kind."""


def draw_recording(
    scene_id: str, take: int, *, seconds: float, seed: int, folder: SoundFolder | None
) -> RecordingPlan:
    """Draw one recording; the same arguments give the same plan, whatever else is rendered.

    Args:
        scene_id: A key of SCENES.
        take: 1 for the first recording of the scene.
        seconds: Length.
        seed: Of the corpus.
        folder: Recordings to render from; None for the built-in sounds.
    """
    scene = SCENES[scene_id]
    rng = np.random.default_rng([seed, zlib.crc32(scene_id.encode()), take])
    level_dbfs = scene.level_dbfs + LEVEL_SPREAD_DB * float(rng.uniform(-1, 1))
    sounds = _Sounds(folder, rng, seconds=seconds)
    return RecordingPlan(
        scene=scene_id,
        take=take,
        seconds=seconds,
        sources=tuple(
            SourcePlan(
                material=sounds.foreground(role.kind),
                level_dbfs=round(level_dbfs + role.level_db + float(rng.uniform(-2, 2)), 2),
                motion=_motion(role, rng, seconds=seconds),
                spectrum=tuple(scene.spectrum) if role.colored else (),
            )
            for role in scene.roles
        ),
        bed=_bed(scene, rng, material=sounds.background(scene.bed_kind), level_dbfs=level_dbfs),
        room=_room(scene, rng),
        noise=NoisePlan(
            rumble_dbfs_per_hz=round(scene.rumble_dbfs_per_hz + float(rng.uniform(-3, 3)), 1),
            sensor_dbfs_per_hz=SENSOR_DBFS_PER_HZ,
            gain_spread_db=GAIN_SPREAD_DB,
            gain_seed=seed,  # one array records the whole corpus
            seed=_seed(rng),
        ),
    )


class _Sounds:
    """Picks the material of a recording."""

    def __init__(
        self, folder: SoundFolder | None, rng: np.random.Generator, *, seconds: float
    ) -> None:
        self._sounds = folder.sounds if folder else ()
        self._rng = rng
        self._used: set[str] = set()
        # Long enough that a short recording does not repeat, and 45 s for an hour of it.
        self._longest = min(seconds + 4.0, LONGEST_LOOP_SECONDS)

    def foreground(self, kind: str) -> Material:
        if not self._sounds:
            return self._built_in(kind)
        fitting = [sound for sound in self._sounds if _is_of_kind(sound, kind)]
        return self._from_file(kind, self._one_of(fitting or self._sounds), may_pause=True)

    def background(self, kind: str) -> Material:
        if not self._sounds:
            return self._built_in(kind)
        long = [sound for sound in self._sounds if sound.seconds >= SHORT_SOUND_SECONDS]
        fitting = [sound for sound in long if _is_of_kind(sound, kind)]
        steady = sorted(long or self._sounds, key=lambda sound: sound.unsteadiness_db)
        chosen = self._one_of(fitting or steady[: max(len(steady) // 6, 1)])
        return self._from_file(kind, chosen, may_pause=False)

    def _one_of(self, sounds: Sequence[Sound]) -> Sound:
        """One that this recording does not use yet, as long as there is one."""
        fresh = [sound for sound in sounds if sound.path not in self._used] or sounds
        sound = fresh[int(self._rng.integers(len(fresh)))]
        self._used.add(sound.path)
        return sound

    def _built_in(self, kind: str) -> Material:
        return Material(
            kind=kind,
            file=None,
            start_seconds=0.0,
            loop_seconds=_tenths(self._longest * float(self._rng.uniform(0.85, 1.0))),
            silence_seconds=0.0,
            shift_seconds=0.0,
            seed=_seed(self._rng),
        )

    def _from_file(self, kind: str, sound: Sound, *, may_pause: bool) -> Material:
        pauses = may_pause and sound.seconds < SHORT_SOUND_SECONDS
        silence = _tenths(float(self._rng.uniform(0.5, 2.5))) if pauses else 0.0
        # The cross-fade of a loop without a pause takes its length from the file.
        usable = sound.seconds if pauses else max(sound.seconds - CROSSFADE_SECONDS, 0.1)
        sounding = min(usable, self._longest)
        start = round(float(self._rng.uniform(0, usable - sounding)), 2)
        return Material(
            kind=kind,
            file=sound.path,
            start_seconds=start,
            loop_seconds=round(sounding + silence, 4),
            silence_seconds=silence,
            shift_seconds=round(float(self._rng.uniform(0, sounding)), 3),
            seed=0,
        )


def _is_of_kind(sound: Sound, kind: str) -> bool:
    """Whether a word of the name begins with one of the kind; short ones have to be equal."""
    for found in re.split(r"[^a-z]+", sound.path.lower()):
        for word in WORDS[kind]:
            if found == word or (len(word) > 3 and found.startswith(word)):
                return True
    return False


def _motion(role: Role, rng: np.random.Generator, *, seconds: float) -> Motion:
    """A way whose closest point lies in the given direction, passed within the recording."""
    azimuth = rng.uniform(0, 2 * np.pi)
    distance = rng.uniform(*role.distance_meters)
    height = float(rng.uniform(*role.height_meters))
    speed = float(rng.uniform(*(DRIVING if role.motion == "driving" else WALKING)))
    reach = {"static": 0.0, "walking": 6.0, "driving": 6.0 * speed}[role.motion]
    outward = np.array([np.cos(azimuth), np.sin(azimuth)])
    along = np.array([-np.sin(azimuth), np.cos(azimuth)]) * rng.choice([-1.0, 1.0])
    start, end = (distance * outward + side * reach * along for side in (-1.0, 1.0))
    places = [(round(float(x), 3), round(float(y), 3), round(height, 3)) for x, y in (start, end)]
    if role.motion == "static":
        return Motion("static", places[0], places[0], speed=0.0, pause_seconds=0.0, phase_seconds=0)
    travel = 2 * reach / speed
    passed_at = rng.uniform(0.3, 0.7) * min(seconds, travel)
    pause = float(rng.uniform(1.0, 8.0)) if role.motion == "driving" else 0.0
    return Motion(
        role.motion,
        places[0],
        places[1],
        speed=round(speed, 3),
        pause_seconds=round(pause, 2),
        phase_seconds=round(float(travel / 2 - passed_at), 3),
    )


def _bed(
    scene: Scene, rng: np.random.Generator, *, material: Material, level_dbfs: float
) -> BedPlan:
    return BedPlan(
        material=material,
        level_dbfs=round(level_dbfs, 2),
        num_directions=NUM_BED_DIRECTIONS,
        azimuth_degrees=round(float(rng.uniform(0, 360)), 1),
        focus=scene.focus,
        spectrum=tuple(scene.spectrum),
        seed=_seed(rng),
    )


def _room(scene: Scene, rng: np.random.Generator) -> RoomPlan:
    return RoomPlan(
        floor_meters=-EAR_HEIGHT_METERS,
        floor_reflection=scene.floor_reflection,
        critical_distance_meters=scene.critical_distance_meters,
        decay_seconds=scene.decay_seconds,
        num_directions=NUM_REVERB_DIRECTIONS,
        seed=_seed(rng),
    )


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))


def _tenths(seconds: float) -> float:
    return max(round(seconds, 1), 0.1)
