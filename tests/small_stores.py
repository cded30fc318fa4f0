"""Stores of short noise that a module's tests share: writing one takes 40 ms a recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from codecctl.datasets.store import RecordingWriter, SourceFacts, write_index

RATE = 10


def noise(
    names: Sequence[str], *, seed: int = 0, channels: int = 1, frames: int = 30
) -> dict[str, np.ndarray]:
    """Audio of recordings, (C, T) float32, the same for a name wherever it stands."""
    return {
        name: 0.1
        * np.random.default_rng([seed, *name.encode()]).standard_normal(
            (channels, frames), np.float32
        )
        for name in names
    }


def write_small_store(
    folder: Path,
    audio: Mapping[str, np.ndarray],
    *,
    rate: int = RATE,
    dtype: str = "int16",
    metadata: Mapping[str, Mapping[str, str]] | None = None,
) -> Path:
    """Write a store; `Beach.1` is take 1 of scene Beach."""
    rows = []
    for name, samples in audio.items():
        scene, _, take = name.rpartition(".")
        channels, frames = samples.shape
        with RecordingWriter(
            folder,
            name=name,
            scene=scene,
            take=take,
            array=f"unknown-{channels}ch",
            channels=channels,
            frames=frames,
            sample_rate=rate,
            dtype=dtype,
            source=SourceFacts(f"{name}.wav", rate, 24, frames, 1, 0.0, f"sha256:{name}"),
            labels=[str(channel + 1) for channel in range(channels)],
        ) as writer:
            writer.write(samples)
            rows.append(writer.commit())
    write_index(
        folder,
        name=folder.name,
        sample_rate=rate,
        dtype=dtype,
        recordings=rows,
        metadata=metadata or {},
    )
    return folder
