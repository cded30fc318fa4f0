"""A plan becomes 32 channels, block by block.

Per block: every sound is read at its times of emission (Doppler) over two paths (direct, floor),
the bed and the tails of the reverberation come from fixed directions, and each capsule adds its
gain, wind rumble and sensor noise. Memory is that of the loops and filters, about 150 MB, for
any length of recording.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from codecctl.datasets.synth.array import BLOCK, GRAIN_HOP, FixedDirections, MovingDirections
from codecctl.datasets.synth.capsules import CapsuleNoise, capsule_gains
from codecctl.datasets.synth.plan import SAMPLE_RATE, BedPlan, Material, RecordingPlan, SourcePlan
from codecctl.datasets.synth.procedural import PROCEDURAL
from codecctl.datasets.synth.propagation import Loop, Way, air_loss
from codecctl.datasets.synth.recorded import load_loop
from codecctl.datasets.synth.reverb import Reverb
from codecctl.datasets.synth.spectrum import equalized

Floats = npt.NDArray[np.float64]
Samples = npt.NDArray[np.float32]

HORIZON_PREFERENCE = 0.7


def render(plan: RecordingPlan, *, sources_folder: Path | None) -> Iterator[Samples]:
    """The recording in blocks, (32, n) each, full scale at 1.

    Args:
        plan: What to render.
        sources_folder: Where the files of the plan are; None when it names none.
    """
    renderer = _Renderer(plan, sources_folder)
    renderer.fill_room()
    renderer.block(-1)  # lets the filters and their overlaps fill
    done = 0
    while done < plan.frames:
        block = renderer.block(done // BLOCK)[:, : plan.frames - done]
        done += block.shape[1]
        yield block


def bed_directions(count: int) -> Floats:
    """Unit vectors spread evenly over the sphere along a golden spiral, (D, 3)."""
    height = 1 - (2 * np.arange(count) + 1) / count
    azimuth = np.pi * (3 - np.sqrt(5)) * np.arange(count)
    level = np.sqrt(1 - height**2)
    return np.stack([level * np.cos(azimuth), level * np.sin(azimuth), height], axis=1)


class _Source:
    """One sound of the plan, ready to be read."""

    def __init__(self, plan: SourcePlan, loop: Loop, floor: float, reflection: float) -> None:
        gain = 10 ** (plan.level_dbfs / 20) * max(plan.motion.closest_meters(), 1.0)
        self.gain_at_one_meter = gain
        self.loop = loop
        self.motion = plan.motion
        self.paths = (
            Way(plan.motion, gain),
            Way(plan.motion.mirrored(floor), gain * reflection),
        )

    @property
    def moves(self) -> bool:
        return self.motion.kind != "static"


class _Renderer:
    def __init__(self, plan: RecordingPlan, sources_folder: Path | None) -> None:
        self._plan = plan
        room = plan.room
        sources = [
            _Source(
                source,
                _loop(source, sources_folder),
                room.floor_meters,
                room.floor_reflection,
            )
            for source in plan.sources
        ]
        self._sources = sources
        self._moving = [s for s in sources if s.moves]
        self._standing = [path for s in sources if not s.moves for path in s.paths]
        self._standing_loops = [s.loop for s in sources if not s.moves for _ in s.paths]
        self._bed = _Bed(plan.bed, sources_folder)
        self._reverb = self._build_reverb()
        self._fixed = self._build_fixed()
        self._grains = MovingDirections(sample_rate=SAMPLE_RATE)
        self._noise = CapsuleNoise(plan.noise, block=BLOCK, sample_rate=SAMPLE_RATE)
        self._gains = capsule_gains(plan.noise)

    def fill_room(self) -> None:
        """Let the reverberation ring as if the scene had always been there."""
        if self._reverb:
            for index in range(-1 - self._reverb.num_partitions, -1):
                self._reverb.push(self._dry(index))

    def block(self, index: int) -> Samples:
        """The block that begins at sample index * BLOCK, (32, BLOCK)."""
        times = (index * BLOCK + np.arange(BLOCK + GRAIN_HOP)) / SAMPLE_RATE
        signals = [
            path.arriving(loop, times[:BLOCK])[None]
            for path, loop in zip(self._standing, self._standing_loops, strict=True)
        ]
        signals.append(self._bed.block(index))
        if self._reverb:
            signals.append(self._reverb.process(self._dry(index)))
        acoustic = self._fixed.process(np.concatenate(signals))
        centers = times[GRAIN_HOP : BLOCK + 1 : GRAIN_HOP]
        for source in self._moving:
            for path in source.paths:
                directions, distances = path.directions(centers)
                gains = air_loss(self._grains.frequencies, distances)
                signal = path.arriving(source.loop, times)
                self._grains.add(signal, directions=directions, gains=gains)
        acoustic += self._grains.finish()
        acoustic *= self._gains
        return acoustic + self._noise.block()

    def _dry(self, index: int) -> Samples:
        """What the sounds feed into the room, (BLOCK,)."""
        times = (index * BLOCK + np.arange(BLOCK)) / SAMPLE_RATE
        total = np.zeros(BLOCK, dtype=np.float32)
        for source in self._sources:
            gain = source.gain_at_one_meter / self._plan.room.critical_distance_meters
            presence = (gain * source.motion.presence(times)).astype(np.float32)
            total += presence * source.loop.read_straight(index * BLOCK, BLOCK)
        return total

    def _build_reverb(self) -> Reverb | None:
        room = self._plan.room
        if not room.critical_distance_meters:
            return None
        rng = np.random.default_rng(room.seed)
        return Reverb(
            room.decay_seconds, room.num_directions, block=BLOCK, sample_rate=SAMPLE_RATE, rng=rng
        )

    def _build_fixed(self) -> FixedDirections:
        frequencies = FixedDirections.frequencies(SAMPLE_RATE)
        directions, distances = [], []
        for path in self._standing:
            direction, distance = path.directions(np.zeros(1))
            directions.append(direction)
            distances.append(distance)
        diffuse = [self._bed.directions]
        if self._reverb:
            diffuse.append(bed_directions(self._plan.room.num_directions))
        num_diffuse = sum(len(part) for part in diffuse)
        return FixedDirections(
            np.concatenate([*directions, *diffuse]),
            gains=air_loss(frequencies, np.concatenate([*distances, np.zeros(num_diffuse)])),
            sample_rate=SAMPLE_RATE,
        )


class _Bed:
    """The background from its directions."""

    def __init__(self, plan: BedPlan, sources_folder: Path | None) -> None:
        rng = np.random.default_rng(plan.seed)
        material = _material(plan.material, sources_folder)
        shaped = equalized(material, points=plan.spectrum, sample_rate=SAMPLE_RATE)
        self._loop = Loop(shaped.astype(np.float32), sample_rate=SAMPLE_RATE)
        self.directions = bed_directions(plan.num_directions)
        azimuth = np.radians(plan.azimuth_degrees)
        side = self.directions @ np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
        up = self.directions[:, 2]
        power = np.exp(plan.focus * (2 * side - HORIZON_PREFERENCE * 4 * up**2))
        self._gains = 10 ** (plan.level_dbfs / 20) * np.sqrt(power / power.sum())
        # Evenly spread moments of the loop, a little astray: no two directions are alike.
        spread = (np.arange(len(power)) + 0.5 * rng.random(len(power))) / len(power)
        self._offsets = rng.permutation(np.round(spread * len(shaped)).astype(np.int64))

    def block(self, index: int) -> Samples:
        """Signals of the directions, (D, BLOCK)."""
        rows = [self._loop.read_straight(index * BLOCK + int(at), BLOCK) for at in self._offsets]
        signals: Samples = np.stack(rows) * self._gains[:, None].astype(np.float32)
        return signals


def _material(material: Material, sources_folder: Path | None) -> Floats:
    """One period of a sound, (T,), of unit power."""
    if material.file is None:
        rng = np.random.default_rng(material.seed)
        frames = round(material.loop_seconds * SAMPLE_RATE)
        return PROCEDURAL[material.kind](rng, frames, SAMPLE_RATE)
    assert sources_folder is not None, material.file
    loop = load_loop(
        sources_folder / material.file,
        start_seconds=material.start_seconds,
        loop_seconds=material.loop_seconds,
        silence_seconds=material.silence_seconds,
        sample_rate=SAMPLE_RATE,
    )
    return np.roll(loop, -round(material.shift_seconds * SAMPLE_RATE))


def _loop(source: SourcePlan, sources_folder: Path | None) -> Loop:
    samples = _material(source.material, sources_folder)
    if source.spectrum:
        samples = equalized(samples, points=source.spectrum, sample_rate=SAMPLE_RATE)
    return Loop(samples.astype(np.float32), sample_rate=SAMPLE_RATE)
