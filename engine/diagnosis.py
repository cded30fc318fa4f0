"""Why a step was not finite, and what to do; worked out only after it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from codecctl.datasets.batch import Batch
from codecctl.engine.finite import spoiled_tensors
from codecctl.engine.recipes.base import Recipe
from codecctl.errors import CodecctlError

_SHOWN = 3
_GO_ON = "continue from the last checkpoint with --resume"


@dataclass(frozen=True)
class Cause:
    """What made a step not finite."""

    what: str
    """Empty where nothing else is known than what the step showed."""
    remedy: str
    lasting: bool = False
    """Whether every later step would be the same."""


class Diagnosis:
    """Looks at the state first, then at the batch, then at the losses.

    The batch of a step is a function of the seed and the step, so that it can be looked at again
    long after it was overwritten.

    Args:
        recipe: Being trained.
        batch_at: The batch of the step after so many updates.
        store: Name of the store.
        precision: `trainer.precision`.
    """

    def __init__(
        self,
        recipe: Recipe,
        batch_at: Callable[[int], Batch],
        *,
        store: str,
        precision: str,
    ) -> None:
        self._recipe = recipe
        self._batch_at = batch_at
        self._store = store
        self._precision = precision

    def __call__(self, step: int, names: Sequence[str]) -> Cause:
        """The cause of a step, counted from 1, whose scalars of these names are not finite."""
        spoiled = spoiled_tensors(self._recipe.state_dict(), self._recipe.modules())
        if spoiled:
            return Cause(
                f"{_listed([each.name for each in spoiled])} is not finite",
                f"what is in memory is lost: {_GO_ON}; if it comes back, {self._milder()}",
                lasting=True,
            )
        bad: list[str] = []
        with suppress(CodecctlError):  # what cannot be read again must not hide what happened
            bad = bad_items(self._batch_at(step - 1))
        if bad:
            return Cause(
                f"the batch holds values that are not finite: {_listed(bad)}",
                f"run: codecctl data check {self._store}; leave the recording out in another run, "
                f"or skip such steps with trainer.terminate_on_nan=false and {_GO_ON}",
            )
        of_gradients = all(name.startswith("grad_norm/") for name in names)
        what = "the losses, the weights and the batch are finite, so that the gradient overflowed"
        return Cause(
            what if of_gradients else "weights and batch are finite, so that this term overflowed",
            f"{self._milder()} and {_GO_ON}; trainer.detect_anomaly=true names the operation",
        )

    def _milder(self) -> str:
        milder = "lower trainer.optimizer.config.lr or set trainer.gradient_clip_val=1.0"
        if self._precision == "16-mixed":
            return f"set trainer.precision=bf16-mixed or 32-true, or {milder}"
        return milder


def bad_items(batch: Batch) -> list[str]:
    """Items with values that are not finite: recording, second and channels of each."""
    fine = np.isfinite(batch.audio).all(2)  # (B, M)
    found: list[str] = []
    for item, row in zip(batch.items, fine, strict=True):
        channels = [str(item.channels[place]) for place in np.flatnonzero(~row)]
        if channels:
            second = item.start / batch.sample_rate
            found.append(
                f"{item.recording} from second {second:.2f}, channels {', '.join(channels)}"
            )
    return found


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return "; ".join(names[:_SHOWN]) + more
