"""Watches that losses and gradients are finite; stops a training or goes on, and says why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from codecctl.engine.diagnosis import Cause
from codecctl.engine.recipes.scaling import SMALLEST
from codecctl.errors import CodecctlError

LOSS_PREFIX = "loss/"
NORM_PREFIX = "grad_norm/"
MOST_IN_A_ROW = 100
"""Steps that may be left out one after the other before going on makes no sense."""


class DivergedError(CodecctlError):
    """A loss or a gradient is NaN or infinite."""


def _unknown(step: int, names: Sequence[str]) -> Cause:
    del step, names
    return Cause(
        "",
        "lower trainer.optimizer.config.lr or set trainer.gradient_clip_val=1.0 and continue from "
        "the last checkpoint with --resume",
    )


class FiniteGuard:
    """Looks at every step, but waits for the device only now and then.

    A step that is not finite has moved nothing (`recipes.player`), so that it is not urgent. On a
    CPU each step is checked at once. On a GPU the flags stay on the device and are read every
    `every` steps, before a row, a validation and a checkpoint: a few wasted steps cost less than
    a wait in each. An overflow that a lower loss scale can mend is none of this guard's business.

    Args:
        every: Steps between two readings of the flags.
        explain: Finds the cause of a step, counted from 1, by the scalars that are not finite.
        tolerate: Told the first finding instead of stopping, where the user wants to go on.
    """

    def __init__(
        self,
        every: int,
        *,
        explain: Callable[[int, Sequence[str]], Cause] = _unknown,
        tolerate: Callable[[str], None] | None = None,
    ) -> None:
        self._every = every
        self._explain = explain
        self._tolerate = tolerate
        self._told = False
        self._in_a_row = 0
        self._pending: list[tuple[int, tuple[str, ...], Tensor]] = []

    def watch(self, step: int, scalars: Mapping[str, Tensor]) -> None:
        """Take the scalars of a step.

        Raises:
            DivergedError: A step since the last check was not finite.
        """
        watched = {
            name: value
            for name, value in scalars.items()
            if name.startswith((LOSS_PREFIX, NORM_PREFIX))
        }
        if watched:
            flags = torch.stack([value.float() for value in watched.values()]).isfinite()
            for place, name in enumerate(watched):
                scale = scalars.get(name.replace(NORM_PREFIX, "scale/"))
                if name.startswith(NORM_PREFIX) and scale is not None:
                    flags[place] |= scale > SMALLEST
            self._pending.append((step, tuple(watched), flags))
        if len(self._pending) >= self._every:
            self.check()

    def check(self) -> None:
        """Read what was watched.

        Raises:
            DivergedError: Names the first step, what was not finite, the cause and the remedy.
        """
        pending, self._pending = self._pending, []
        if not pending:
            return
        finite = torch.cat([flags for _, _, flags in pending]).tolist()
        for step, names, _ in pending:
            flags, finite = finite[: len(names)], finite[len(names) :]
            bad = [name for name, good in zip(names, flags, strict=True) if not good]
            self._in_a_row = self._in_a_row + 1 if bad else 0
            # A term of several capsules has a name for each of them.
            bad = [name for name in bad if name.partition("/capsule")[0] not in (set(bad) - {name})]
            if bad:
                # Sums and gradients are named last: they only pass on what a term is.
                bad.sort(key=lambda name: (name.startswith(NORM_PREFIX), name == "loss/total"))
                self._found(step, bad)

    def _found(self, step: int, bad: Sequence[str]) -> None:
        cause = self._explain(step, bad)
        message = f"step {step}: {bad[0]} is not finite (NaN or infinite)"
        if bad[1:]:
            message += f", and so are {', '.join(bad[1:])}"
        if cause.what:
            message += f": {cause.what}"
        if self._in_a_row >= MOST_IN_A_ROW:
            message += f"; no update was made in {self._in_a_row} steps"
        elif self._tolerate is not None and not cause.lasting:
            if not self._told:
                self._tolerate(
                    f"{message}; such updates are left out, as trainer.terminate_on_nan is false, "
                    f"and counted as skipped_updates; {cause.remedy}"
                )
                self._told = True
            return
        raise DivergedError(f"{message}; {cause.remedy}")
