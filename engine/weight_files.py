"""Weights of checkpoints without torch: what differs between two safetensors files, how much.

    8 bytes     length of the header, little endian
    header      JSON: name -> {dtype, shape, data_offsets}, and __metadata__
    data        tensors one after the other, row-major

(https://github.com/huggingface/safetensors, format.) Data is mapped, not loaded.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from codecctl.errors import CodecctlError

Floats = npt.NDArray[np.float64]

_TYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
    "BOOL": "?",
}
_LARGEST_HEADER = 100_000_000
_PIECE = 1 << 22


@dataclass(frozen=True)
class TensorPlace:
    """Where a tensor stands in a file."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    """First byte of its data in the file."""
    end: int

    @property
    def count(self) -> int:
        """How many values it has."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class WeightChange:
    """One tensor of two files; NaN where it has no counterpart of its shape."""

    name: str
    first: TensorPlace | None
    second: TensorPlace | None
    norm: float
    """Euclidean norm in the first file."""
    change: float
    """Norm of the difference."""

    @property
    def relative(self) -> float:
        """The change in parts of the norm; infinite where that is zero, and 0 without change."""
        if self.change == 0:
            return 0.0
        return self.change / self.norm if self.norm else math.copysign(math.inf, self.change)


def read_places(path: Path) -> dict[str, TensorPlace]:
    """The tensors of a file by name.

    Raises:
        CodecctlError: It is no whole safetensors file.
    """
    try:
        return _places(path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CodecctlError(
            f"{path}: no whole safetensors file: {error}; use another checkpoint"
        ) from error


def compare_weights(first: Path, second: Path) -> list[WeightChange]:
    """What became of every tensor of two files, in the order of the first, new ones at the end.

    Raises:
        CodecctlError: One of them is no whole safetensors file.
    """
    old, new = read_places(first), read_places(second)
    changes = []
    for name in [*old, *(name for name in new if name not in old)]:
        before, after = old.get(name), new.get(name)
        norm, change = math.nan, math.nan
        if before is not None and after is not None and before.shape == after.shape:
            norm, change = _norms(first, before, second, after)
        changes.append(WeightChange(name, before, after, norm, change))
    return changes


def by_layer(changes: list[WeightChange], depth: int = 2) -> dict[str, tuple[float, float, int]]:
    """Norm, norm of the change, and values of all tensors below each module of a depth.

    Tensors without a counterpart are left out.
    """
    squares: dict[str, tuple[float, float, int]] = {}
    for each in changes:
        if math.isnan(each.change) or each.first is None:
            continue
        layer = ".".join(each.name.split(".")[:depth])
        norm, change, count = squares.get(layer, (0.0, 0.0, 0))
        squares[layer] = (norm + each.norm**2, change + each.change**2, count + each.first.count)
    return {
        layer: (math.sqrt(norm), math.sqrt(change), count)
        for layer, (norm, change, count) in squares.items()
    }


def _places(path: Path) -> dict[str, TensorPlace]:
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(_LARGEST_HEADER, size - 8):
            raise ValueError(f"a header of {length} bytes in a file of {size}")
        header = json.loads(file.read(length))
    places = {
        name: _place(entry, 8 + length) for name, entry in header.items() if name != "__metadata__"
    }
    torn = [name for name, place in places.items() if place.end > size]
    if torn:
        raise ValueError(f"{torn[0]} ends beyond the file")
    return places


def _place(entry: Mapping[str, object], begin: int) -> TensorPlace:
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if dtype not in _TYPES or not isinstance(shape, list) or not isinstance(offsets, list):
        raise ValueError(f"an entry of type {dtype}")
    place = TensorPlace(
        str(dtype), tuple(int(size) for size in shape), begin + offsets[0], begin + offsets[1]
    )
    width = np.dtype(_TYPES[place.dtype]).itemsize
    if place.end - place.start != width * place.count or offsets[0] < 0:
        raise ValueError(f"{place.end - place.start} bytes for shape {place.shape}")
    return place


def _norms(first: Path, old: TensorPlace, second: Path, new: TensorPlace) -> tuple[float, float]:
    """Norm of the first and of the difference, in pieces: no tensor is held as a whole."""
    norm = change = 0.0
    for start in range(0, old.count, _PIECE):
        count = min(_PIECE, old.count - start)
        before, after = _values(first, old, start, count), _values(second, new, start, count)
        norm += float(before @ before)
        change += float((after - before) @ (after - before))
    return math.sqrt(norm), math.sqrt(change)


def _values(path: Path, place: TensorPlace, start: int, count: int) -> Floats:
    dtype = np.dtype(_TYPES[place.dtype])
    raw = np.fromfile(path, dtype, count, offset=place.start + start * dtype.itemsize)
    if place.dtype == "BF16":  # the upper half of a float32
        raw = (raw.astype(np.uint32) << 16).view(np.float32)
    values: Floats = raw.astype(np.float64)
    return values
