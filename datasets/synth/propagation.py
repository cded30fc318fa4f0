"""A looped sound read at any moment, and what arrives of it at the array along one path."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codecctl.datasets.synth.motion import Motion, emission_times

Floats = npt.NDArray[np.float64]
Samples = npt.NDArray[np.float32]

TAPS = 24  # of the windowed sinc; flat to 0.1 dB up to 20 kHz at 48 kHz
PHASES = 512
KAISER_BETA = 8.0
NEAREST_METERS = 1.0  # 1/r would blow up closer than this
AIR_DB_PER_METER_AT_1_KHZ = 0.005  # ISO 9613-1 at 20 degrees and 70 % humidity, to about 30 %
AIR_EXPONENT = 1.4


class Loop:
    """A sound that repeats without a seam, read between its samples.

    Args:
        samples: One period, (T,); its end continues at its beginning.
        sample_rate: Hz.
    """

    def __init__(self, samples: Samples, *, sample_rate: int) -> None:
        assert samples.ndim == 1 and len(samples) > TAPS, samples.shape
        self.samples = samples
        self.sample_rate = sample_rate
        self._kernels = _sinc_kernels()
        self._slopes = np.diff(self._kernels, axis=0)

    def read(self, times: Floats) -> Samples:
        """Values at times in seconds, (T,), by windowed-sinc interpolation.

        Args:
            times: Close together: memory follows their span.
        """
        places = times * self.sample_rate
        whole = np.floor(places).astype(np.int64)
        first = int(whole.min()) - TAPS // 2 + 1
        wanted = np.arange(first, int(whole.max()) + TAPS // 2 + 1)
        span = self.samples[wanted % len(self.samples)]
        windows = np.lib.stride_tricks.sliding_window_view(span, TAPS)[whole - whole.min()]
        phase = (places - whole) * PHASES
        index = np.minimum(phase.astype(np.int64), PHASES - 1)
        between = (phase - index).astype(np.float32)[:, None]
        kernels = self._kernels[index] + between * self._slopes[index]  # (T, TAPS)
        values: Samples = np.einsum("tk,tk->t", windows, kernels)
        return values

    def read_straight(self, start: int, frames: int) -> Samples:
        """Samples from a whole position on, (frames,)."""
        wanted: Samples = self.samples[np.arange(start, start + frames) % len(self.samples)]
        return wanted


@dataclass(frozen=True)
class Way:
    """One way from a moving sound to the array: direct, or by the floor."""

    motion: Motion
    gain: float
    """At one meter."""

    def arriving(self, loop: Loop, times: Floats) -> Samples:
        """Free-field pressure at the center of the array at given times, (T,)."""
        emitted = emission_times(self.motion, times)
        distance = np.linalg.norm(self.motion.positions(emitted), axis=1)
        gain = self.gain * self.motion.presence(emitted) / np.maximum(distance, NEAREST_METERS)
        pressure: Samples = loop.read(emitted) * gain.astype(np.float32)
        return pressure

    def directions(self, times: Floats) -> tuple[Floats, Floats]:
        """Unit vectors towards the sound as heard, (T, 3), and its distances in meters, (T,)."""
        places = self.motion.positions(emission_times(self.motion, times))
        distances = np.linalg.norm(places, axis=1)
        return places / distances[:, None], distances


def air_loss(frequencies: Floats, distances: Floats) -> Floats:
    """Gain that air leaves of each frequency, (D, F).

    Args:
        frequencies: Hz, (F,).
        distances: Meters, (D,).
    """
    loss_db = AIR_DB_PER_METER_AT_1_KHZ * (frequencies / 1000.0) ** AIR_EXPONENT
    gain: Floats = 10 ** (-distances[:, None] * loss_db / 20)
    return gain


def _sinc_kernels() -> Samples:
    """Interpolation kernels for PHASES + 1 fractions of a sample from 0 to 1, (P + 1, TAPS)."""
    fractions = np.linspace(0.0, 1.0, PHASES + 1)[:, None]
    offset = np.arange(TAPS) - TAPS // 2 + 1 - fractions
    inside = np.maximum(1 - (offset / (TAPS / 2)) ** 2, 0.0)
    kernels = np.sinc(offset) * np.i0(KAISER_BETA * np.sqrt(inside)) / np.i0(KAISER_BETA)
    return kernels.astype(np.float32)
