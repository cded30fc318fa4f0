"""Stops a training whose losses are not finite, and names the loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from codecctl.errors import CodecctlError

LOSS_PREFIX = "loss/"


class DivergedError(CodecctlError):
    """A loss is NaN or infinite."""


class FiniteGuard:
    """Looks at every loss of every step, but waits for the device only now and then.

    On a CPU each step is checked at once. On a GPU a flag for each loss stays on the device
    and is read every `every` steps, before a row, a validation and a checkpoint: a few wasted
    steps cost less than a wait in each.

    Args:
        every: Steps between two readings of the flags.
        tolerate: Told the first finding instead of stopping, where the user wants to go on.
    """

    def __init__(self, every: int, *, tolerate: Callable[[str], None] | None = None) -> None:
        self._every = every
        self._tolerate = tolerate
        self._told = False
        self._pending: list[tuple[int, tuple[str, ...], Tensor]] = []

    def watch(self, step: int, scalars: Mapping[str, Tensor]) -> None:
        """Take the losses of a step.

        Raises:
            DivergedError: One of the losses since the last check is not finite.
        """
        losses = {name: value for name, value in scalars.items() if name.startswith(LOSS_PREFIX)}
        if losses:
            flags = torch.stack([value.float() for value in losses.values()]).isfinite()
            self._pending.append((step, tuple(losses), flags))
        if len(self._pending) >= self._every:
            self.check()

    def check(self) -> None:
        """Read what was watched.

        Raises:
            DivergedError: Names the first step and the losses that are not finite.
        """
        pending, self._pending = self._pending, []
        if not pending:
            return
        finite = torch.cat([flags for _, _, flags in pending]).tolist()
        for step, names, _ in pending:
            flags, finite = finite[: len(names)], finite[len(names) :]
            bad = [name for name, good in zip(names, flags, strict=True) if not good]
            if bad:
                # Sums are named last: they only pass on what a term of theirs is.
                bad.sort(key=lambda name: name == "loss/total")
                self._found(
                    f"step {step}: {bad[0]} is not finite (NaN or infinite)"
                    + (f", and so are {', '.join(bad[1:])}" if bad[1:] else "")
                )

    def _found(self, message: str) -> None:
        if self._tolerate is None:
            raise DivergedError(
                f"{message}; lower the learning rate or set trainer.gradient_clip_val=1.0 and "
                "continue from the last checkpoint with --resume"
            )
        if not self._told:
            self._tolerate(f"{message}; going on, as trainer.terminate_on_nan is false")
            self._told = True
