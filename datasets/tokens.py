"""The one tokenizer: samples as symbols of a language model, and channels as one stream.

Training and coding both go through this module, so that what was trained is what is coded.

Symbols are unsigned: a sample of b bits is its value plus 2^(b - 1). A stream of C channels in
blocks of n samples is the layout of the audio language model's document for two channels, with as
many channels as there are: n samples of the first, n of the second, ... n of the last, then the
next n of the first; the last block of each channel may be shorter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

LINEAR, MULAW = "linear", "mulaw"
QUANTISATIONS = (LINEAR, MULAW)
BIT_DEPTHS = (8, 16, 24)
_MU = 255.0


@dataclass(frozen=True)
class Tokenizer:
    """Samples to symbols and back.

    Linear symbols drop the lowest bits of samples that have more than `bits`, and are exact for
    all others. Mu-law symbols (G.711's curve in floating point, mu = 255) of 8 bits follow how
    loud a sample is: fine steps near zero, coarse ones near full scale.
    """

    bits: int
    """Of a symbol: 8, 16 or 24."""
    quantisation: str = LINEAR
    """`linear`, or `mulaw` with 8 bits."""

    def __post_init__(self) -> None:
        assert self.bits in BIT_DEPTHS, self.bits
        assert self.quantisation == LINEAR or (self.quantisation, self.bits) == (MULAW, 8), self

    @property
    def vocabulary(self) -> int:
        """Number of symbols."""
        return 1 << self.bits

    @property
    def zero(self) -> int:
        """The symbol of a sample of 0."""
        return 1 << (self.bits - 1)

    def is_exact(self, bits: int) -> bool:
        """Whether samples of so many bits come back as they were."""
        return self.quantisation == LINEAR and bits <= self.bits

    def tokens(self, samples: np.ndarray, *, bits: int) -> np.ndarray:
        """Symbols of samples.

        Args:
            samples: (...) signed integers of `bits` bits.
            bits: Of a sample, 1 to 32.

        Returns:
            (...) int64 in [0, vocabulary).
        """
        wide = samples.astype(np.int64)
        if self.quantisation == MULAW:
            return _compressed(wide, full_scale=1 << (bits - 1))
        shift = bits - self.bits
        kept = np.right_shift(wide, shift) if shift > 0 else np.left_shift(wide, -shift)
        symbols: np.ndarray = kept + self.zero
        return symbols

    def samples(self, tokens: np.ndarray, *, bits: int) -> np.ndarray:
        """Samples of symbols: what was coded, or the middle of the step that it was in.

        Args:
            tokens: (...) integers in [0, vocabulary).
            bits: Of a sample.

        Returns:
            (...) int64, signed.
        """
        wide = tokens.astype(np.int64)
        if self.quantisation == MULAW:
            return _expanded(wide, full_scale=1 << (bits - 1))
        signed, shift = wide - self.zero, bits - self.bits
        if shift <= 0:
            below: np.ndarray = np.right_shift(signed, -shift)
            return below
        middle: np.ndarray = np.left_shift(signed, shift) + (1 << (shift - 1))
        return middle

    def audio(self, tokens: np.ndarray) -> np.ndarray:
        """Symbols as float32 in [-1, 1), exactly; `symbols` takes them back."""
        scaled: np.ndarray = (tokens - self.zero).astype(np.float32) * np.float32(1 / self.zero)
        return scaled

    def symbols(self, audio: np.ndarray) -> np.ndarray:
        """The symbols, int64, that `audio` made float32 of."""
        exact: np.ndarray = (audio * np.float32(self.zero)).astype(np.int64) + self.zero
        return exact


def _compressed(samples: np.ndarray, *, full_scale: int) -> np.ndarray:
    loud = samples.astype(np.float64) / full_scale
    curve = np.sign(loud) * np.log1p(_MU * np.abs(loud)) / np.log1p(_MU)
    symbols: np.ndarray = np.clip(np.floor((curve + 1.0) * 128.0), 0, 255).astype(np.int64)
    return symbols


def _expanded(tokens: np.ndarray, *, full_scale: int) -> np.ndarray:
    curve = (tokens + 0.5) / 128.0 - 1.0
    loud = np.sign(curve) * np.expm1(np.abs(curve) * np.log1p(_MU)) / _MU
    samples: np.ndarray = np.rint(loud * full_scale).astype(np.int64)
    return samples


def mixed_down(samples: np.ndarray) -> np.ndarray:
    """The mean of all channels, rounded down: (C, T) integers to (T,) int64."""
    mean: np.ndarray = np.floor_divide(samples.sum(axis=0, dtype=np.int64), len(samples))
    return mean


def blocked(samples: np.ndarray, *, block: int) -> np.ndarray:
    """Channels as one stream of blocks: (C, T) to (C * T,)."""
    channels, frames = samples.shape
    whole = frames // block * block
    blocks = samples[:, :whole].reshape(channels, -1, block).swapaxes(0, 1).reshape(-1)
    return np.concatenate([blocks, samples[:, whole:].reshape(-1)])


def unblocked(stream: np.ndarray, *, channels: int, block: int) -> np.ndarray:
    """The inverse of `blocked`: (C * T,) to (C, T)."""
    frames, rest = divmod(len(stream), channels)
    assert rest == 0, (len(stream), channels)
    whole = frames // block * block
    blocks = stream[: channels * whole].reshape(-1, channels, block).swapaxes(0, 1)
    tail = stream[channels * whole :].reshape(channels, -1)
    return np.concatenate([blocks.reshape(channels, whole), tail], axis=1)


@dataclass(frozen=True)
class Rectangle:
    """Neighbouring pieces of a stream that lie in one block of frames."""

    start: int
    """First frame that any of them needs."""
    frames: int
    channels: tuple[int, ...]
    """In the order of the stream, each once."""
    cut: slice
    """Of the rectangle as (C * frames,): what belongs to the stream."""


def rectangles(
    start: int, length: int, *, channels: int, frames: int, block: int
) -> Iterator[Rectangle]:
    """What has to be read for a span of a stream, in its order; at most three times its samples.

    Args:
        start: First symbol.
        length: Symbols, within the stream.
        channels: C of the recording.
        frames: T of the recording.
        block: Samples of a block.
    """
    at, end = start, start + length
    while at < end:
        group = at // (channels * block)
        size = min(block, frames - group * block)  # the last block may be shorter
        begin = group * channels * block
        stop = min(end, begin + channels * size)
        if size >= length:  # whole blocks would be more than what is asked for
            stop = min(stop, begin + ((at - begin) // size + 1) * size)
        yield _rectangle(at - begin, stop - begin, first=group * block, size=size)
        at = stop


def _rectangle(start: int, stop: int, *, first: int, size: int) -> Rectangle:
    """Symbols `start` to `stop` of a group of blocks that begins with the frame `first`."""
    touched = tuple(range(start // size, (stop - 1) // size + 1))
    skipped, length = start - touched[0] * size, stop - start
    if len(touched) == 1:
        return Rectangle(first + skipped, length, touched, slice(0, length))
    return Rectangle(first, size, touched, slice(skipped, skipped + length))
