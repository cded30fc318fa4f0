"""One second of every channel becomes the samples that a store keeps."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from codecctl.errors import DataError

INT16_PEAK = 32767
_SILENCE = np.float32(np.finfo(np.float32).tiny * INT16_PEAK)  # below it, the scale underflows


class Encoder(Protocol):
    """Fills a second of chunks."""

    def __call__(self, audio: np.ndarray, second: int, out: np.ndarray) -> np.ndarray | None:
        """Encode (C, n) audio into `out` (C, n) as stored; the scale (C,) where there is one.

        Raises:
            DataError: A sample cannot be stored.
        """


def encoder(dtype: str, *, bits: int, source_name: str, shape: tuple[int, int]) -> Encoder:
    """How recordings of a dtype are encoded.

    Args:
        dtype: A key of `SAMPLE_TYPES`.
        bits: Of a sample of the source.
        source_name: For errors.
        shape: The largest (C, n) to come.
    """
    if dtype == "int16":
        return _Scaled(source_name, shape)
    if dtype == "float32":
        return _Plain(source_name)
    return _Integers(source_name, bits)


class _Scaled:
    def __init__(self, source_name: str, shape: tuple[int, int]) -> None:
        self._name = source_name
        self._scratch = np.empty(shape, dtype=np.float32)

    def __call__(self, audio: np.ndarray, second: int, out: np.ndarray) -> np.ndarray:
        peak = _finite_peaks(audio, second, source_name=self._name)
        return quantize(audio, peak, scratch=self._scratch[:, : audio.shape[1]], out=out)


class _Plain:
    def __init__(self, source_name: str) -> None:
        self._name = source_name

    def __call__(self, audio: np.ndarray, second: int, out: np.ndarray) -> None:
        _finite_peaks(audio, second, source_name=self._name)
        out[...] = audio


class _Integers:
    def __init__(self, source_name: str, bits: int) -> None:
        self._name = source_name
        self._bits = bits

    def __call__(self, audio: np.ndarray, second: int, out: np.ndarray) -> None:
        highest = 2 ** (self._bits - 1) - 1
        beyond = (audio.max(axis=1) > highest) | (audio.min(axis=1) < -highest - 1)
        if beyond.any():
            raise DataError(
                f"{self._name}: channel {int(beyond.argmax()) + 1} holds an integer of more than "
                f"{self._bits} bits in second {second}"
            )
        out[...] = audio


def _finite_peaks(audio: np.ndarray, second: int, *, source_name: str) -> np.ndarray:
    """Largest magnitude of each channel, (C,)."""
    peak: np.ndarray = np.maximum(audio.max(axis=1), -audio.min(axis=1))
    if not np.isfinite(peak).all():
        channel = int(np.flatnonzero(~np.isfinite(peak))[0])
        raise DataError(
            f"{source_name}: channel {channel + 1} holds NaN or infinity in second "
            f"{second}; needed finite samples"
        )
    return peak


def quantize(
    audio: np.ndarray, peak: np.ndarray, *, scratch: np.ndarray, out: np.ndarray
) -> np.ndarray:
    """Round a second of audio to integers that use the whole range of int16.

    A scale of its own for each channel and second keeps 88 dB between signal and error whatever
    the level; a fixed one leaves 39 dB on a quiet beach.

    Args:
        audio: (C, n) float32, finite.
        peak: Largest magnitude of each channel, (C,) float32.
        scratch: (C, n) float32, overwritten; may be `audio`.
        out: (C, n) int16, overwritten. `out * scale` is the audio, within half a scale.

    Returns:
        Scale of each channel, (C,) float32; 0 for silence.
    """
    scale = peak / np.float32(INT16_PEAK)
    scale[peak < _SILENCE] = 0
    inverse = np.divide(1, scale, out=np.zeros_like(scale), where=scale > 0)
    np.multiply(audio, inverse[:, None], out=scratch)
    np.rint(scratch, out=out, casting="unsafe")
    return scale
