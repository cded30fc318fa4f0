"""How loud the recordings of a store are, from samples of them."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from codecctl.datasets.store import RecordingInfo, Store

_WINDOWS = 8
_WINDOW_SECONDS = 0.25


def recording_level_db(store: Store, recording: RecordingInfo) -> float:
    """RMS of a recording over all channels in dBFS, -inf for silence.

    An estimate from eight quarter seconds spread evenly over it, so that hours of audio cost
    milliseconds; exact for recordings of up to two seconds.
    """
    return _decibels(_power(store, recording))


def scene_levels_db(store: Store) -> Mapping[str, float]:
    """RMS of each scene over its recordings in dBFS, weighted by their length."""
    energy: dict[str, float] = {}
    seconds: dict[str, float] = {}
    for recording in store.recordings:
        scene = recording.scene
        power = _power(store, recording)
        energy[scene] = energy.get(scene, 0.0) + power * recording.seconds
        seconds[scene] = seconds.get(scene, 0.0) + recording.seconds
    return {scene: _decibels(energy[scene] / seconds[scene]) for scene in sorted(energy)}


def _power(store: Store, recording: RecordingInfo) -> float:
    frames = max(1, round(_WINDOW_SECONDS * recording.sample_rate))
    if recording.frames <= _WINDOWS * frames:
        starts, frames = np.array([0]), recording.frames
    else:
        starts = np.linspace(0, recording.frames - frames, _WINDOWS).astype(int)
    channels = range(recording.channels)
    total = 0.0
    for start in starts:
        audio = store.read(recording.name, int(start), frames, channels)
        total += float(np.mean(np.square(audio, dtype=np.float64)))
    return total / len(starts)


def _decibels(power: float) -> float:
    return 10 * math.log10(power) if power > 0 else -math.inf
