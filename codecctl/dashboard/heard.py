"""What one hears of an item: two channels or one, or a beam; both sides equally loud."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from codecctl.dashboard.sound import Pair, Samples
from codecctl.datasets.beam import Beam, beam_of, steer
from codecctl.datasets.loudness import matching_gain_db
from codecctl.playback import audible_gain_db


@dataclass(frozen=True)
class Ears:
    """Where one listens."""

    channel: int | None = None
    """Counted from 0; None for a stereo pair, where there is one."""
    direction: tuple[float, float] | None = None
    """Azimuth and elevation of a beam, degrees."""


@dataclass(frozen=True)
class Heard:
    """What goes to loudspeakers."""

    reference: Samples
    """(C, T), one or two channels, with its gain."""
    reconstruction: Samples
    """(C, T), with its gain."""
    sample_rate: int
    """Hz."""
    label: str
    gain_db: float
    """Of both, so that a quiet recording is heard."""
    match_db: float
    """Of the reconstruction on top of that, so that it is as loud as its reference."""


def listen(pair: Pair, ears: Ears, *, array: str) -> Heard:
    """What one hears of a pair without a problem.

    Args:
        pair: Both sides.
        ears: Where one listens.
        array: What the channels are, "" where that is unknown.

    Raises:
        DataError: A beam of an array that is not known.
    """
    rate = pair.reference.sample_rate
    reference, label = _side(pair.reference.audio, ears, array=array, rate=rate)
    reconstruction, _ = _side(pair.reconstruction.audio, ears, array=array, rate=rate)
    match = matching_gain_db(reconstruction, reference, sample_rate=rate)
    matched = reconstruction * np.float32(10 ** (match / 20))
    gain = audible_gain_db(np.concatenate([reference, matched]))
    factor = np.float32(10 ** (gain / 20))
    return Heard(reference * factor, matched * factor, rate, label, gain, match)


def beam_pair(pair: Pair, direction: tuple[float, float], *, array: str) -> tuple[Samples, Samples]:
    """Reference and reconstruction in a direction, (T,) each.

    Raises:
        DataError: The array is not known.
    """
    rate = pair.reference.sample_rate
    beam = _beam(array, pair.reference.channels, rate, *direction)
    return steer(pair.reference.audio, beam), steer(pair.reconstruction.audio, beam)


def _side(audio: Samples, ears: Ears, *, array: str, rate: int) -> tuple[Samples, str]:
    if ears.direction is not None:
        azimuth, elevation = ears.direction
        beam = _beam(array, len(audio), rate, azimuth, elevation)
        return steer(audio, beam)[None], f"beam to {azimuth:g}°, {elevation:g}°"
    if ears.channel is None:
        # Here, not above: the screen must not wait for HDF5.
        from codecctl.datasets.listening import stereo_channels

        chosen = stereo_channels(array, len(audio))
        return audio[list(chosen)], "channels " + ", ".join(str(c + 1) for c in chosen)
    channel = min(ears.channel, len(audio) - 1)
    return audio[channel : channel + 1], f"channel {channel + 1}"


@lru_cache(maxsize=32)
def _beam(array: str, channels: int, rate: int, azimuth: float, elevation: float) -> Beam:
    return beam_of(array, channels, sample_rate=rate, azimuth=azimuth, elevation=elevation)
