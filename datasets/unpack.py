"""Interleaved little-endian numbers of a WAV file as planar blocks, equal to libsndfile's."""

from __future__ import annotations

import numpy as np

from codecctl.datasets.container import SampleFormat

TILE_FRAMES = 2048
"""Frames turned at once from interleaved to planar; a tile stays in the cache."""

_ALIGNMENT = 8
_KINDS = {(False, 16): "<i2", (False, 24): "<i4", (False, 32): "<i4"} | {
    (True, 32): "<f4",
    (True, 64): "<f8",
}


class Unpacker:
    """Holds the bytes of a block and turns them into planar samples.

    24-bit samples are seen as 32-bit integers that begin one byte early; a shift drops the byte.

    Args:
        layout: Of the file; 16, 24 or 32 bits, as floats 32 or 64.
        most_frames: Longest block.
    """

    def __init__(self, layout: SampleFormat, most_frames: int) -> None:
        self._bits = layout.bits
        self._is_float = layout.is_float
        self._kind = np.dtype(_KINDS[layout.is_float, layout.bits])
        self._frame_bytes = layout.channels * layout.bits // 8
        self._bytes = np.zeros(_ALIGNMENT + most_frames * self._frame_bytes, np.uint8)
        self._tile = np.empty((layout.channels, min(most_frames, TILE_FRAMES)), np.int32)

    def room(self, frames: int) -> np.ndarray:
        """Where the bytes of the next block belong, uint8."""
        return self._bytes[_ALIGNMENT : _ALIGNMENT + frames * self._frame_bytes]

    def unpack(self, block: np.ndarray) -> None:
        """Turn what lies in `room` into a block (C, n).

        Args:
            block: float32, full scale at [-1, 1]; or int32, the integers as they are.
        """
        frames = block.shape[1]
        for start in range(0, frames, TILE_FRAMES):
            tile = block[:, start : start + TILE_FRAMES]
            samples = self._samples(tile.shape, start)
            if self._is_float:
                with np.errstate(over="ignore"):  # the reader refuses infinity, with its place
                    tile[:] = samples
            elif block.dtype == np.int32:
                self._to_integers(samples, tile)
            else:
                self._to_floats(samples, tile)

    def _samples(self, shape: tuple[int, ...], start: int) -> np.ndarray:
        """A view (C, n) of the bytes from a frame on, as numbers of `_kind`."""
        early = 1 if self._bits == 24 else 0
        return np.ndarray(
            shape,
            self._kind,
            self._bytes.data,
            offset=_ALIGNMENT - early + start * self._frame_bytes,
            strides=(self._bits // 8, self._frame_bytes),
        )

    def _to_integers(self, samples: np.ndarray, tile: np.ndarray) -> None:
        if self._bits == 24:
            np.right_shift(samples, 8, out=tile)
        else:
            tile[:] = samples

    def _to_floats(self, samples: np.ndarray, tile: np.ndarray) -> None:
        integers = samples
        if self._bits == 24:
            integers = self._tile[:, : tile.shape[1]]
            np.right_shift(samples, 8, out=integers)
        to_floats(integers, bits=self._bits, out=tile)


def to_floats(integers: np.ndarray, *, bits: int, out: np.ndarray) -> np.ndarray:
    """Integers (C, n) of so many bits as float32 with full scale at [-1, 1], in `out`.

    Exact up to 24 bits; 32-bit integers are rounded first, as libsndfile rounds them.
    """
    full_scale = np.float32(2.0 ** (1 - bits))
    np.multiply(integers, full_scale, out=out, casting="unsafe", dtype=np.float32)
    return out
