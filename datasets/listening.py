"""Spans of a recording to look at and to listen to: channels, beams, levels; in bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from codecctl.datasets.beam import Beam, steer
from codecctl.datasets.em32 import ARRAY_NAME, NUM_CAPSULES, capsule_directions
from codecctl.datasets.harmonics import unit_vector
from codecctl.datasets.store import AudioSource, RecordingInfo
from codecctl.datasets.store.disk import temporary_path, write_error
from codecctl.datasets.summary import decibels

Samples = npt.NDArray[np.float32]

_BLOCK = 1 << 16
"""Frames of all channels that are in memory at a time: 8 MB of an em32."""
_ROUND = ((0.0, 0.0), (90.0, 0.0), (180.0, 0.0), (270.0, 0.0))


@dataclass(frozen=True)
class Span:
    """Frames of a recording."""

    start: int
    frames: int


@dataclass(frozen=True)
class ChannelLevels:
    """Of every channel in a span, dBFS, -inf for silence."""

    rms_db: tuple[float, ...]
    peak_db: tuple[float, ...]


def read_span(
    store: AudioSource, info: RecordingInfo, span: Span, channels: Sequence[int]
) -> Samples:
    """Some channels of a span, (len(channels), frames)."""
    audio: Samples = store.read(info.name, span.start, span.frames, channels)
    return audio


def read_beam(store: AudioSource, info: RecordingInfo, span: Span, beam: Beam) -> Samples:
    """A beam over a span, (frames,); what lies around the span fills the filters."""
    around = beam.filters.shape[1]
    channels = range(info.channels)
    signal = np.empty(span.frames, dtype=np.float32)
    for done in range(0, span.frames, _BLOCK):
        frames = min(_BLOCK, span.frames - done)
        first = span.start + done
        start = max(0, first - around)
        stop = min(info.frames, first + frames + around)
        steered = steer(store.read(info.name, start, stop - start, channels), beam)
        signal[done : done + frames] = steered[first - start : first - start + frames]
    return signal


def channel_levels(store: AudioSource, info: RecordingInfo, span: Span) -> ChannelLevels:
    """Level and peak of every channel, one channel in memory at a time."""
    levels, peaks = [], []
    for channel in range(info.channels):
        audio = store.read(info.name, span.start, span.frames, [channel])[0]
        levels.append(decibels(float(np.mean(np.square(audio, dtype=np.float64)))))
        peaks.append(decibels(float(np.abs(audio).max()) ** 2))
    return ChannelLevels(tuple(levels), tuple(peaks))


def telling_channels(array: str, channels: int, count: int) -> tuple[int, ...]:
    """A few channels that stand for all, indices from 0.

    em32: the capsules nearest to front, left, back and right; ambisonics: W, Y, Z, X; else evenly
    spread.
    """
    count = min(count, channels)
    if array == ARRAY_NAME and channels == NUM_CAPSULES and count <= len(_ROUND):
        facing = [capsule_directions() @ unit_vector(*place) for place in _ROUND[:count]]
        return tuple(int(np.argmax(np.round(cosine, 6))) for cosine in facing)
    if array.startswith("ambisonic"):
        return tuple(range(count))
    return tuple((np.arange(count) * channels // count).tolist())


def stereo_channels(array: str, channels: int) -> tuple[int, ...]:
    """What is played where nothing was chosen: two channels that make a stereo pair, or one."""
    if array == ARRAY_NAME and channels == NUM_CAPSULES:
        _, left, _, right = telling_channels(array, channels, 4)
        return (left, right)
    return (0, 1) if channels == 2 else (0,)


def write_wav(path: Path, audio: Samples, *, sample_rate: int) -> None:
    """Write a sound file of 32-bit floats that appears whole or not at all.

    Args:
        path: Ends in .wav; replaced if it exists.
        audio: (C, T)
        sample_rate: Hz.

    Raises:
        CodecctlError: The disk does not take it.
    """
    import soundfile

    temporary = temporary_path(path)
    try:
        with temporary.open("wb") as file:
            soundfile.write(file, audio.T, sample_rate, format="WAV", subtype="FLOAT")
        temporary.replace(path)
    except (OSError, soundfile.LibsndfileError) as error:
        temporary.unlink(missing_ok=True)
        reason = error if isinstance(error, OSError) else OSError(str(error))
        raise write_error(reason, path=path, needed=audio.nbytes) from error
