"""Sound fields that are cheap to make: every harmonic of a diffuse field is a noise of its own."""

from __future__ import annotations

import numpy as np

from codecctl.datasets.em32 import RADIUS_METERS, capsule_directions
from codecctl.datasets.harmonics import sn3d
from codecctl.datasets.sphere import SPEED_OF_SOUND, bin_frequencies, rigid_sphere_modes

RATE = 8000
_ORDER = 7  # the next is below -40 dB at 3.6 kHz


def _field(seconds: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Spectra of the harmonics of a field that falls by 6 dB an octave, ((N+1)^2, F), and Hz."""
    frames = round(seconds * RATE)
    frequencies = bin_frequencies(frames, RATE)
    rng = np.random.default_rng(seed)
    shape = ((_ORDER + 1) ** 2, len(frequencies))
    noise = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    noise[:, :8] = 0
    return noise / np.maximum(frequencies, 50.0), frequencies


def em32_scene(seconds: float = 4.0, *, seed: int = 0, level: float = 0.05) -> np.ndarray:
    """A diffuse field on the em32, capsules within 0.5 dB, noise at -60 dB, (32, T) float32."""
    field, frequencies = _field(seconds, seed)
    orders = np.repeat(np.arange(_ORDER + 1), 2 * np.arange(_ORDER + 1) + 1)
    modes = rigid_sphere_modes(2 * np.pi * frequencies * RADIUS_METERS / SPEED_OF_SOUND, _ORDER)
    n3d = sn3d(capsule_directions(), _ORDER) * np.sqrt(2 * orders + 1)
    audio = np.fft.irfft(n3d @ (field * modes[orders]), round(seconds * RATE), axis=1)
    rng = np.random.default_rng(seed + 1)
    audio *= 10 ** (rng.normal(0, 0.5, (32, 1)) / 20) * level / audio.std()
    result: np.ndarray = (audio + rng.standard_normal(audio.shape) * level / 1000).astype(
        np.float32
    )
    return result


def ambisonic_scene(
    seconds: float = 4.0, *, seed: int = 0, n3d: bool = False, level: float = 0.05
) -> np.ndarray:
    """Three sources in fourth-order ambisonics, ACN, (25, T) float32."""
    rng = np.random.default_rng(seed)
    directions = rng.standard_normal((3, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    sources = rng.standard_normal((3, round(seconds * RATE)))
    audio = sn3d(directions, 4).T @ sources
    if n3d:
        orders = np.repeat(np.arange(5), 2 * np.arange(5) + 1)
        audio *= np.sqrt(2 * orders + 1)[:, None]
    audio += rng.standard_normal(audio.shape) * 0.01
    result: np.ndarray = audio * level / audio[0].std()
    return result.astype(np.float32)


def mono_noise(channels: int, seconds: float = 4.0, *, seed: int = 0) -> np.ndarray:
    """Independent noises of -26 dBFS, (C, T) float32."""
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((channels, round(seconds * RATE))) * 0.05).astype(np.float32)
