"""Sound through the loudspeakers of this machine, where it has any."""

from __future__ import annotations

import importlib
import math
from types import ModuleType

import numpy as np
import numpy.typing as npt

from codecctl.errors import CodecctlError

Samples = npt.NDArray[np.float32]

PEAK_DB = -3.0
MOST_GAIN_DB = 40.0
_FIX = "or write a sound file with --out FILE.wav"


def audible_gain_db(audio: Samples) -> float:
    """Gain that brings a quiet field recording to a peak of -3 dBFS, 40 dB at most.

    Args:
        audio: (C, T)
    """
    peak = float(np.abs(audio).max(initial=0.0))
    if peak == 0:
        return 0.0
    return min(MOST_GAIN_DB, PEAK_DB - 20 * math.log10(peak))


def require_playback() -> None:
    """Check that a sound device can be used, before anything is computed for it.

    Raises:
        CodecctlError: sounddevice or PortAudio is missing, or there is no device.
    """
    sounddevice = _sounddevice()
    try:
        sounddevice.query_devices(kind="output")
    except (ValueError, sounddevice.PortAudioError) as error:
        raise CodecctlError(f"--play: no sound device ({_line(error)}); {_FIX}") from None


def play(audio: Samples, *, sample_rate: int, gain_db: float) -> None:
    """Play and wait for the end.

    Args:
        audio: (C, T), full scale at [-1, 1]; one or two channels.
        sample_rate: Hz.
        gain_db: See `audible_gain_db`.

    Raises:
        CodecctlError: As `require_playback`, or the device refuses the rate.
    """
    sounddevice = _sounddevice()
    loud = np.clip(audio.T * np.float32(10 ** (gain_db / 20)), -1.0, 1.0)
    try:
        sounddevice.play(loud, samplerate=sample_rate, blocking=True)
    except sounddevice.PortAudioError as error:
        raise CodecctlError(f"--play: the sound device refuses ({_line(error)}); {_FIX}") from None


def _sounddevice() -> ModuleType:
    try:
        return importlib.import_module("sounddevice")
    except ImportError:
        message = f"--play: needs sounddevice: pip install 'codecctl[audio]'; {_FIX}"
        raise CodecctlError(message) from None
    except OSError as error:  # what sounddevice raises where the library itself is missing
        message = f"--play: {_line(error)}; install libportaudio2, {_FIX}"
        raise CodecctlError(message) from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
