"""A learning rate that falls when the validation has stopped to get better."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass


@dataclass
class Seen:
    """What was observed so far."""

    factor: float = 1.0
    best: float = math.inf
    bad: int = 0
    """Observations without a better one, since the last fall."""
    cooldown: int = 0
    """Observations that do not count yet."""


class Plateau:
    """Factor on a learning rate, as torch's ReduceLROnPlateau counts.

    It is multiplied by `decay` after more than `patience` observations in a row that were not
    better than the best by a share of it.

    Args:
        decay: In (0, 1).
        patience: Observations that are waited for.
        threshold: Share of the best by which a smaller value has to be smaller.
        cooldown: Observations after a fall that do not count.
        least: Lowest factor.
    """

    def __init__(
        self, *, decay: float, patience: int, threshold: float, cooldown: int, least: float
    ) -> None:
        self._decay = decay
        self._patience = patience
        self._threshold = threshold
        self._cooldown = cooldown
        self._least = least
        self.seen = Seen()

    def __call__(self, _step: int) -> float:
        """The factor now, whatever the step."""
        return self.seen.factor

    def observe(self, value: float) -> None:
        """Take a validation into account; smaller is better, and no number is worse than any."""
        seen = self.seen
        better = value < seen.best - abs(seen.best) * self._threshold
        if better or (seen.best == math.inf and math.isfinite(value)):
            seen.best, seen.bad = value, 0
        else:
            seen.bad += 1
        if seen.cooldown:
            seen.cooldown -= 1
            seen.bad = 0
        if seen.bad > self._patience:
            seen.factor = max(seen.factor * self._decay, self._least)
            seen.bad, seen.cooldown = 0, self._cooldown

    def state_dict(self) -> dict[str, float]:
        """Everything that was observed."""
        return asdict(self.seen)

    def load_state_dict(self, state: dict[str, float]) -> None:
        """Take up what was observed."""
        self.seen = Seen(
            float(state["factor"]), float(state["best"]), int(state["bad"]), int(state["cooldown"])
        )
