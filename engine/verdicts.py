"""Whether a run behaves as its document says it should: a trend and a verdict for each claim.

The trend of a metric is Theil's and Sen's: the median of the slopes between all pairs of values
(Sen 1968, https://doi.org/10.1080/01621459.1968.10480934), so that a few wild values do not
decide. Its 95 % interval comes from the exact distribution of Kendall's statistic. Rows of a
training depend on their neighbours; therefore long series are first averaged to 24 blocks, and
from 10 values on the interval is widened by what is left of the correlation between neighbours
(Yue and Wang 2004: variance times (1 + r) / (1 - r)). Less than five values decide nothing.

A slope is one over the whole run, though a training is steep first and flat later: the sign of
its interval is the verdict, not its size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codecctl.engine.rows import Row, number, plain

Floats = npt.NDArray[np.float64]

AS_EXPECTED = "as expected"
NOT_AS_EXPECTED = "not as expected"
UNDECIDED = "undecided"

LEAST_VALUES = 5
"""With four values in order, chance alone would decide in one of twelve runs."""
_MOST_BLOCKS = 24
_CORRELATED_FROM = 10
_TAIL = 0.025
_LARGEST_CORRELATION = 0.9
_PER_STEPS = 1000


@dataclass(frozen=True)
class Trend:
    """How a series moves over a run."""

    slope: float
    """Change in 1000 steps."""
    low: float
    """Lower end of its 95 % interval; minus infinity where the values are too few."""
    high: float
    count: int
    """Values of the series."""
    first: float
    """Its first value, or the mean of the first block."""
    last: float


@dataclass(frozen=True)
class Expectation:
    """A claim about a metric."""

    claim: str
    metric: str
    split: str
    """Rows that it is read from: "train" or "val"."""
    rises: bool
    remark: str = ""
    """What a reader of the verdict should know."""


@dataclass(frozen=True)
class Verdict:
    """What a run says of an expectation."""

    expectation: Expectation
    trend: Trend | None
    """None where there are less than two values."""
    word: str
    """`AS_EXPECTED`, `NOT_AS_EXPECTED` or `UNDECIDED`."""

    @property
    def num_values(self) -> int:
        """How often the metric was measured."""
        return 0 if self.trend is None else self.trend.count

    @property
    def text(self) -> str:
        """One line."""
        of = self.expectation
        line = f"{of.claim}: {self.word}: {of.metric} {self._facts()}"
        return f"{line} ({of.remark})" if of.remark else line

    def row(self) -> Row:
        """The verdict as extras of an event."""
        of, trend = self.expectation, self.trend
        row: Row = {
            "claim": of.claim,
            "metric": of.metric,
            "split": of.split,
            "expected": "rises" if of.rises else "falls",
            "verdict": self.word,
        }
        if trend is not None:
            row |= {"slope": trend.slope, "low": trend.low, "high": trend.high}
            row |= {"values": trend.count, "first": trend.first, "last": trend.last}
        return {name: plain(value) for name, value in row.items()}

    def _facts(self) -> str:
        trend = self.trend
        if trend is None or trend.count < LEAST_VALUES:
            return f"has {self.num_values} values, needed {LEAST_VALUES}"
        change = f"{trend.first:.4g} -> {trend.last:.4g}, slope {trend.slope:+.3g} in {_PER_STEPS}"
        if not (math.isfinite(trend.low) and math.isfinite(trend.high)):
            return f"{change} steps, too few values for an interval"
        return f"{change} steps, 95 % {trend.low:+.3g} to {trend.high:+.3g}"


EXPECTATIONS: dict[str, tuple[Expectation, ...]] = {
    "paired": (
        Expectation(
            "first token is similar for the same content", "val/code_agreement", "val", rises=True
        ),
        Expectation(
            "first token is similar beyond chance",
            "val/code_agreement/above_chance",
            "val",
            rises=True,
            remark="a collapsed codebook always agrees, by chance",
        ),
        Expectation(
            "second token differs between channels", "val/second_code_difference", "val", rises=True
        ),
        Expectation(
            "second token tells the channel",
            "val/array/probe/second",
            "val",
            rises=True,
            remark="accuracy of a linear probe over all 32 capsules",
        ),
        Expectation("first channel is reconstructed well", "val/mel/capsule1", "val", rises=False),
        Expectation("second channel is reconstructed well", "val/mel/capsule2", "val", rises=False),
        Expectation("similarity loss decreases", "loss/similarity", "train", rises=False),
        Expectation(
            "diversity loss becomes less negative",
            "loss/diversity",
            "train",
            rises=True,
            remark="the loss itself asks for more negative values",
        ),
    ),
}
"""What the document of a mode says under Expected Behavior, in its order."""


def verdict_lines(verdicts: Sequence[Verdict]) -> list[str]:
    """A line for each verdict; one for all that have too few values to be one."""
    early = [each for each in verdicts if each.num_values < LEAST_VALUES]
    lines = [each.text for each in verdicts if each.num_values >= LEAST_VALUES]
    if early:
        most = max(each.num_values for each in early)
        claims = "; ".join(each.expectation.claim for each in early)
        lines.append(f"too early to judge ({most} values, needed {LEAST_VALUES}): {claims}")
    return lines


def judge(rows: Iterable[Row], *, mode: str) -> tuple[Verdict, ...]:
    """A verdict on each expectation of a mode.

    Args:
        rows: Of metrics.jsonl, by rising step, each step of a split once.
        mode: Of the run; a mode without expectations gets no verdict.
    """
    rows = list(rows)
    verdicts = []
    for expectation in EXPECTATIONS.get(mode, ()):
        series = _series(rows, expectation)
        found = trend([step for step, _ in series], [value for _, value in series])
        verdicts.append(Verdict(expectation, found, _word(found, rises=expectation.rises)))
    return tuple(verdicts)


def trend(steps: Sequence[float], values: Sequence[float]) -> Trend | None:
    """The trend of a series; None where it has less than two values.

    Args:
        steps: Rising, each once.
        values: Finite.
    """
    if len(values) < 2:
        return None
    x, y = _block_means(np.array(steps, np.float64)), _block_means(np.array(values, np.float64))
    first, second = np.triu_indices(len(x), 1)
    slopes = np.sort((y[second] - y[first]) / (x[second] - x[first]))
    slope = float(np.median(slopes))
    cut = _cut(len(x)) if slopes[0] != slopes[-1] else 0
    if cut >= 0 and len(x) >= _CORRELATED_FROM:
        spread = math.sqrt(_inflation(y - slope * x))
        cut = math.floor(len(slopes) / 2 - (len(slopes) / 2 - cut) * spread)
    bounded = cut >= 0 and len(x) >= LEAST_VALUES
    return Trend(
        slope=_PER_STEPS * slope,
        low=_PER_STEPS * float(slopes[cut]) if bounded else -math.inf,
        high=_PER_STEPS * float(slopes[-1 - cut]) if bounded else math.inf,
        count=len(values),
        first=float(y[0]),
        last=float(y[-1]),
    )


def _series(rows: Sequence[Row], expectation: Expectation) -> list[tuple[float, float]]:
    found = []
    for row in rows:
        step, value = number(row.get("step")), number(row.get(expectation.metric))
        if row.get("split") != expectation.split or step is None or value is None:
            continue
        if math.isfinite(step) and math.isfinite(value):
            found.append((step, value))
    return found


def _word(found: Trend | None, *, rises: bool) -> str:
    if found is None or found.low <= 0 <= found.high:
        return UNDECIDED
    return AS_EXPECTED if (found.low > 0) == rises else NOT_AS_EXPECTED


def _block_means(values: Floats) -> Floats:
    if len(values) <= _MOST_BLOCKS:
        return values
    return np.array([block.mean() for block in np.array_split(values, _MOST_BLOCKS)])


def _cut(count: int) -> int:
    """Slopes beyond each end of the interval, -1 where not even all of them reach 95 %.

    The true slope has D slopes below it with the chance that a random order of `count` values has
    D inversions; the interval leaves out as many at each end as D reaches in 2.5 %.
    """
    orders = np.ones(1)
    for size in range(2, count + 1):
        orders = np.convolve(orders, np.full(size, 1 / size))
    return int((np.cumsum(orders) <= _TAIL).sum()) - 1


def _inflation(residuals: Floats) -> float:
    """Variance of a trend relative to that of values without correlation, at least 1."""
    centered = residuals - residuals.mean()
    power = float(centered @ centered)
    if power == 0:
        return 1.0
    correlation = float(centered[1:] @ centered[:-1]) / power
    limited = min(max(correlation, 0.0), _LARGEST_CORRELATION)
    return (1 + limited) / (1 - limited)
