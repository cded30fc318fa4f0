"""One channel of a preview file, read away from the screen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codecctl.dashboard.spectrum import Samples

MAX_SECONDS = 20.0


@dataclass(frozen=True)
class Clip:
    """Audio to look at."""

    samples: Samples
    """(T,) of one channel, full scale at [-1, 1]."""
    sample_rate: int
    channel: int
    num_channels: int
    problem: str = ""

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.samples.size / self.sample_rate


def missing_clip(problem: str) -> Clip:
    """What stands for a file that cannot be read."""
    return Clip(np.zeros(0, np.float32), 1, 0, 0, problem)


def read_clip(path: str, channel: int) -> Clip:
    """The beginning of one channel of a sound file, at most `MAX_SECONDS` of it.

    Args:
        path: The file.
        channel: Counted from 0; beyond the last one, the last one.
    """
    # Here, not above: the screen must not wait for libsndfile.
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            frames = int(MAX_SECONDS * file.samplerate)
            audio = file.read(frames, dtype="float32", always_2d=True)  # (T, C)
            rate, channels = file.samplerate, file.channels
    except (OSError, soundfile.LibsndfileError) as error:
        return missing_clip(f"{Path(path).name}: {error}")
    if not len(audio):
        return missing_clip(f"{Path(path).name}: no samples")
    chosen = min(channel, channels - 1)
    return Clip(np.nan_to_num(audio[:, chosen]), rate, chosen, channels)
