"""Late reverberation: decaying noise from a few directions, by partitioned convolution."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from codecctl.datasets.sphere import bin_frequencies
from codecctl.datasets.synth.spectrum import Points, amplitudes

Samples = npt.NDArray[np.float32]

BEGIN_SECONDS = 0.012  # first reflections are left to the floor
# High frequencies die earlier: seconds of decay relative to those below 1 kHz.
BANDS: tuple[tuple[float, Points], ...] = (
    (1.0, ((700, 0.0), (1400, -40.0), (20000, -80.0))),
    (0.75, ((700, -40.0), (1400, 0.0), (2800, 0.0), (5600, -40.0), (20000, -80.0))),
    (0.4, ((2800, -40.0), (5600, 0.0), (20000, -12.0))),
)


class Reverb:
    """Feeds one mono signal to several directions, block by block.

    Convolution in the frequency domain, one product a block for every block of the response
    (uniform partitions): memory is that of the responses, whatever the length of the recording.

    Args:
        decay_seconds: Time of a decay by 60 dB below 1 kHz.
        num_directions: Independent tails; together they have unit energy.
        block: Samples of each block.
        sample_rate: Hz.
        rng: Draws the tails.
    """

    def __init__(
        self,
        decay_seconds: float,
        num_directions: int,
        *,
        block: int,
        sample_rate: int,
        rng: np.random.Generator,
    ) -> None:
        self.num_partitions = -(-round(decay_seconds * sample_rate) // block)
        tails = _tails(
            rng,
            num_directions,
            frames=self.num_partitions * block,
            decay_seconds=decay_seconds,
            sample_rate=sample_rate,
        )
        partitions = tails.reshape(num_directions, self.num_partitions, block)
        self._responses = np.fft.rfft(partitions, 2 * block).transpose(1, 0, 2)  # (P, D, F)
        self._history = np.zeros((self.num_partitions, block + 1), dtype=np.complex64)
        self._overlap = np.zeros((num_directions, block), dtype=np.float32)
        self._block = block

    def push(self, block: Samples) -> None:
        """Take a block, (block,), without asking what comes of it: to fill the room."""
        self._history = np.roll(self._history, 1, axis=0)
        self._history[0] = np.fft.rfft(block, 2 * self._block)

    def process(self, block: Samples) -> Samples:
        """Take a block, (block,), and return the tails at its time, (D, block)."""
        self.push(block)
        spectrum = np.zeros(self._responses.shape[1:], dtype=np.complex64)
        for response, past in zip(self._responses, self._history, strict=True):
            spectrum += response * past
        output = np.fft.irfft(spectrum, 2 * self._block).astype(np.float32, copy=False)
        tails: Samples = output[:, : self._block] + self._overlap
        self._overlap = output[:, self._block :]
        return tails


def _tails(
    rng: np.random.Generator,
    num_directions: int,
    *,
    frames: int,
    decay_seconds: float,
    sample_rate: int,
) -> Samples:
    times = np.arange(frames) / sample_rate
    frequencies = bin_frequencies(frames, sample_rate)
    tails = np.zeros((num_directions, frames))
    for share, points in BANDS:
        noise = np.fft.rfft(rng.standard_normal((num_directions, frames)))
        noise *= amplitudes(points, frequencies)
        tails += np.fft.irfft(noise, frames) * 10 ** (-3 * times / (share * decay_seconds))
    tails *= np.clip((times - BEGIN_SECONDS) / 0.01, 0.0, 1.0)
    tails /= np.sqrt((tails**2).sum())
    return tails.astype(np.float32)
