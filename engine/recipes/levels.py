"""What a codec divides its input by, and multiplies its output with.

Field recordings are quiet: a beach at -62 dBFS is a thousandth of full scale, where the floors of
spectral terms, the biases of a network and the entries of a codebook are as large as the signal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

SCALE_BITS = 32
"""Size of the level of one second, coded beside the codes."""
_FLOOR = 1e-8
"""Of a level, so that silence is not divided by zero: -160 dB."""


class Level(Protocol):
    """A positive level of audio, which grows with it unless it is fixed."""

    def __call__(self, audio: Tensor) -> Tensor:
        """The level of audio (N, C, T), in a shape that divides it."""
        ...

    def bits_per_second(self, channels: int) -> int:
        """What a decoder has to be told of the level of a signal of so many channels."""
        ...


class FixedLevel:
    """The same number for every sample of every channel: nothing has to be coded.

    Args:
        level: 1 leaves the audio as it is.
    """

    def __init__(self, level: float = 1.0) -> None:
        self._level = level

    def __call__(self, audio: Tensor) -> Tensor:
        """The level, 0-d."""
        return torch.full((), self._level, device=audio.device, dtype=audio.dtype)

    def bits_per_second(self, channels: int) -> int:
        """None."""
        del channels
        return 0


class LevelPerSecond:
    """Root mean square of each second, repeated over it.

    The seconds lie on a fixed grid from the first sample on, so that audio coded in pieces of
    whole seconds has the levels of audio coded at once; the last one may be shorter.

    Args:
        sample_rate: Hz.
        by_channel: One level for each channel, else one that serves all of them: the root of the
            mean power of the channels, which keeps the differences between them.
    """

    def __init__(self, sample_rate: int, *, by_channel: bool = False) -> None:
        self._sample_rate = sample_rate
        self._by_channel = by_channel

    def __call__(self, audio: Tensor) -> Tensor:
        """(N, C, T) to (N, C, T), or (N, 1, T) where one serves all channels."""
        rate, num_samples = self._sample_rate, audio.shape[-1]
        padded = functional.pad(audio, (0, -num_samples % rate))
        energy = padded.unflatten(-1, (-1, rate)).square().sum(-1)  # type: ignore[no-untyped-call]  # torch's
        if not self._by_channel:
            energy = energy.mean(1, keepdim=True)  # (N, 1, seconds)
        seconds = torch.arange(energy.shape[-1], device=audio.device)
        lengths = (num_samples - seconds * rate).clamp(max=rate)
        level: Tensor = (energy / lengths).sqrt() + _FLOOR
        return level.repeat_interleave(rate, dim=-1)[..., :num_samples]

    def bits_per_second(self, channels: int) -> int:
        """One number, or one for each channel."""
        return SCALE_BITS * (channels if self._by_channel else 1)


def _none(sample_rate: int, gain_db: float) -> Level:
    del sample_rate, gain_db
    return FixedLevel()


def _gain(sample_rate: int, gain_db: float) -> Level:
    del sample_rate
    return FixedLevel(10 ** (-gain_db / 20))


def _rms(sample_rate: int, gain_db: float) -> Level:
    del gain_db
    return LevelPerSecond(sample_rate)


def _rms_channels(sample_rate: int, gain_db: float) -> Level:
    del gain_db
    return LevelPerSecond(sample_rate, by_channel=True)


LEVELS: dict[str, Callable[[int, float], Level]] = {
    "none": _none,
    "gain": _gain,
    "rms": _rms,
    "rms_channels": _rms_channels,
}
"""`model.normalize` to the level, from the sample rate in Hz and `model.gain_db`."""
