"""Turns views of runs into the curves of a chart."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from codecctl.dashboard.axis import XAxis, widen_x
from codecctl.dashboard.plot import Curve, View
from codecctl.dashboard.table import Table
from codecctl.dashboard.thinning import Question, extent, points, prepare
from codecctl.dashboard.views import RunView, metric_rank
from codecctl.engine.references import Reference
from codecctl.engine.stages import Stage


@dataclass(frozen=True)
class Source:
    """A run to draw: where its scalars come from, and how it is told apart."""

    train: Table
    validation: Table
    steps_per_epoch: float
    color: int
    letter: str = ""
    name: str = ""
    stages: tuple[Stage, ...] = ()
    """Parts of its training."""
    references: tuple[Reference, ...] = ()
    """What its scalars are read against."""

    def metrics(self) -> set[str]:
        """Names of all scalars."""
        return set(self.train.columns) | set(self.validation.columns)

    def curve(self, metric: str, view: View) -> Curve | None:
        """The curve of a scalar; None if the run has none of this name.

        Measurements of a validation are few, and are never smoothed.
        """
        table, question = self._asked(metric, view)
        found = points(table, question)
        if not found.x.size:
            return None
        smoothed = found.smoothed if question.weight > 0 else None
        marks = self._hand_overs(view.axis)
        levels = tuple((each.value, each.name) for each in self.references if each.metric == metric)
        return Curve(found.x, found.values, smoothed, self.color, self.letter, marks, levels)

    def preparing(self, metric: str, view: View) -> Iterator[None]:
        """What `curve` computes, in steps; afterwards `curve` finds it done."""
        return prepare(*self._asked(metric, view))

    def _asked(self, metric: str, view: View) -> tuple[Table, Question]:
        is_validation = metric in self.validation.columns
        table = self.validation if is_validation else self.train
        weight = 0.0 if is_validation else view.smoothing
        return table, Question(metric, view.axis, self.steps_per_epoch, weight, view.window)

    def _hand_overs(self, axis: XAxis) -> tuple[tuple[float, str], ...]:
        """Where each stage but the first began, so far, and its name."""
        table = self.train
        if not table.num_rows or not self.stages:
            return ()
        steps, x = table.places["step"], table.x(axis, steps_per_epoch=self.steps_per_epoch)
        return tuple(
            (float(np.interp(stage.first_step, steps, x)), stage.name)
            for stage in self.stages[1:]
            if steps[0] <= stage.first_step <= steps[-1]
        )


def run_source(run: RunView, *, color: int, letter: str = "") -> Source:
    """A run's training and validation scalars."""
    return Source(
        run.train,
        run.validation,
        run.steps_per_epoch,
        color,
        letter,
        run.name,
        run.stages,
        run.references,
    )


def all_metrics(sources: Iterable[Source], pattern: str = "") -> list[str]:
    """Names of the scalars of all runs that match a pattern, the most telling first.

    A pattern that is no regular expression (yet: it is being typed) is looked for as text.
    """
    names = {name for source in sources for name in source.metrics()}
    matches = searcher(pattern)
    return sorted((name for name in names if matches(name)), key=metric_rank)


def searcher(pattern: str) -> Callable[[str], re.Match[str] | None]:
    """What looks for a pattern, whatever the case, and for its text while it is no pattern."""
    try:
        return re.compile(pattern, re.IGNORECASE).search
    except re.error:
        return re.compile(re.escape(pattern), re.IGNORECASE).search


def curves_of(metric: str, sources: Sequence[Source], view: View) -> list[Curve]:
    """The curves of one scalar, a run each."""
    curves = (source.curve(metric, view) for source in sources)
    return [curve for curve in curves if curve is not None]


def x_extent(sources: Sequence[Source], axis: XAxis) -> tuple[float, float] | None:
    """First and last x of any scalar of the runs; None when there are none."""
    ends = [
        extent(table, axis, steps_per_epoch=source.steps_per_epoch)
        for source in sources
        for table in (source.train, source.validation)
        if table.num_rows
    ]
    known = [end for end in ends if end is not None]
    if not known:
        return None
    return widen_x(min(low for low, _ in known), max(high for _, high in known), axis=axis)
