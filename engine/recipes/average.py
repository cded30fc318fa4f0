"""Weights averaged over the steps of a training, beside those that move."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Generic, TypeVar, cast

import torch
from torch import Tensor, nn

from codecctl.engine.recipes.base import State

Network = TypeVar("Network", bound=nn.Module)


class WeightAverage(Generic[Network]):
    """A second network whose parameters follow the first one's.

    After n updates each parameter is the mean of what it was after each of them, weighted by
    decay^(n - k) for the k-th: the weights of the beginning have no part in it, so that it is good
    for something from the first steps on. Buffers, codebooks among them, are those of the first
    network: they are averages of their own.

    Args:
        network: On its device. It is copied and never changed.
        decay: In [0, 1); 0 repeats the last weights.
        average: The second network of an earlier average, which goes on; None: a copy.
    """

    def __init__(self, network: Network, *, decay: float, average: Network | None = None) -> None:
        self._followed = network
        self._decay = decay
        copied = copy.deepcopy(network) if average is None else average
        self.network = copied.requires_grad_(False)
        device = next(network.parameters()).device
        # Sum of decay^(n - k) over the updates made, of which the newest counts 1.
        self._total = torch.zeros((), dtype=torch.float64, device=device)

    @torch.no_grad()
    def restart(self) -> None:
        """Forget everything: the average is what the network is now."""
        self._total = torch.zeros_like(self._total)
        self._take(share=torch.ones_like(self._total))

    @torch.no_grad()
    def follow(self, blocked: Tensor) -> None:
        """Take up the weights after an update.

        Args:
            blocked: Whether the update was left out, 0-d bool: then nothing changes.
        """
        total = self._total * self._decay + 1
        self._take(share=torch.where(blocked, 0.0, 1 / total))
        self._total = torch.where(blocked, self._total, total)

    def _take(self, *, share: Tensor) -> None:
        ours: list[Tensor] = list(self.network.parameters())
        theirs: list[Tensor] = list(self._followed.parameters())
        torch._foreach_lerp_(ours, theirs, [share.to(ours[0].dtype)] * len(ours))
        for copied, buffer in zip(self.network.buffers(), self._followed.buffers(), strict=True):
            copied.copy_(buffer)

    def state_dict(self) -> State:
        """Averaged weights, the buffers, and how much the average holds."""
        return {"network": self.network.state_dict(), "total": self._total}

    def load_state_dict(self, state: State) -> None:
        """Take up an average of the same network."""
        self.network.load_state_dict(cast(Mapping[str, Tensor], state["network"]))
        self._total = cast(Tensor, state["total"]).to(self._total)

    def notes(self) -> tuple[str, ...]:
        """Whose figures the validation shows."""
        return (
            "Validation, previews and the choice of the best checkpoint use the averaged weights "
            f"(trainer.ema.decay {self._decay:g}), which a checkpoint holds in ema.safetensors; "
            "weights.safetensors holds those of its last step.",
        )
