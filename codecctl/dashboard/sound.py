"""The sound files of a preview, read away from the screen and never beyond a bound."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

MAX_SECONDS = 20.0
MAX_SAMPLES = 1 << 23
"""Of all channels: 32 MB, 11 s of an em32 at 24 kHz."""
MAX_CHANNELS = 256
_RATES = (1000, 768_000)
_MOST = 4.0
"""Of a sample: a damaged float must not make everything else invisible."""


@dataclass(frozen=True)
class Clip:
    """One channel to look at."""

    samples: Samples
    """(T,), full scale at [-1, 1]."""
    sample_rate: int
    """Hz."""
    problem: str = ""

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.samples.size / self.sample_rate


@dataclass(frozen=True)
class Sound:
    """A file, or the beginning of it."""

    audio: Samples
    """(C, T), full scale at [-1, 1]; (0, 0) where there is a problem."""
    sample_rate: int
    """Hz."""
    problem: str = ""
    cut: bool = False
    """The file is longer."""

    @property
    def channels(self) -> int:
        """How many there are."""
        return len(self.audio)

    def clip(self, channel: int) -> Clip:
        """One channel; beyond the last one, the last one."""
        if self.problem:
            return Clip(np.zeros(0, np.float32), 1, self.problem)
        return Clip(self.audio[min(channel, self.channels - 1)], self.sample_rate)


@dataclass(frozen=True)
class Pair:
    """A reconstruction and its reference, of equal rate, channels and length."""

    reference: Sound
    reconstruction: Sound
    problem: str = ""
    """Why they cannot be compared, "" where they can."""


def no_sound(problem: str) -> Sound:
    """What stands for a file that cannot be read."""
    return Sound(np.zeros((0, 0), np.float32), 1, problem)


def read_sound(path: str) -> Sound:
    """The beginning of a sound file: at most `MAX_SECONDS` and `MAX_SAMPLES` of it.

    Args:
        path: The file; what is wrong with it becomes a `problem`.
    """
    # Here, not above: the screen must not wait for libsndfile and HDF5.
    import soundfile

    from codecctl.datasets.store.regular import open_regular

    name = Path(path).name
    try:
        with os.fdopen(open_regular(Path(path)), "rb") as raw, soundfile.SoundFile(raw) as file:
            rate, channels, there = file.samplerate, file.channels, file.frames
            if not _RATES[0] <= rate <= _RATES[1] or channels > MAX_CHANNELS:
                return no_sound(f"{name}: found {channels} channels at {rate} Hz: no preview")
            frames = min(int(MAX_SECONDS * rate), MAX_SAMPLES // channels)
            audio = file.read(frames, dtype="float32", always_2d=True)  # (T, C)
    except (OSError, soundfile.LibsndfileError) as error:
        return no_sound(f"{name}: {' '.join(str(error).split())}")
    if not len(audio):
        return no_sound(f"{name}: no samples")
    np.nan_to_num(audio, copy=False)
    np.clip(audio, -_MOST, _MOST, out=audio)
    return Sound(np.ascontiguousarray(audio.T), rate, cut=there > frames)


def read_pair(reference: str, reconstruction: str) -> Pair:
    """Both files of a preview.

    Args:
        reference: Path, "" where the run has written none.
        reconstruction: Path.
    """
    theirs = read_sound(reference) if reference else no_sound("not written")
    return paired(theirs, read_sound(reconstruction))


def paired(reference: Sound, reconstruction: Sound) -> Pair:
    """Two sounds as a pair; where one is longer by a frame of the codec, it is cut."""
    found = reference.problem or reconstruction.problem
    if found:
        return Pair(reference, reconstruction, found)
    facts = [(s.channels, s.sample_rate) for s in (reconstruction, reference)]
    if facts[0] != facts[1]:
        (channels, rate), (wanted, needed) = facts
        return Pair(
            reference,
            reconstruction,
            f"found {channels} channels at {rate} Hz, its reference has {wanted} at {needed} Hz",
        )
    frames = min(reference.audio.shape[1], reconstruction.audio.shape[1])
    first, second = (
        replace(sound, audio=sound.audio[:, :frames]) for sound in (reference, reconstruction)
    )
    return Pair(first, second)
