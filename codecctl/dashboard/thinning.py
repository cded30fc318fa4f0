"""A scalar as it is drawn: averaged on every value, then thinned, at the cost of what is new.

A million values are more than a chart has dots. Chunks of rows keep the places of the lowest and
the highest value, raw and averaged, and of one that is not finite: no spike, gap or divergence
is lost. What was thinned once is kept with the table until rows are replaced.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np

from codecctl.dashboard.axis import Array, XAxis
from codecctl.dashboard.smoothing import memory, smooth
from codecctl.dashboard.table import Table

MOST_POINTS = 8192
"""Fewer are drawn as they are."""
_CHUNKS = 1024
_FEWEST = 8
"""A chunk leaves up to five points; shorter ones are kept as they are."""
_COARSER = 10
"""How many points are thinned together where chunks become twice as long: about half are left."""
_ROWS_AT_ONCE = 1 << 15
"""A step of `prepare` is a few milliseconds."""


@dataclass(frozen=True)
class Points:
    """Values to draw."""

    x: Array
    """(N,) rising."""
    values: Array
    """(N,) as logged."""
    smoothed: Array
    """(N,) averaged; the values themselves where nothing is averaged."""


@dataclass(frozen=True)
class Question:
    """What is asked of a table."""

    metric: str
    axis: XAxis
    steps_per_epoch: float
    weight: float
    """Of the moving average; 0 for none."""
    window: tuple[float, float] | None
    """Range of x; None for all."""


def points(table: Table, question: Question) -> Points:
    """The values of a scalar within the window and one beyond each end of it."""
    if question.metric not in table.columns:
        return _joined()
    for _ in prepare(table, question):
        pass
    kept = table.memo[question]
    assert isinstance(kept, _Kept), kept
    return kept.points


def prepare(table: Table, question: Question) -> Iterator[None]:
    """Compute what `points` returns, in steps of a few milliseconds."""
    if question.metric not in table.columns:
        return
    kept = table.memo.get(question)
    old = kept if isinstance(kept, _Kept) and kept.num_rows <= table.num_rows else None
    if old is not None and old.num_rows == table.num_rows:
        return
    if question.window is None:
        new = (yield from _extended(table, question, old)) or _whole(table, question)
    else:
        new = _windowed(table, question, *question.window)
    table.memo.pop(question, None)
    table.memo[question] = new
    _forget_old(table, question)


def extent(table: Table, axis: XAxis, *, steps_per_epoch: float) -> tuple[float, float] | None:
    """First and last x of the rows; None where no row has one."""
    key = (axis, steps_per_epoch)
    kept = table.memo.get(key)
    old = kept if isinstance(kept, _Ends) and kept.num_rows <= table.num_rows else _Ends(0, None)
    if old.num_rows < table.num_rows:
        x = table.x(axis, steps_per_epoch=steps_per_epoch, rows=slice(old.num_rows, None))
        x = x[np.isfinite(x)]
        ends = [*(old.ends or ()), *((float(x.min()), float(x.max())) if x.size else ())]
        old = _Ends(table.num_rows, (min(ends), max(ends)) if ends else None)
        table.memo[key] = old
    return old.ends


@dataclass(frozen=True)
class _Ends:
    """First and last x of the first `num_rows` rows."""

    num_rows: int
    ends: tuple[float, float] | None


@dataclass(frozen=True)
class _Kept:
    """Points of the first `num_rows` rows; those of `done_rows` of them will not change."""

    num_rows: int
    points: Points
    chunk: int = 0
    done_rows: int = 0
    num_done: int = 0
    """How many of the points those are."""


def _extended(
    table: Table, question: Question, old: _Kept | None
) -> Generator[None, None, _Kept | None]:
    """Points with those of the new rows; None where x falls, as after a clock was set back."""
    chunk = _chunk(table.num_rows)
    parts, first = [], 0
    if old is not None and (old.chunk > 1 or chunk == 1):
        parts, first = [_coarser(old, chunk)], old.done_rows
    done_rows = max(0, table.num_rows - 1) // chunk * chunk
    while first < done_rows:
        last = min(done_rows, first + max(1, _ROWS_AT_ONCE // chunk) * chunk)
        settled = _averaged(table, question, first, last)
        if np.any(np.diff(settled.x) < 0):
            return None
        parts.append(_thinned(settled, chunk))
        first = last
        yield
    num_done = sum(part.x.size for part in parts)
    joined = _joined(*parts, _averaged(table, question, first, table.num_rows))
    if np.any(np.diff(joined.x) < 0):
        return None
    return _Kept(table.num_rows, joined, chunk, first, num_done)


def _coarser(old: _Kept, chunk: int) -> Points:
    """The points that will not change, for chunks of this length."""
    done = slice(old.num_done)
    part = Points(old.points.x[done], old.points.values[done], old.points.smoothed[done])
    length = old.chunk
    while length < chunk:
        part = _thinned(part, _COARSER) if length >= _FEWEST else part
        length *= 2
    return part


def _averaged(table: Table, question: Question, first: int, last: int) -> Points:
    """The values of rows first .. last, averaged with all before them that still count."""
    start = _row_before(table, question, first)
    x, values = _series(table, question, slice(first, last))
    if question.weight <= 0:
        return Points(x, values, values)
    _, with_memory = _series(table, question, slice(start, last))
    smoothed = smooth(with_memory, question.weight)
    return Points(x, values, smoothed[smoothed.size - x.size :])


def _row_before(table: Table, question: Question, first: int) -> int:
    """The row from which on an average of row `first` has to be computed."""
    needed = memory(question.weight)
    span = needed
    while span < first:
        _, values = _series(table, question, slice(first - span, first))
        if np.isfinite(values).sum() >= needed:
            return first - span
        span *= 4
    return 0


def _series(table: Table, question: Question, rows: slice) -> tuple[Array, Array]:
    """Places and values in the order of the rows."""
    column = table.columns[question.metric]
    x = table.x(question.axis, steps_per_epoch=question.steps_per_epoch, rows=rows)
    known = column.present[rows] & np.isfinite(x)
    return x[known], column.values[rows][known].astype(np.float64)


def _windowed(table: Table, question: Question, low: float, high: float) -> _Kept:
    """Points from the last value before `low` to the first one after `high`."""
    x = table.x(question.axis, steps_per_epoch=question.steps_per_epoch)
    if not bool(np.all(np.diff(x) >= 0)):  # a fall, or a row that does not say
        whole = _whole(table, question).points
        inside = slice(*_bounds(whole.x, low, high))
        part = Points(whole.x[inside], whole.values[inside], whole.smoothed[inside])
    else:
        rows = np.flatnonzero(table.columns[question.metric].present)
        first, end = _bounds(x[rows], low, high)
        if first >= end:
            return _Kept(table.num_rows, _joined())
        part = _averaged(table, question, int(rows[first]), int(rows[end - 1]) + 1)
    return _Kept(table.num_rows, _thinned(part, _chunk(part.x.size)))


def _bounds(x: Array, low: float, high: float) -> tuple[int, int]:
    """The range of places within low .. high and one beyond each end."""
    first = max(0, int(np.searchsorted(x, low)) - 1)
    return first, min(x.size, int(np.searchsorted(x, high, side="right")) + 1)


def _whole(table: Table, question: Question) -> _Kept:
    """Points where x does not rise with the rows: all are put in order first."""
    x, values = table.series(
        question.metric, question.axis, steps_per_epoch=question.steps_per_epoch
    )
    smoothed = smooth(values, question.weight) if question.weight > 0 else values
    thin = Points(x, values, smoothed)
    return _Kept(table.num_rows, _thinned(thin, _chunk(x.size)) if not question.window else thin)


def _chunk(count: int) -> int:
    """How many rows are thinned together, a power of two; 1 where nothing is left out."""
    return 1 if count <= MOST_POINTS else 1 << (count // _CHUNKS).bit_length() - 1


def _thinned(part: Points, chunk: int) -> Points:
    """Of each chunk the lowest and highest values, raw and averaged, and one not finite."""
    count = part.x.size
    if chunk <= _FEWEST or count <= _FEWEST:
        return part
    place = np.arange(-(-count // chunk) * chunk).clip(max=count - 1).reshape(-1, chunk)
    found = []
    for values in (part.values, part.smoothed):
        grid = values[place]
        finite = np.isfinite(grid)
        found.append(np.where(finite, grid, np.inf).argmin(axis=1))
        found.append(np.where(finite, grid, -np.inf).argmax(axis=1))
        if not finite.all():
            found.append(finite.argmin(axis=1))
    chosen = np.unique(np.concatenate([place[np.arange(len(place)), index] for index in found]))
    return Points(part.x[chosen], part.values[chosen], part.smoothed[chosen])


def _joined(*parts: Points) -> Points:
    filled = [part for part in parts if part.x.size]
    if len(filled) == 1:
        return filled[0]
    empty = (np.empty(0),)
    return Points(
        np.concatenate([part.x for part in filled] or empty),
        np.concatenate([part.values for part in filled] or empty),
        np.concatenate([part.smoothed for part in filled] or empty),
    )


def _forget_old(table: Table, question: Question) -> None:
    """Keep what is looked at, and what was before it: every way of looking costs memory."""
    alike = [
        other
        for other in table.memo
        if isinstance(other, Question) and other.metric == question.metric
    ]
    whole = [other for other in alike if other.window is None]
    for other in alike:
        if other not in whole[-2:] and other != question:
            del table.memo[other]
