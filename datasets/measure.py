"""Levels, spectrum and likeness of channels of one recording, from windows of it.

Everything is power; a mean of powers is a level, a mean of decibels is not. Memory is that of one
window and of the spectra of the pairs of channels that are compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codecctl.datasets.bands import band_edges, band_means, band_sums, octave_centers
from codecctl.datasets.em32 import ARRAY_NAME, NUM_CAPSULES, capsule_directions
from codecctl.datasets.excerpts import Excerpts, read_excerpts
from codecctl.datasets.store import RecordingInfo, Store, recording_path
from codecctl.datasets.store.tables import read_scale
from codecctl.errors import DataError

Floats = npt.NDArray[np.float64]
Samples = npt.NDArray[np.float32]

_SEGMENT_SECONDS = 0.17
"""Of a spectrum, rounded to a power of two: bins of 6 Hz, so that 31.5 Hz is a band."""
_ADJACENT = np.cos(np.radians(39.0))  # nearest capsules are 36 to 38 degrees apart, others 41
_OPPOSITE = np.cos(np.radians(175.0))


@dataclass(frozen=True)
class Measured:
    """What the windows of a recording show."""

    recording: RecordingInfo
    seconds_read: float
    window_powers: Floats
    """Mean square over all channels of each window, (W,)."""
    channel_powers: Floats
    """Mean square of each channel, (C,)."""
    peak: float
    """Largest magnitude of any sample."""
    band_powers: Floats
    """Mean square in each octave, mean over channels, (B,)."""
    coherence: Mapping[str, Floats]
    """Real part by kind of pair, mean over pairs and bins of each octave, (B,)."""
    correlation: float
    """Mean magnitude over the pairs of channels; NaN for one channel or silence."""
    components: Floats
    """Share of the power of each principal component, falling, (C,); zeros for silence."""


def peak_is_exact(recording: RecordingInfo) -> bool:
    """Whether the peak comes from every sample: the scales of int16 say it without reading."""
    return recording.dtype == "int16"


def measure(store: Store, recording: RecordingInfo, excerpts: Excerpts) -> Measured:
    """Read the windows of a recording once and measure all there is.

    Raises:
        DataError: The recording cannot be read.
    """
    spectra = _Spectra(recording)
    covariance = np.zeros((recording.channels, recording.channels))
    channel_sums = np.zeros(recording.channels)
    window_powers = []
    peak, frames = 0.0, 0
    for audio in read_excerpts(store, recording, excerpts):
        squares = np.einsum("ct,ct->c", audio, audio, dtype=np.float64)
        window_powers.append(float(squares.mean()) / audio.shape[1])
        channel_sums += squares
        centered = audio - audio.mean(axis=1, keepdims=True)
        covariance += centered @ centered.T
        spectra.add(audio)
        peak = max(peak, float(np.abs(audio).max(initial=0.0)))
        frames += audio.shape[1]
    return Measured(
        recording=recording,
        seconds_read=frames / recording.sample_rate,
        window_powers=np.array(window_powers),
        channel_powers=channel_sums / max(1, frames),
        peak=_stored_peak(store, recording) if peak_is_exact(recording) else peak,
        band_powers=spectra.band_powers(),
        coherence=spectra.coherence(),
        correlation=_mean_correlation(covariance),
        components=_components(covariance),
    )


def pairs_of(array: str, channels: int) -> Mapping[str, npt.NDArray[np.intp]]:
    """Pairs of channels whose coherence says something of the field, (P, 2) by kind."""
    if array != ARRAY_NAME or channels != NUM_CAPSULES:
        return {}
    cosine = capsule_directions() @ capsule_directions().T
    above = np.triu(np.ones_like(cosine, dtype=bool), 1)
    return {
        "adjacent": np.argwhere((cosine > _ADJACENT) & above),
        "opposite": np.argwhere((cosine < _OPPOSITE) & above),
    }


class _Spectra:
    """Sums of power and cross spectra over half-overlapping Hann segments."""

    def __init__(self, recording: RecordingInfo) -> None:
        rate = recording.sample_rate
        self._size = 1 << max(6, round(np.log2(rate * _SEGMENT_SECONDS)))
        self._length = min(self._size, recording.frames)
        self._window = np.hanning(self._length + 2)[1:-1].astype(np.float32)
        self._bin_width = rate / self._size
        self._edges = band_edges(octave_centers(rate))
        pairs = pairs_of(recording.array, recording.channels)
        self._pairs = {kind: (found[:, 0], found[:, 1]) for kind, found in pairs.items()}
        bins = self._size // 2 + 1
        # float32 holds sums of some dozens of segments well enough for a level.
        self._power = np.zeros((recording.channels, bins), np.float32)
        self._cross = {kind: np.zeros((len(p), bins), np.float32) for kind, p in pairs.items()}
        self._count = 0

    def add(self, audio: Samples) -> None:
        for start in range(0, audio.shape[1] - self._length + 1, max(1, self._length // 2)):
            piece = audio[:, start : start + self._length] * self._window
            spectrum = np.fft.rfft(piece, self._size)
            real, imaginary = np.ascontiguousarray(spectrum.real), spectrum.imag.copy()
            self._power += real**2 + imaginary**2
            for kind, (one, other) in self._pairs.items():
                both = real[one] * real[other]
                both += imaginary[one] * imaginary[other]
                self._cross[kind] += both
            self._count += 1

    def band_powers(self) -> Floats:
        # One-sided: both halves of the spectrum; Parseval's sum over the window's own energy.
        energy = self._size * float(np.sum(self._window.astype(np.float64) ** 2))
        density = self._power.mean(axis=0, dtype=np.float64) * 2 / (max(1, self._count) * energy)
        return band_sums(density, bin_width=self._bin_width, edges=self._edges)

    def coherence(self) -> dict[str, Floats]:
        found = {}
        for kind, (one, other) in self._pairs.items():
            product = np.sqrt(self._power[one].astype(np.float64) * self._power[other])
            audible = (product > 0).all(axis=1)
            if not audible.any():
                found[kind] = np.full(len(self._edges), np.nan)
                continue
            real = (self._cross[kind][audible] / product[audible]).mean(axis=0)
            found[kind] = band_means(real, bin_width=self._bin_width, edges=self._edges)
        return found


def _stored_peak(store: Store, recording: RecordingInfo) -> float:
    """Of an int16 recording: the largest scale, of which the peak of its second is 32767."""
    path = recording_path(store.path, recording.name)
    try:
        return float(read_scale(path, recording).max()) * 32767
    except OSError as error:
        raise DataError(f"{path}: cannot read the recording ({error}); ingest again") from error


def _mean_correlation(covariance: Floats) -> float:
    deviation = np.sqrt(np.diag(covariance))
    heard = deviation > 0
    if heard.sum() < 2:
        return float("nan")
    inside = np.ix_(heard, heard)
    r = np.abs(covariance[inside] / np.outer(deviation[heard], deviation[heard]))
    return float(r[np.triu_indices(len(r), 1)].mean())


def _components(covariance: Floats) -> Floats:
    if not np.isfinite(covariance).all():  # damaged float samples; `data verify` names them
        return np.full(len(covariance), np.nan)
    values = np.linalg.eigvalsh(covariance)[::-1].clip(min=0.0)
    total = values.sum()
    shares: Floats = values / total if total > 0 else np.zeros_like(values)
    return shares
