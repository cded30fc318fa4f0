"""Audio that the small trainings of `key_scenes` are built on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from codecctl.datasets.store import RecordingWriter, SourceFacts, write_index

from .key_scenes import RATE


def write_stores(folder: Path) -> None:
    """Two stores of four scenes and 32 channels, one of integers, and two folders of WAV files."""
    for seed, name in enumerate(("scenes", "other")):
        _write(folder / name, seed, channels=32, dtype="int16")
    for seed, name in enumerate(("integers", "whole")):
        _write(folder / name, seed, channels=2, dtype="pcm")
    for seed, name in enumerate(("audio", "sounds")):
        (folder / name).mkdir()
        for index in range(3):
            noise = np.random.default_rng((seed, index)).integers(-9000, 9000, (400, 2))
            soundfile.write(folder / name / f"{index}.wav", noise.astype(np.int16), RATE)


def _write(path: Path, seed: int, *, channels: int, dtype: str) -> None:
    infos = []
    for index, scene in enumerate(("Beach", "Park", "Woodland", "Cave")):
        frames = RATE
        random = np.random.default_rng((seed, index))
        audio = 0.1 * random.standard_normal((channels, frames)).astype(np.float32)
        audio[:, : frames // 3] *= 1e-3 if index else 1.0
        with RecordingWriter(
            path,
            name=f"{scene}.1",
            scene=scene,
            take="1",
            array="em32" if channels == 32 else "unknown-2ch",
            channels=channels,
            frames=frames,
            sample_rate=RATE,
            dtype="pcm16" if dtype == "pcm" else dtype,
            source=SourceFacts("a.wav", RATE, 16, frames, 1, 0.0, f"sha256:{path.name}{index}"),
            labels=[str(channel + 1) for channel in range(channels)],
        ) as writer:
            writer.write(audio if dtype != "pcm" else (audio * 2**15).astype(np.int32))
            infos.append(writer.commit())
    write_index(path, name=path.name, sample_rate=RATE, dtype=dtype, recordings=infos)
