"""One signal from an array, as if a microphone pointed into a direction.

em32: filters that come closest, over all directions of arrival, to the fourth-order pattern of
greatest energy focus, and pass the look direction unchanged:

    minimize  integral |w^H h(d) - p(d)|^2 dd + lambda |w|^2   subject to  w^H h(look) = 1

with h the responses of the rigid sphere. Both the matrix (`diffuse_covariance`) and the right
side have closed forms in the modes, so no grid of directions is needed. lambda limits how much
the noise of the capsules is amplified (9 dB at most): below about 1.5 kHz the order falls, to
first order below 200 Hz. Above about 8 kHz the capsules are too far apart for the pattern; the
look direction stays at 0 dB and sidelobes grow.

Ambisonics (ACN, SN3D): the components weighted by the harmonics of the look direction and by
max-rE weights. Orders that the encoder left out at low frequencies are missing in the beam, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codecctl.datasets.diffuse import diffuse_covariance
from codecctl.datasets.em32 import ARRAY_NAME, NUM_CAPSULES, RADIUS_METERS, capsule_directions
from codecctl.datasets.harmonics import (
    max_re_weights,
    order_of_channels,
    sn3d,
    unit_vector,
)
from codecctl.datasets.sphere import (
    ORDER_AT_48_KHZ,
    SPEED_OF_SOUND,
    Complexes,
    bin_frequencies,
    response_of_angle,
    rigid_sphere_modes,
    sum_of_modes,
)
from codecctl.errors import DataError

Floats = npt.NDArray[np.float64]
Samples = npt.NDArray[np.float32]

EM32_ORDER = 4
_LOADING = 0.01
_TAP_SECONDS = 0.021
"""1024 taps at 48 kHz: the equalization of the low orders rings for some milliseconds."""


@dataclass(frozen=True)
class Beam:
    """Filters that make one signal of many."""

    filters: Floats
    """(C, taps); a single tap for ambisonics."""
    delay: int
    """Samples by which the filters delay; `steer` takes it out again."""


def beam_of(
    array: str, channels: int, *, sample_rate: int, azimuth: float, elevation: float
) -> Beam:
    """The beam of an array into a direction.

    Args:
        array: `em32` or a name that begins with `ambisonic` (ACN order, SN3D).
        channels: Of the recording.
        sample_rate: Hz.
        azimuth: Degrees, 0 = front, 90 = left.
        elevation: Degrees, 90 = up.

    Raises:
        DataError: Nothing is known of the array, or it cannot have so many channels.
    """
    look = unit_vector(azimuth, elevation)
    if array == ARRAY_NAME and channels == NUM_CAPSULES:
        return _em32_beam(look, sample_rate)
    order = order_of_channels(channels)
    if array.startswith("ambisonic") and order is not None:
        return Beam(ambisonic_weights(look, order)[:, None], 0)
    raise DataError(
        f"array {array} with {channels} channels: no beam can be formed; needed em32 with "
        f"{NUM_CAPSULES} channels or ambisonic with 4, 9, 16, 25; if it is one: --array ambisonic"
    )


def ambisonic_weights(look: Floats, order: int) -> Floats:
    """Factors of ACN/SN3D components that make a max-rE beam, ((order + 1)^2,).

    A plane wave from the look direction passes with gain 1: SN3D components of an order, times
    themselves, sum to 1, and N3D has 2n + 1 times that.
    """
    n = np.repeat(np.arange(order + 1), 2 * np.arange(order + 1) + 1)
    weights = max_re_weights(order)[n] * (2 * n + 1)
    total = np.sum(max_re_weights(order) * (2 * np.arange(order + 1) + 1))
    beam: Floats = weights * sn3d(look[None], order)[0] / total
    return beam


def steer(audio: Samples, beam: Beam) -> Samples:
    """The signal of a beam, (T,), not delayed against the audio.

    Args:
        audio: (C, T)
        beam: For C channels.
    """
    frames = audio.shape[1]
    if beam.filters.shape[1] == 1:
        mixed: Samples = (beam.filters[:, 0].astype(np.float32) @ audio).astype(np.float32)
        return mixed
    taps = beam.filters.shape[1]
    size = 1 << (8 * taps - 1).bit_length()
    hop = size - taps + 1
    spectra = np.fft.rfft(beam.filters, size).astype(np.complex64)
    output = np.zeros(frames + size, dtype=np.float32)
    for start in range(0, frames, hop):
        piece = np.fft.rfft(audio[:, start : start + hop], size)
        output[start : start + size] += np.fft.irfft((piece * spectra).sum(axis=0), size)
    return output[beam.delay : beam.delay + frames]


def em32_weights(looks: Floats, frequencies: Floats) -> Complexes:
    """Frequency responses of the filters for the 32 capsules, (..., 32, F).

    Args:
        looks: Unit vectors, (..., 3).
        frequencies: Hz, (F,).
    """
    capsules = capsule_directions()
    between = np.clip(capsules @ capsules.T, -1.0, 1.0)
    order = ORDER_AT_48_KHZ
    covariance = diffuse_covariance(between, frequencies, radius=RADIUS_METERS, order=order)
    facing = np.clip(looks.reshape(-1, 3) @ capsules.T, -1.0, 1.0)  # (D, 32)
    heard = response_of_angle(facing, frequencies, radius=RADIUS_METERS, order=order)
    wanted = _projection(facing, frequencies)
    matrix = np.moveaxis(covariance, -1, 0)  # (F, 32, 32)
    power = np.einsum("fcc->f", matrix) / len(capsules)
    loaded = matrix + _LOADING * power[:, None, None] * np.eye(len(capsules))
    right = np.concatenate([wanted, heard]).transpose(2, 1, 0)  # (F, 32, 2 D)
    solved = np.linalg.solve(loaded, right).transpose(2, 0, 1)  # (2 D, F, 32)
    best, correction = solved[: len(facing)], solved[len(facing) :]
    missing = 1 - np.einsum("dfc,dcf->df", best.conj(), heard)
    room = np.einsum("dfc,dcf->df", correction.conj(), heard)
    solution = best + correction * (missing / room).conj()[..., None]
    weights: Complexes = solution.conj().swapaxes(1, 2)
    return weights.reshape(*looks.shape[:-1], *weights.shape[1:])


def _projection(facing: Floats, frequencies: Floats) -> Complexes:
    """Mean over all directions of response times wanted pattern, (D, 32, F)."""
    kr = 2 * np.pi * frequencies * RADIUS_METERS / SPEED_OF_SOUND
    focus = max_re_weights(EM32_ORDER)
    focus /= np.sum(focus * (2 * np.arange(EM32_ORDER + 1) + 1))
    return sum_of_modes(facing, rigid_sphere_modes(kr, EM32_ORDER) * focus[:, None])


def _em32_beam(look: Floats, sample_rate: int) -> Beam:
    taps = 1 << round(np.log2(sample_rate * _TAP_SECONDS))
    frequencies = bin_frequencies(taps, sample_rate)
    weights = em32_weights(look, frequencies)
    filters = np.fft.irfft(weights * np.exp(-1j * np.pi * np.arange(len(frequencies))), taps)
    return Beam(filters * np.hanning(taps + 1)[:-1], taps // 2)
