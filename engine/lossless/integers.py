"""Whole numbers to bytes and back, without a trained model: blocks of a scale, and a range coder.

Rows are cut in blocks of one of four lengths. Each block names its scale in quarter octaves, each
row one of three shapes. A number is
rounded to a token of at most 27 steps of spread, coded with the table of scale and shape, and what
rounding left, which is as good as uniform. Tables are whole numbers made with +, -, x, / and square
root of IEEE 754 alone, so that every machine makes the same.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache

import constriction
import numpy as np

from codecctl.errors import DataError

BLOCKS = (32, 64, 128, 256)
"""Numbers of a row that share a scale: one of these, the same for all rows."""
SCALES = 112
"""0 is a block of zeros, s a spread of 2^((s - 5) / 4)."""
SHAPES = 3
"""Exponents 1 (Laplace), 1.5 and 2 (Gauss)."""
REACH = 255
"""Largest token; one beyond it says that the number follows in full."""
MOST = 1 << 30
"""Numbers lie within -MOST and MOST - 1."""
_TOTAL = 1 << 20
_TABLES = 25
_NO_DELTA = 2 * SCALES
_HALF = 1 << 15
_WIDTHS = (np.sqrt(0.5), 1.1636732, np.sqrt(2.0))
"""Width over spread of each shape."""


@dataclass(frozen=True)
class Tables:
    """Frequencies, the models of the range coder that follow from them, and bits."""

    tokens: tuple[tuple[object, ...], ...]
    """By shape and scale."""
    deltas: object
    bits: np.ndarray
    """(shapes, scales, 2 REACH + 2) of each token."""
    check: int
    """CRC-32 of the frequencies."""


@cache
def tables() -> Tables:
    """Those of every file."""
    steps = np.abs(np.arange(-REACH, REACH + 1)).astype(np.float64)
    counts = np.ones((SHAPES, _TABLES, 2 * REACH + 2))
    for shape, width in enumerate(_WIDTHS):
        for scale in range(1, _TABLES):
            reach = steps / (width * _spread(scale))
            powers = (reach, reach * np.sqrt(reach), reach * reach)
            counts[shape, scale] = _frequencies(np.append(_exp_minus(powers[shape]), 0.0))
    away = np.abs(np.arange(2 * _NO_DELTA + 1) - _NO_DELTA).astype(np.float64)
    deltas = _frequencies(_exp_minus(away * 0.9))
    return Tables(
        tokens=tuple(tuple(_model(row) for row in rows) for rows in counts),
        deltas=_model(deltas),
        bits=np.log2(_TOTAL) - np.log2(counts),
        check=zlib.crc32(counts.astype("<i4").tobytes() + deltas.astype("<i4").tobytes()),
    )


def _spread(scale: int) -> float:
    spread = 0.5
    for _ in range(scale - 1):
        spread = spread * float(np.sqrt(np.sqrt(2.0)))
    return spread


def _exp_minus(x: np.ndarray) -> np.ndarray:
    """exp(-x) for x >= 0 without the mathematics library, whose last bit differs by machine."""
    small = np.minimum(x, 700.0) / 1024.0
    value = np.ones_like(small)
    for order in range(9, 0, -1):
        value = 1.0 + value * small / order
    for _ in range(10):
        value = value * value
    inverse: np.ndarray = 1.0 / value
    return inverse


def _frequencies(weights: np.ndarray) -> np.ndarray:
    """Whole numbers of at least 1 that add up to `_TOTAL`."""
    total = 0.0
    for weight in weights.tolist():  # in one order on every machine
        total = total + weight
    counts = 1.0 + np.floor(weights / total * (_TOTAL - len(weights)))
    counts[np.argmax(counts)] += _TOTAL - counts.sum()
    return counts


def _model(counts: np.ndarray) -> object:
    return constriction.stream.model.Categorical(counts.astype(np.float32), perfect=False)


def _uniform(size: int) -> object:
    return constriction.stream.model.Uniform(size)


class Packer:
    """Collects numbers and gives their bytes."""

    def __init__(self) -> None:
        self._encoder = constriction.stream.queue.RangeEncoder()

    def number(self, value: int, size: int) -> None:
        """One number of 0 to `size` - 1."""
        if size > 1:
            self._encoder.encode(np.array([value], np.int32), _uniform(size))

    def rows(self, values: np.ndarray) -> None:
        """(R, T) int64 numbers within -MOST and MOST - 1."""
        assert not values.size or np.abs(values).max() < MOST
        choice, scales = _best_scales(values)
        self.number(choice, len(BLOCKS))
        self._encoder.encode(_deltas(scales).astype(np.int32), tables().deltas)
        spread = np.repeat(scales, BLOCKS[choice], axis=1)[:, : values.shape[1]]
        shift = _shift(spread)
        kept = (values + ((1 << shift) >> 1)) >> shift
        rest = values - (kept << shift) + ((1 << shift) >> 1)
        tokens = np.where(np.abs(kept) > REACH, REACH + 1, kept) + REACH
        shapes = _shapes(tokens, spread - 4 * shift)
        for shape in shapes:
            self.number(int(shape), SHAPES)
        groups = _Groups(spread, shapes)
        flat, left = tokens.ravel()[groups.order], rest.ravel()[groups.order]
        for (shape, scale), cut in groups.cuts:
            self._encoder.encode(flat[cut].astype(np.int32), tables().tokens[shape][scale])
        for size, cut in groups.shifts:
            self._encoder.encode(left[cut].astype(np.int32), _uniform(1 << size))
        beyond = values.ravel()[groups.order][flat == 2 * REACH + 1] + MOST
        if len(beyond):
            for part in (beyond >> 16, beyond & 0xFFFF):
                self._encoder.encode(part.astype(np.int32), _uniform(1 << 16))

    def bytes(self) -> bytes:
        """Everything so far."""
        coded: bytes = self._encoder.get_compressed().astype("<u4").tobytes()
        return coded


class Unpacker:
    """Gives the numbers of a `Packer` in the order in which they were packed.

    Raises:
        DataError: Bytes that no packer wrote; from every method.
    """

    def __init__(self, coded: bytes) -> None:
        if len(coded) % 4:
            raise DataError(f"coded segment: found {len(coded)} bytes, needed whole words of 4")
        words = np.frombuffer(coded, "<u4").astype(np.uint32)
        self._decoder = constriction.stream.queue.RangeDecoder(words)

    def number(self, size: int) -> int:
        """One number of 0 to `size` - 1."""
        return int(self._take(_uniform(size), 1)[0]) if size > 1 else 0

    def rows(self, count: int, length: int) -> np.ndarray:
        """(count, length) int64 numbers."""
        block = BLOCKS[self.number(len(BLOCKS))]
        blocks = -(-length // block)
        scales = _undo_deltas(self._take(tables().deltas, count * blocks), count, blocks)
        if scales.size and not 0 <= scales.min() <= scales.max() < SCALES:
            raise DataError("coded segment: a scale that there is not")
        spread = np.repeat(scales, block, axis=1)[:, :length]
        shapes = np.array([self.number(SHAPES) for _ in range(count)], np.int64)
        groups = _Groups(spread, shapes)
        flat = np.full(spread.size, REACH, np.int64)
        left = np.zeros(spread.size, np.int64)
        for (shape, scale), cut in groups.cuts:
            flat[cut] = self._take(tables().tokens[shape][scale], cut.stop - cut.start)
        for size, cut in groups.shifts:
            left[cut] = self._take(_uniform(1 << size), cut.stop - cut.start)
        shift = _shift(spread.ravel()[groups.order])
        sorted_values = ((flat - REACH) << shift) + left - ((1 << shift) >> 1)
        beyond = flat == 2 * REACH + 1
        if beyond.any():
            high, low = (self._take(_uniform(1 << 16), int(beyond.sum())) for _ in range(2))
            sorted_values[beyond] = (high.astype(np.int64) << 16) + low - MOST
        values = np.empty(spread.size, np.int64)
        values[groups.order] = sorted_values
        return values.reshape(count, length)

    def end(self) -> None:
        """Nothing may be left."""
        if not self._decoder.maybe_exhausted():
            raise DataError("coded segment: bytes are left after its last number")

    def _take(self, model: object, count: int) -> np.ndarray:
        if not count:
            return np.empty(0, np.int64)
        try:
            found: np.ndarray = self._decoder.decode(model, count)
        except (AssertionError, ValueError) as error:
            raise DataError(f"coded segment: no encoder wrote this: {error}") from error
        return found


class _Groups:
    """Which numbers share a table: `order` sorts them by shift, then shape and scale."""

    def __init__(self, spread: np.ndarray, shapes: np.ndarray) -> None:
        keys = (spread * 4 + shapes[:, None]).astype(np.uint16).ravel()
        self.order = np.argsort(keys, kind="stable")
        found, starts = np.unique(keys[self.order], return_index=True)
        stops = np.append(starts[1:], keys.size)[: len(starts)]
        self.cuts: list[tuple[tuple[int, int], slice]] = []
        self.shifts: list[tuple[int, slice]] = []
        for key, start, stop in zip(found.tolist(), starts.tolist(), stops.tolist(), strict=True):
            scale, shape = divmod(key, 4)
            shift = int(_shift(np.array(scale)))
            if scale:
                self.cuts.append(((shape, scale - 4 * shift), slice(start, stop)))
            if shift:
                self.shifts.append((shift, slice(start, stop)))


def _shift(scale: np.ndarray) -> np.ndarray:
    """Bits that a token leaves out."""
    shift: np.ndarray = np.maximum(0, (scale - 5) // 4 - 4)
    return shift


def _best_scales(values: np.ndarray) -> tuple[int, np.ndarray]:
    """The length of blocks, by number, that takes about the fewest bits, and their scales."""
    count, length = values.shape
    if not values.size:
        return 0, np.zeros((count, 0), np.int64)
    longest = BLOCKS[-1]
    squares = np.zeros((count, -(-length // longest) * longest))
    np.multiply(values, values, out=squares[:, :length], dtype=np.float64)
    found, costs = [], []
    powers = squares.reshape(count, -1, BLOCKS[0]).sum(-1)
    for choice, block in enumerate(BLOCKS):
        if choice:
            powers = powers.reshape(count, -1, 2).sum(-1)
        blocks = -(-length // block)
        sizes = np.full(blocks, block)
        sizes[-1:] = length - (blocks - 1) * block
        scales = _scales(powers[:, :blocks] / sizes)
        away = np.abs(_deltas(scales) - _NO_DELTA)
        costs.append(float((np.maximum(scales - 4, 0) * sizes).sum() / 4 + 1.3 * (1 + away).sum()))
        found.append(scales)
    best = int(np.argmin(costs))
    return best, found[best]


def _scales(power: np.ndarray) -> np.ndarray:
    """The scale of each block of that mean square, int64."""
    wanted = np.rint(2 * np.log2(np.maximum(power, 1e-9))).astype(np.int64) + 5
    return np.where(power > 0, np.clip(wanted, 1, SCALES - 1), 0)


def _deltas(scales: np.ndarray) -> np.ndarray:
    """Each scale less the one before and half of what the row above does there.

    The first of a row has the first of the row above before it.
    """
    if not scales.size:
        return np.empty(0, np.int64)
    firsts = np.diff(scales[:, :1], axis=0, prepend=0)
    steps = np.diff(scales, axis=1)
    steps[1:] -= np.diff(scales[:-1], axis=1) // 2
    deltas: np.ndarray = np.hstack([firsts, steps]).ravel() + _NO_DELTA
    return deltas


def _undo_deltas(deltas: np.ndarray, count: int, blocks: int) -> np.ndarray:
    table = deltas.astype(np.int64).reshape(count, blocks) - _NO_DELTA
    if table.size:
        table[:, 0] = np.cumsum(table[:, 0])
    for row in range(count):
        if row:
            table[row, 1:] += np.diff(table[row - 1]) // 2
        table[row] = np.cumsum(table[row])
    return table


def _shapes(tokens: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """The shape of each row that takes the fewest bits."""
    bits = [(tables().bits[shape][scales, tokens] * (scales > 0)).sum(1) for shape in range(SHAPES)]
    best: np.ndarray = np.argmin(np.stack(bits), axis=0)
    return best
