"""Sounds of a folder: which of them can be used, and one as a loop at the rate of the corpus."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from codecctl.errors import DataError, NotFoundError, UsageError

Floats = npt.NDArray[np.float64]

SUFFIXES = (
    ".aif", ".aifc", ".aiff", ".au", ".caf", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".rf64",
    ".snd", ".w64", ".wav",
)  # fmt: skip
SHORTEST_SECONDS = 0.25
SILENCE_DBFS = -80.0
LOOKED_AT_SECONDS = 10.0
LARGEST_FOLDER = 500
"""Of a larger folder every n-th file is taken: looking at each costs some milliseconds."""
CROSSFADE_SECONDS = 0.25
FADE_SECONDS = 0.01


@dataclass(frozen=True)
class Sound:
    """A file that can be rendered."""

    path: str
    """Below the folder, with forward slashes."""
    seconds: float
    unsteadiness_db: float
    """Standard deviation of its level over tenths of a second: small for rain, large for a dog."""


@dataclass(frozen=True)
class SoundFolder:
    """A folder of recordings to render from."""

    folder: Path
    sounds: tuple[Sound, ...]
    left_out: tuple[str, ...]
    """One sentence for each file that cannot be used."""
    fingerprint: str
    """Hash of the names and lengths of the sounds."""


def scan_sounds(folder: Path) -> SoundFolder:
    """Look at every audio file in a folder and below.

    Raises:
        NotFoundError: There is no such folder.
        UsageError: It is not a folder.
        DataError: No file in it can be used.
    """
    if not folder.exists():
        raise NotFoundError(f"{folder}: no such folder; --sources needs one with recordings")
    if not folder.is_dir():
        raise UsageError(f"{folder}: not a folder; --sources needs one with recordings")
    paths = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    )
    left_out: list[str] = []
    if len(paths) > LARGEST_FOLDER:
        stride = -(-len(paths) // LARGEST_FOLDER)
        left_out.append(f"{folder}: {len(paths)} files, every {stride}th of them is used")
        paths = paths[::stride]
    sounds: list[Sound] = []
    for path in paths:
        found = _look_at(path, path.relative_to(folder).as_posix())
        if isinstance(found, Sound):
            sounds.append(found)
        else:
            left_out.append(found)
    if not sounds:
        reason = f"; the first: {left_out[0]}" if left_out else ""
        raise DataError(f"{folder}: no usable recording among {len(paths)} audio files{reason}")
    listing = "\n".join(f"{sound.path} {sound.seconds:.6f}" for sound in sounds)
    fingerprint = hashlib.sha256(listing.encode()).hexdigest()
    return SoundFolder(folder, tuple(sounds), tuple(left_out), fingerprint)


def load_loop(
    path: Path,
    *,
    start_seconds: float,
    loop_seconds: float,
    silence_seconds: float,
    sample_rate: int,
) -> Floats:
    """One period of a file that plays again and again, (T,), of unit power while it sounds.

    The first channel of several, because a sum of microphones would comb-filter.

    Args:
        path: Anything that libsndfile reads, at any rate.
        start_seconds: Where in the file the period begins.
        loop_seconds: Length of the period with its silence.
        silence_seconds: How much of it is pause. Without one the end is cross-faded into the
            beginning, which needs a quarter of a second more of the file.
        sample_rate: Hz of the result.
    """
    frames = round(loop_seconds * sample_rate)
    sounding = frames - round(silence_seconds * sample_rate)
    overlap = 0 if silence_seconds else round(CROSSFADE_SECONDS * sample_rate)
    wanted_seconds = (sounding + overlap) / sample_rate
    audio = _read(path, start_seconds=start_seconds, seconds=wanted_seconds, rate=sample_rate)
    audio = audio - audio.mean()
    audio /= np.sqrt(max(np.mean(audio**2), 10 ** (SILENCE_DBFS / 10)))  # a pause stays one
    if silence_seconds:
        fade = min(round(FADE_SECONDS * sample_rate), len(audio) // 2)
        ramp = np.sin(np.linspace(0, np.pi / 2, fade)) ** 2
        audio[:fade] *= ramp
        audio[-fade:] *= ramp[::-1]
        return np.pad(audio[:frames], (0, max(frames - len(audio), 0)))
    audio = np.pad(audio, (0, max(sounding + overlap - len(audio), 0)))[: sounding + overlap]
    ramp = np.linspace(0, np.pi / 2, overlap)
    loop = audio[:sounding].copy()
    # Equal power: end and beginning of a recording do not belong together.
    loop[:overlap] = loop[:overlap] * np.sin(ramp) + audio[sounding:] * np.cos(ramp)
    return loop


def _read(path: Path, *, start_seconds: float, seconds: float, rate: int) -> Floats:
    import soundfile
    import soxr

    try:
        with soundfile.SoundFile(path) as file:
            file.seek(min(round(start_seconds * file.samplerate), file.frames))
            audio = file.read(round(seconds * file.samplerate) + 1, "float64", always_2d=True)
            source_rate = file.samplerate
    except soundfile.LibsndfileError as error:
        raise DataError(f"{path}: readable before, not now: {error.error_string}") from error
    if not len(audio) or not np.isfinite(audio).all():
        raise DataError(
            f"{path}: nothing usable at {start_seconds:g} s, the file is shorter than its header "
            "says or holds samples that are not numbers; take it out of the sources folder"
        )
    resampled: Floats = soxr.resample(audio[:, 0], source_rate, rate, quality="HQ")
    return resampled


def _look_at(path: Path, name: str) -> Sound | str:
    """A usable sound, or a sentence why this file is not one."""
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            seconds = file.frames / file.samplerate
            head = round(LOOKED_AT_SECONDS * file.samplerate)
            audio = file.read(head, "float64", always_2d=True)[:, 0]
            rate = file.samplerate
    except (soundfile.LibsndfileError, OSError) as error:
        reason = error.error_string if isinstance(error, soundfile.LibsndfileError) else error
        return f"{name}: left out, not readable: {reason}"
    if len(audio) < SHORTEST_SECONDS * rate:
        needed = f"found {len(audio) / rate:.3f} s, needed {SHORTEST_SECONDS} s"
        return f"{name}: left out, too short: {needed}"
    if not np.isfinite(audio).all():
        return f"{name}: left out, has samples that are not numbers"
    power_db = 10 * np.log10(np.mean(audio**2) + 1e-30)
    if power_db < SILENCE_DBFS:
        level = "digital zero" if power_db < -200 else f"{power_db:.0f} dBFS"
        return f"{name}: left out, silent: {level}, needed {SILENCE_DBFS:.0f} dBFS"
    return Sound(name, seconds, _unsteadiness_db(audio, rate))


def _unsteadiness_db(audio: Floats, rate: int) -> float:
    length = max(rate // 10, 1)
    pieces = audio[: len(audio) // length * length].reshape(-1, length)
    levels = 10 * np.log10(np.mean(pieces**2, axis=1) + 1e-9)
    return float(levels.std())
