"""Preview files as a training writes them, for tests of what shows and plays them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import soundfile

RATE = 24_000


def write_sound(path: Path, audio: np.ndarray, *, rate: int = RATE) -> None:
    """Write (C, T) as a training does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, audio.T, rate, subtype="PCM_24", format="WAV")


def field(channels: int, *, seconds: float = 0.5, seed: int = 0) -> np.ndarray:
    """A tone and some noise, of another pitch in each channel, (C, T)."""
    time = np.arange(round(seconds * RATE)) / RATE
    tones = np.stack([np.sin(2 * np.pi * (400 + 150 * c) * time) for c in range(channels)])
    return 0.2 * tones + 0.01 * np.random.default_rng(seed).normal(size=tones.shape)


def write_item(
    run: Path,
    step: int,
    *,
    channels: int = 2,
    item: str = "item-000",
    level: float = 0.5,
    codes: list[list[list[int]]] | None = None,
    audio: np.ndarray | None = None,
) -> None:
    """A reference, its reconstruction at another level, and codes."""
    audio = field(channels) if audio is None else audio
    folder = run / "previews" / f"step-{step:09d}"
    reference = run / "previews" / "reference" / f"{item.partition('.')[0]}.wav"
    if not reference.exists():
        write_sound(reference, audio)
    write_sound(folder / f"{item}.wav", level * audio)
    if codes is not None:
        row = {"schema": 1, "sample_rate": RATE, "hop_length": 320, "codebook_size": 1024}
        text = json.dumps({**row, "codes": codes})
        (folder / f"{item}.codes.json").write_text(text, encoding="utf-8")
