"""Is one checkpoint better than another on the same items: differences, interval, win rate.

Items differ far more from each other than checkpoints do, therefore values are compared item by
item. The test is Wilcoxon's signed-rank test (Wilcoxon 1945, https://doi.org/10.2307/3001968),
exact: the distribution of the rank sum over all signs, with middle ranks for ties and without
pairs that are equal. The interval belongs to the Hodges-Lehmann estimate (Hodges and Lehmann 1963,
https://doi.org/10.1214/aoms/1177704172), the median of the means of all pairs of differences; its
ends are the order statistics that the same distribution gives (Hollander and Wolfe 1999, 3.3).
No normal distribution is assumed anywhere; that of the differences has to be symmetric. Items count
as independent: where many are cut from few recordings, the interval says how sure one may be of
these recordings, not of others.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from codecctl.engine.rows import VALIDATION_KEY, Row, latest_rows, number

Floats = npt.NDArray[np.float64]

ALL_SCENES = ""
_TAIL = 0.025
_SAME = 1e-12


@dataclass(frozen=True)
class Difference:
    """Values of one metric of two checkpoints on the same items, second minus first."""

    metric: str
    scene: str
    """`ALL_SCENES` for all together."""
    count: int
    """Items that both have a finite value of."""
    first: float
    """Mean of the first checkpoint; NaN where there is no item, as below."""
    second: float
    mean: float
    """Of the differences."""
    center: float
    """Hodges-Lehmann estimate of the difference."""
    low: float
    """Lower end of its interval of at least 95 %; minus infinity where items are too few."""
    high: float
    p: float
    """Of differences at least as one-sided, if none of the two were better."""
    wins: int
    """Items on which the second is better."""
    losses: int

    @property
    def win_rate(self) -> float:
        """Share of items on which the second is better, equal ones counting half."""
        equal = self.count - self.wins - self.losses
        return (self.wins + equal / 2) / self.count if self.count else math.nan

    @property
    def is_significant(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0


def item_values(rows: Iterable[Row], step: int) -> dict[str, dict[tuple[str, str], float]]:
    """Values of one validation, from rows of validation.jsonl: metric, (scene, item) -> value."""
    found: dict[str, dict[tuple[str, str], float]] = {}
    for row in latest_rows(
        (row for row in rows if number(row.get("step")) == step), VALIDATION_KEY
    ):
        value, metric, item = number(row.get("value")), row.get("metric"), row.get("item")
        if value is not None and isinstance(metric, str) and item is not None:
            found.setdefault(metric, {})[str(row.get("scene", "")), str(item)] = value
    return found


def compare(
    first: Mapping[str, Mapping[tuple[str, str], float]],
    second: Mapping[str, Mapping[tuple[str, str], float]],
    *,
    higher_better: Mapping[str, bool],
) -> list[Difference]:
    """The differences of all metrics that both have, over all items and by scene.

    Args:
        first: Metric -> (scene, item) -> value, from `item_values`.
        second: Likewise.
        higher_better: For each metric, whether a larger value is the better one.
    """
    found = []
    for metric in sorted(first.keys() & second.keys()):
        common = sorted(first[metric].keys() & second[metric].keys())
        scenes = sorted({scene for scene, _ in common})
        for scene in [ALL_SCENES, *(scenes if scenes != [ALL_SCENES] else [])]:
            keys = [key for key in common if scene in (ALL_SCENES, key[0])]
            pairs = [(first[metric][key], second[metric][key]) for key in keys]
            found.append(difference(metric, scene, pairs, higher_better=higher_better[metric]))
    return found


def difference(
    metric: str, scene: str, pairs: Sequence[tuple[float, float]], *, higher_better: bool
) -> Difference:
    """What pairs of values say, second minus first; pairs that are not finite are left out."""
    table = np.array([pair for pair in pairs if math.isfinite(pair[0] + pair[1])]).reshape(-1, 2)
    change = table[:, 1] - table[:, 0]
    better, worse = change > 0, change < 0
    if not higher_better:
        better, worse = worse, better
    center, low, high = hodges_lehmann(change)
    count = len(change)
    return Difference(
        metric=metric,
        scene=scene,
        count=count,
        first=float(table[:, 0].mean()) if count else math.nan,
        second=float(table[:, 1].mean()) if count else math.nan,
        mean=float(change.mean()) if count else math.nan,
        center=center,
        low=low,
        high=high,
        p=signed_rank_p(change),
        wins=int(better.sum()),
        losses=int(worse.sum()),
    )


def signed_rank_p(change: Floats) -> float:
    """Two-sided p of Wilcoxon's signed-rank test, exact also with ties; 1 without differences.

    Args:
        change: (N,) differences; zeros are left out.
    """
    change = change[np.abs(change) > 0]
    if not change.size:
        return 1.0
    doubled = np.rint(2 * _middle_ranks(np.abs(change))).astype(np.intp)  # middle ranks are halves
    counts = _rank_sums(doubled)
    positive = int(doubled[change > 0].sum())
    extreme = min(positive, int(doubled.sum()) - positive)
    return min(1.0, 2 * float(counts[: extreme + 1].sum()))


def hodges_lehmann(change: Floats) -> tuple[float, float, float]:
    """The estimate of a difference and its interval of at least 95 %.

    Args:
        change: (N,) differences, zeros included.
    """
    if not change.size:
        return math.nan, -math.inf, math.inf
    first, second = np.triu_indices(change.size)
    means = np.sort((change[first] + change[second]) / 2)
    sums = _rank_sums(2 * np.arange(1, change.size + 1))[::2]
    cut = int((np.cumsum(sums) <= _TAIL * (1 + _SAME)).sum()) - 1
    if cut < 0:
        return float(np.median(means)), -math.inf, math.inf
    return float(np.median(means)), float(means[cut]), float(means[-1 - cut])


def _middle_ranks(values: Floats) -> Floats:
    """Ranks from 1, equal values sharing the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Floats = (last - (counts - 1) / 2)[inverse]
    return ranks


def _rank_sums(doubled: npt.NDArray[np.intp]) -> Floats:
    """The chance of each sum of ranks when every sign is as likely as the other.

    Args:
        doubled: Twice each rank.

    Returns:
        (sum + 1,), by twice the sum.
    """
    chances = np.zeros(int(doubled.sum()) + 1)
    chances[0] = 1.0
    for rank in doubled.tolist():
        shifted = np.zeros_like(chances)
        shifted[rank:] = chances[: chances.size - rank]
        chances = (chances + shifted) / 2
    return chances
