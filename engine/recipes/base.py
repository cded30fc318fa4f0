"""What the loop may ask of a recipe, and what a recipe may ask of the machine it runs on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from codecctl.engine.quantizers import Ranks

Scalars: TypeAlias = dict[str, Tensor]
"""Detached 0-d tensors by name; they stay on the device until a row is written."""

State: TypeAlias = dict[str, object]
"""Tensors, numbers, strings, lists and dicts only, so that it loads with `weights_only`."""


class Runtime(Protocol):
    """Device, precision and the other ranks."""

    @property
    def device(self) -> torch.device:
        """Where networks and batches live."""
        ...

    @property
    def rank(self) -> int:
        """Which of the ranks this process is."""
        ...

    @property
    def world_size(self) -> int:
        """Ranks that share a global batch."""
        ...

    @property
    def sharded(self) -> bool:
        """Whether each rank holds but its part of the moments, and maybe of the weights."""
        ...

    @property
    def scales_losses(self) -> bool:
        """Whether gradients pass through float16, where they vanish unless losses are scaled."""
        ...

    def setup(self, module: nn.Module, optimizer: Optimizer) -> tuple[nn.Module, Optimizer]:
        """Move a network to the device and wrap it and its optimizer for the strategy."""
        ...

    def autocast(self) -> AbstractContextManager[object]:
        """Precision of the networks; losses, balancer and quantizer leave it."""
        ...

    def backward(self, loss: Tensor) -> None:
        """Accumulate the gradients of this rank."""
        ...

    def average_gradients(self, module: nn.Module) -> None:
        """Make what `backward` gathered the mean over the ranks, in one message."""
        ...

    def clip(
        self, module: nn.Module, optimizer: Optimizer, limit: float, *, by_value: bool = False
    ) -> Tensor:
        """Scale gradients down to a norm, or bound their values (0 = leave them).

        Returns:
            The norm found, 0-d.
        """
        ...

    def all_reduce_(self, tensor: Tensor) -> None:
        """Sum a tensor over the ranks, in place."""
        ...


def ranks_of(runtime: Runtime) -> Ranks:
    """The processes that code a global batch, for a quantizer."""
    return Ranks(rank=runtime.rank, world_size=runtime.world_size, all_reduce_=runtime.all_reduce_)


def mean_over_ranks(values: Tensor, runtime: Runtime) -> Tensor:
    """The mean over all ranks; each of them calls with values of one shape."""
    if runtime.world_size == 1:
        return values
    total = values.clone()
    runtime.all_reduce_(total)
    return total / runtime.world_size


@dataclass(frozen=True)
class Evaluation:
    """What one validation batch shows; no audio, as a pass over thousands of items keeps all."""

    metrics: Mapping[str, Tensor]
    """(B,) each, on the device; names as in a row without the leading `val/`."""
    codes: Tensor
    """(B, M, K, F) int64; K = 0 where the generator has no quantizer."""


class Recipe(Protocol):
    """One way of training; the loop knows this and no mode."""

    def modules(self) -> Mapping[str, nn.Module]:
        """Networks by role: `generator`, which holds the quantizer, and what is used beside it.

        `discriminator`; `average`, a generator of averaged weights, which validation and previews
        are of; `classifier`, which tells capsules.
        """
        ...

    def initialize(self, batches: Iterator[Tensor]) -> None:
        """Fit what needs data before step 0 of a fresh run; every rank passes the same batches.

        Args:
            batches: (B, M, T) on the device; read only as far as needed.
        """
        ...

    def train_step(self, audio: Tensor, step: int, channels: Tensor | None = None) -> Scalars:
        """Update everything once.

        Args:
            audio: (B, M, T) on the device.
            step: Updates done so far; with the seed it decides all that is random here.
            channels: Which channel of its recording each row is, (B, M) int64 on the device;
                only what learns to tell capsules needs it.
        """
        ...

    @property
    def items_at_once(self) -> int:
        """Items that go through the networks together; 0: the whole batch."""
        ...

    def shrink(self, batch_size: int) -> int:
        """Take back a `train_step` that did not come to its end, and use less memory from now on.

        Args:
            batch_size: Items of the step.

        Returns:
            Items that go through the networks together from now on; 0: no fewer can.
        """
        ...

    def evaluate(self, audio: Tensor, channels: Tensor | None = None) -> Evaluation:
        """Measure a batch (B, M, T) of channels (B, M) in evaluation mode; nothing changes."""
        ...

    def aggregate(self, evaluations: Sequence[Evaluation]) -> Scalars:
        """Means over all items, and what only the whole set shows; names begin with `val/`."""
        ...

    def observe(self, value: float) -> None:
        """Take up what a validation measured; smaller is better. Some learning rates follow it."""
        ...

    def reconstruct(self, audio: Tensor) -> Tensor:
        """Decode what was coded, (B, M, T) to (B, M, T)."""
        ...

    def state_dict(self) -> State:
        """Everything that training has changed; with the step it continues bit for bit."""
        ...

    def load_state_dict(self, state: State) -> None:
        """Take up a state of the same recipe."""
        ...

    def notes(self) -> tuple[str, ...]:
        """Sentences that help to read the scalars, for the run's log."""
        ...
