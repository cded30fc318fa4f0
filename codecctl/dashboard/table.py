"""Rows of scalars as columns: what charts read, replaced as a whole when rows arrive."""

from __future__ import annotations

import mmap
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from codecctl.dashboard.axis import Array, XAxis
from codecctl.dashboard.columns import Block, blocks_of_rows

Values = npt.NDArray[np.float32]
Present = npt.NDArray[np.bool_]
Number = TypeVar("Number", bound=np.generic)

_FIXED = frozenset({"schema", "step", "epoch", "split", "seconds", "audio_seconds", "time"})
_PLACES = ("step", "epoch", "seconds", "audio_seconds", "time")
_ALL = slice(None)
_MAPPED_BYTES = 1 << 16
"""From this size (bytes) on, room costs nothing before it is filled and all goes back after."""


@dataclass(frozen=True)
class Column:
    """A scalar: its values, and which rows have one (a NaN is a value)."""

    values: Values
    """(rows,)"""
    present: Present
    """(rows,)"""


@dataclass(frozen=True, eq=False)
class Table:
    """Scalars of one split of a run by rising key; immutable, so that threads may share it.

    Two tables are equal when they are the same object: a run without news keeps its table.
    A table with more rows shares the memory of the one it came from, and writes behind its end.
    """

    key: str = "step"
    """What identifies a row: a later row of the same key replaces the earlier one."""
    places: dict[str, Array] = field(default_factory=dict)
    """step, epoch, seconds, ... of each row, (rows,); NaN where a row does not say."""
    columns: dict[str, Column] = field(default_factory=dict)
    memo: dict[Hashable, object] = field(default_factory=dict, repr=False)
    """What was computed from the rows so far; tables that only add rows to this one share it."""
    room: _Room | None = field(default=None, repr=False)
    """Where the rows stand, with space for more."""

    @property
    def num_rows(self) -> int:
        """How many rows there are."""
        return int(self.places[self.key].size) if self.places else 0

    def add(self, rows: Sequence[Mapping[str, object]]) -> Table:
        """A table with these rows as well; rows without a key are left out."""
        return self.add_blocks(blocks_of_rows([(i, dict(row)) for i, row in enumerate(rows)]))

    def add_blocks(self, blocks: Sequence[Block]) -> Table:
        """A table with the rows of these blocks as well, in the order of their lines."""
        new = _table(self.key, blocks)
        if not new.num_rows:
            return self
        room = self.room
        if room is None or room.used != self.num_rows:  # empty, or another one grew from here
            room = _Room()
            room.append(self)
        room.append(new)
        joined = Table(self.key, *room.filled(), self.memo, room)
        keys = joined.places[self.key]
        since = max(0, self.num_rows - 1)
        rising = bool(np.all(np.diff(keys[since:]) > 0))
        return joined if rising else _take(joined, _latest(keys))

    def x(self, axis: XAxis, *, steps_per_epoch: float, rows: slice = _ALL) -> Array:
        """What an axis counts, for every row: (rows,), NaN where a row does not say."""
        if axis is XAxis.EPOCH and steps_per_epoch > 0:
            epochs: Array = self.places["step"][rows] / steps_per_epoch
            return epochs
        if axis is XAxis.TIME and self.key == "time":
            elapsed: Array = self.places["time"][rows] - self.places["time"][0]
            return elapsed
        names = {
            XAxis.STEP: "step",
            XAxis.EPOCH: "epoch",
            XAxis.TIME: "seconds",
            XAxis.AUDIO: "audio_seconds",
            XAxis.CLOCK: "time",
        }
        return self.places[names[axis]][rows]

    def series(
        self, name: str, axis: XAxis, *, steps_per_epoch: float, rows: slice = _ALL
    ) -> tuple[Array, Array]:
        """Places and values of a scalar, (N,) each, x rising.

        Args:
            name: The scalar.
            axis: What x counts.
            steps_per_epoch: Turns steps into epochs; rows count whole epochs only. 0: unknown.
            rows: Which rows to look at.
        """
        column = self.columns.get(name)
        if column is None:
            return np.empty(0), np.empty(0)
        place = self.x(axis, steps_per_epoch=steps_per_epoch, rows=rows)
        known = column.present[rows] & np.isfinite(place)
        x, values = place[known], column.values[rows][known].astype(np.float64)
        if x.size > 1 and bool(np.any(np.diff(x) < 0)):
            order = np.argsort(x, kind="stable")
            x, values = x[order], values[order]
        return x, values

    def last(self, name: str) -> float | None:
        """The newest value of a scalar; None if there is none."""
        column = self.columns.get(name)
        found = np.flatnonzero(column.present) if column is not None else np.empty(0, np.intp)
        return float(column.values[found[-1]]) if column is not None and found.size else None


def _table(key: str, blocks: Sequence[Block]) -> Table:
    """The rows of blocks that have a key, by their lines."""
    kept = [(block, _with_key(block, key)) for block in blocks if key in block.names]
    lines = [block.lines[rows] for block, rows in kept]
    if not kept or not any(part.size for part in lines):
        return Table(key)
    order = np.sort(np.concatenate(lines))
    places = {name: np.full(order.size, np.nan) for name in _PLACES}
    columns: dict[str, Column] = {}
    for (block, rows), part in zip(kept, lines, strict=True):
        where = np.searchsorted(order, part)
        for index, name in enumerate(block.names):
            values = block.numbers[rows, index]
            if name in places:
                places[name][where] = values
            elif name not in _FIXED:
                column = columns.setdefault(name, _absent(order.size))
                with np.errstate(over="ignore"):  # beyond float32: infinity, and shown as such
                    column.values[where] = values.astype(np.float32)
                column.present[where] = True
    return Table(key, places, columns)


def _with_key(block: Block, key: str) -> Present:
    finite: Present = np.isfinite(block.numbers[:, block.names.index(key)])
    return finite


class _Room:
    """Columns that grow at their end.

    Attributes:
        used: How many rows are filled.
    """

    def __init__(self) -> None:
        self.used = 0
        self._size = 0
        self._places: dict[str, Array] = {}
        self._columns: dict[str, Column] = {}

    def filled(self) -> tuple[dict[str, Array], dict[str, Column]]:
        """Places and columns of the rows so far."""
        rows = slice(self.used)
        nowhere = np.broadcast_to(np.float64(np.nan), self.used)  # what no row says costs nothing
        places = {
            name: self._places[name][rows] if name in self._places else nowhere for name in _PLACES
        }
        columns = {
            name: Column(column.values[rows], column.present[rows])
            for name, column in self._columns.items()
        }
        return places, columns

    def append(self, table: Table) -> None:
        """Copy the rows of a table behind those that are here."""
        end = self.used + table.num_rows
        if end > self._size:
            self._grow(end + end // 4)
        rows = slice(self.used, end)
        for name, values in table.places.items():
            if name not in self._places and not np.isnan(values).all():
                self._places[name] = _space(self._size, np.float64)
                self._places[name][: self.used] = np.nan
            if name in self._places:
                self._places[name][rows] = values
        for name, column in table.columns.items():
            here = self._columns.get(name)
            if here is None:
                here = Column(_space(self._size, np.float32), _space(self._size, np.bool_))
                self._columns[name] = here
            here.values[rows] = column.values
            here.present[rows] = column.present
        self.used = end

    def _grow(self, size: int) -> None:
        """Move to larger arrays; tables that look at the old ones keep them."""
        self._size = size
        self._places = {name: self._larger(values) for name, values in self._places.items()}
        self._columns = {
            name: Column(self._larger(column.values), self._larger(column.present))
            for name, column in self._columns.items()
        }

    def _larger(self, values: npt.NDArray[Number]) -> npt.NDArray[Number]:
        larger = _space(self._size, values.dtype.type)
        larger[: self.used] = values[: self.used]
        return larger


def _space(size: int, dtype: type[Number]) -> npt.NDArray[Number]:
    """Zeros: (size,)."""
    num_bytes = size * np.dtype(dtype).itemsize
    if num_bytes < _MAPPED_BYTES:
        return np.zeros(size, dtype)
    return np.frombuffer(mmap.mmap(-1, num_bytes), dtype)


def _absent(num_rows: int) -> Column:
    return Column(np.zeros(num_rows, np.float32), np.zeros(num_rows, np.bool_))


def _latest(keys: Array) -> npt.NDArray[np.intp]:
    """Row numbers by rising key, the last row of each key."""
    order = np.argsort(keys, kind="stable")
    is_last = np.append(np.diff(keys[order]) > 0, True)
    kept: npt.NDArray[np.intp] = order[is_last]
    return kept


def _take(table: Table, rows: npt.NDArray[np.intp]) -> Table:
    return Table(
        table.key,
        {name: values[rows] for name, values in table.places.items()},
        {name: Column(c.values[rows], c.present[rows]) for name, c in table.columns.items()},
    )
