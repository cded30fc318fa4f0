"""How alike the channels of a recording are in bands, from windows spread evenly over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codecctl.datasets.sphere import bin_frequencies
from codecctl.datasets.store import RecordingInfo, Store

Floats = npt.NDArray[np.float64]

BAND_EDGES_HZ = (
    (150, 300), (300, 700), (700, 1400), (1400, 2400), (2400, 3600), (3600, 6000), (6000, 10000),
    (10000, 20000),
)  # fmt: skip
_WINDOWS = 12
_WINDOW_SECONDS = 0.5
_SEGMENT_SECONDS = 0.04
_MOST_BINS = 64


@dataclass(frozen=True)
class Spectra:
    """Real cross-spectra of all pairs of channels, summed within bands."""

    bands: tuple[tuple[int, int], ...]
    """Edges in Hz, those of `BAND_EDGES_HZ` that the sample rate holds."""
    halves: Floats
    """Real parts, of every other window, (2, B, C, C): each half tells what the other does."""
    segments: int
    """Pieces that were averaged."""
    scale: Floats
    """Of the diagonal, (B,): power of a channel in a band = diagonal * scale."""

    @property
    def cross(self) -> Floats:
        """Of all windows, (B, C, C)."""
        both: Floats = self.halves.sum(axis=0)
        return both

    @property
    def power(self) -> Floats:
        """Mean square of each channel in each band, (B, C)."""
        diagonal: Floats = np.einsum("bcc->bc", self.cross) * self.scale[:, None]
        return diagonal

    def likeness(self, band: tuple[int, int], channels: npt.NDArray[np.intp]) -> Floats | None:
        """Correlation of some channels in a band, (C, C); None where it says nothing."""
        if band not in self.bands or self.segments == 0:
            return None
        cross = self.cross[self.bands.index(band)][np.ix_(channels, channels)]
        power = np.diag(cross)
        if not (power > 0).all():
            return None
        result: Floats = cross / np.sqrt(np.outer(power, power))
        return result


def measure_spectra(store: Store, recording: RecordingInfo) -> Spectra:
    """Read at most six seconds of a recording, all channels, and compare all pairs.

    Twelve half seconds see every fault that lasts; memory is that of one window.

    Raises:
        DataError: It cannot be read.
    """
    rate, channels = recording.sample_rate, recording.channels
    bands = tuple(edges for edges in BAND_EDGES_HZ if edges[1] < 0.48 * rate)
    size = 1 << max(4, round(np.log2(rate * _SEGMENT_SECONDS)))
    frequencies = bin_frequencies(size, rate)
    bins = [_some_bins(frequencies, low, high) for low, high in bands]
    hann = np.hanning(size + 1)[:-1].astype(np.float32)
    halves = np.zeros((2, len(bands), channels, channels))
    segments = 0
    for number, (start, frames) in enumerate(_windows(recording)):
        audio = store.read(recording.name, start, frames, range(channels))
        if frames < size:
            break
        pieces = np.lib.stride_tricks.sliding_window_view(audio, size, axis=1)[:, :: size // 2]
        spectrum = np.fft.rfft(pieces * hann)  # (C, segments, bins)
        for band, span in enumerate(bins):
            part = spectrum[:, :, span].reshape(channels, -1)
            rows = np.concatenate([part.real, part.imag], axis=1)
            # Not by BLAS, whose threads wait for each other longer than this takes.
            halves[number % 2, band] += np.einsum("in,jn->ij", rows, rows)
        segments += pieces.shape[1]
    energy = size * float(np.square(hann, dtype=np.float64).sum())
    scale = np.array([span.step for span in bins]) * 2 / (max(1, segments) * energy)
    return Spectra(bands, halves, segments, scale)


def _some_bins(frequencies: Floats, low: int, high: int) -> slice:
    """At most about `_MOST_BINS` bins of a band, evenly spread."""
    first, last = np.searchsorted(frequencies, [low, high]).tolist()
    return slice(first, last, 1 + (last - first) // _MOST_BINS)


def _windows(recording: RecordingInfo) -> list[tuple[int, int]]:
    """Start and length in frames."""
    frames = min(recording.frames, max(1, round(_WINDOW_SECONDS * recording.sample_rate)))
    count = max(1, min(_WINDOWS, recording.frames // frames))
    starts = np.linspace(0, recording.frames - frames, count).astype(int)
    return [(int(start), frames) for start in starts]
