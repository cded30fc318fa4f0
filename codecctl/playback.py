"""Sound through the loudspeakers of this machine, where it has any."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from types import ModuleType
from typing import Protocol

import numpy as np
import numpy.typing as npt

from codecctl.errors import CodecctlError

Samples = npt.NDArray[np.float32]

PEAK_DB = -3.0
MOST_GAIN_DB = 40.0
_FIX = "or write a sound file with --out FILE.wav"


class Stream(Protocol):
    """What is being played."""

    def start(self) -> None:
        """Begin."""

    def close(self) -> None:
        """End, and let the device go."""


def audible_gain_db(audio: Samples) -> float:
    """Gain that brings a quiet field recording to a peak of -3 dBFS, 40 dB at most.

    Args:
        audio: (C, T)
    """
    peak = float(np.abs(audio).max(initial=0.0))
    if peak == 0:
        return 0.0
    return min(MOST_GAIN_DB, PEAK_DB - 20 * math.log10(peak))


def missing_playback() -> str:
    """Why nothing can be played here, "" where it can."""
    try:
        sounddevice = _sounddevice()
    except CodecctlError as error:
        return str(error)
    try:
        sounddevice.query_devices(kind="output")
    except (ValueError, sounddevice.PortAudioError) as error:
        return f"no sound device ({_line(error)})"
    return ""


def require_playback() -> None:
    """Check that a sound device can be used, before anything is computed for it.

    Raises:
        CodecctlError: sounddevice or PortAudio is missing, or there is no device.
    """
    reason = missing_playback()
    if reason:
        raise CodecctlError(f"--play: {reason}; {_FIX}")


def play(audio: Samples, *, sample_rate: int, gain_db: float) -> None:
    """Play and wait for the end.

    Args:
        audio: (C, T), full scale at [-1, 1]; one or two channels.
        sample_rate: Hz.
        gain_db: See `audible_gain_db`.

    Raises:
        CodecctlError: As `require_playback`, or the device refuses the rate.
    """
    require_playback()
    sounddevice = _sounddevice()
    loud = np.clip(audio.T * np.float32(10 ** (gain_db / 20)), -1.0, 1.0)
    try:
        sounddevice.play(loud, samplerate=sample_rate, blocking=True)
    except sounddevice.PortAudioError as error:
        raise CodecctlError(f"--play: the sound device refuses ({_line(error)}); {_FIX}") from None


def open_stream(fill: Callable[[int], Samples], *, sample_rate: int, channels: int) -> Stream:
    """A stream that asks for what it plays, in a thread of its own; not started.

    Args:
        fill: Gives so many frames, (frames, channels).
        sample_rate: Hz.
        channels: How many.

    Raises:
        CodecctlError: There is no device, or it refuses.
    """
    sounddevice = _sounddevice()

    def called(out: Samples, frames: int, _time: object, _status: object) -> None:
        out[:] = fill(frames)

    try:
        stream: Stream = sounddevice.OutputStream(
            samplerate=sample_rate, channels=channels, dtype="float32", callback=called
        )
    except (ValueError, sounddevice.PortAudioError) as error:
        raise CodecctlError(f"the sound device refuses ({_line(error)})") from None
    return stream


def _sounddevice() -> ModuleType:
    try:
        return importlib.import_module("sounddevice")
    except ImportError:
        message = "needs sounddevice: pip install 'codecctl[audio]'"
        raise CodecctlError(message) from None
    except OSError as error:  # what sounddevice raises where the library itself is missing
        raise CodecctlError(f"{_line(error)}; install libportaudio2") from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
