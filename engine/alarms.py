"""Warnings about a training that goes on but will not become what was asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping

from codecctl.engine.rundir import RunDirectory

COLLAPSED_BELOW = 0.1
"""Share of a codebook's entries that the validation items use."""

_USAGE = re.compile(r"val/codebook/(\d+)/usage")


class Alarms:
    """Looks at rows and writes a warning event for each thing that goes wrong, once.

    Args:
        run: Takes the events.
    """

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self._raised: set[str] = set()

    def look(self, step: int, values: Mapping[str, float]) -> None:
        """Look at a row.

        Args:
            step: Updates done; before the first one nothing is learned and nothing is wrong.
            values: Scalars by name.
        """
        for name, value in values.items():
            found = _USAGE.fullmatch(name)
            if step == 0 or found is None:
                continue
            if value >= COLLAPSED_BELOW:
                self._raised.discard(name)
            elif name not in self._raised:
                self._raised.add(name)
                self._run.event(
                    "warning",
                    step,
                    f"codebook {found[1]} uses {100 * value:.1f} % of its entries: it collapses; "
                    "raise the weight of commitment or lower the learning rate",
                )
