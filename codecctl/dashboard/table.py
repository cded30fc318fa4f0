"""Rows of scalars as columns: what charts read, replaced as a whole when rows arrive."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from codecctl.dashboard.axis import Array, XAxis
from codecctl.dashboard.columns import Block, blocks_of_rows

Values = npt.NDArray[np.float32]
Present = npt.NDArray[np.bool_]

_FIXED = frozenset({"schema", "step", "epoch", "split", "seconds", "audio_seconds", "time"})
_PLACES = ("step", "epoch", "seconds", "audio_seconds", "time")
_ALL = slice(None)


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
    """

    key: str = "step"
    """What identifies a row: a later row of the same key replaces the earlier one."""
    places: dict[str, Array] = field(default_factory=dict)
    """step, epoch, seconds, ... of each row, (rows,); NaN where a row does not say."""
    columns: dict[str, Column] = field(default_factory=dict)
    memo: dict[Hashable, object] = field(default_factory=dict, repr=False)
    """What was computed from the rows so far; tables that only add rows to this one share it."""

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
        joined = _join(self, new)
        keys = joined.places[self.key]
        since = max(0, self.num_rows - 1)
        rising = bool(np.all(np.diff(keys[since:]) > 0))
        return joined if rising else _take(joined, _latest(keys))

    def x(self, axis: XAxis, *, steps_per_epoch: float) -> Array:
        """What an axis counts, for every row: (rows,), NaN where a row does not say."""
        if axis is XAxis.EPOCH and steps_per_epoch > 0:
            epochs: Array = self.places["step"] / steps_per_epoch
            return epochs
        if axis is XAxis.TIME and self.key == "time":
            elapsed: Array = self.places["time"] - self.places["time"][0]
            return elapsed
        names = {
            XAxis.STEP: "step",
            XAxis.EPOCH: "epoch",
            XAxis.TIME: "seconds",
            XAxis.AUDIO: "audio_seconds",
        }
        return self.places[names[axis]]

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
        place = self.x(axis, steps_per_epoch=steps_per_epoch)[rows]
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


def _join(first: Table, second: Table) -> Table:
    if not first.places:
        return second
    places = {name: np.concatenate([first.places[name], second.places[name]]) for name in _PLACES}
    names = first.columns.keys() | second.columns.keys()
    columns = {}
    for name in names:
        parts = [table.columns.get(name) or _absent(table.num_rows) for table in (first, second)]
        columns[name] = Column(
            np.concatenate([part.values for part in parts]),
            np.concatenate([part.present for part in parts]),
        )
    return Table(first.key, places, columns, first.memo)


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
