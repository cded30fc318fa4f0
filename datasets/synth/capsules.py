"""What each capsule adds of its own: a gain, wind rumble, and sensor noise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from codecctl.datasets.em32 import NUM_CAPSULES
from codecctl.datasets.synth.plan import NoisePlan

Samples = npt.NDArray[np.float32]

RUMBLE_CORNER_HERTZ = 40.0
NOISE_TAPS = 4096  # 12 Hz of resolution


def capsule_gains(plan: NoisePlan) -> Samples:
    """Factors of the capsules, (32, 1), the same for every recording of a corpus."""
    rng = np.random.default_rng(plan.gain_seed)
    gains_db = plan.gain_spread_db * rng.standard_normal(NUM_CAPSULES)
    factors: Samples = (10 ** (gains_db / 20)).astype(np.float32)[:, None]
    return factors


class CapsuleNoise:
    """Noise that no two capsules share, in blocks.

    Rumble and sensor noise are independent and Gaussian, so one noise with the sum of their
    spectra is the same thing.

    Args:
        plan: Levels and seed.
        block: Samples at a time.
        sample_rate: Hz.
    """

    def __init__(self, plan: NoisePlan, *, block: int, sample_rate: int) -> None:
        frequencies = np.fft.rfftfreq(NOISE_TAPS, 1 / sample_rate)
        fall = 1 + (frequencies / RUMBLE_CORNER_HERTZ) ** 4
        density = 10 ** (plan.rumble_dbfs_per_hz / 10) / fall  # one-sided, full scale squared / Hz
        density += 10 ** (plan.sensor_dbfs_per_hz / 10)
        response = np.fft.irfft(np.sqrt(density * sample_rate / 2), NOISE_TAPS)
        response = np.roll(response, NOISE_TAPS // 2) * np.hanning(NOISE_TAPS)
        self._fft_size = block + NOISE_TAPS
        self._response = np.fft.rfft(response, self._fft_size).astype(np.complex64)
        self._tail = np.zeros((NUM_CAPSULES, NOISE_TAPS), dtype=np.float32)
        self._rng = np.random.default_rng(plan.seed)
        self._block = block

    def block(self) -> Samples:
        """The next block, (32, block)."""
        white = self._rng.standard_normal((NUM_CAPSULES, self._block), dtype=np.float32)
        spectrum = np.fft.rfft(white, self._fft_size) * self._response
        colored = np.fft.irfft(spectrum, self._fft_size).astype(np.float32, copy=False)
        colored[:, :NOISE_TAPS] += self._tail
        self._tail = colored[:, self._block :].copy()
        return colored[:, : self._block]
