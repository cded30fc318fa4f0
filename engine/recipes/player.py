"""A network with what moves it: one side of an adversarial game."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from torch import Tensor, nn
from torch.optim import Optimizer

from codecctl.engine.recipes.base import Runtime, State
from codecctl.engine.schedules import Schedule


class Player:
    """Network, optimizer and learning rate of one side.

    Args:
        network: As built, on the CPU; it is moved to the runtime's device.
        optimizer: Of the network's parameters.
        schedule: Factor on the optimizer's learning rate.
        max_norm: Largest norm of the gradient; 0: no limit.
        runtime: Runs it.
    """

    def __init__(
        self,
        network: nn.Module,
        optimizer: Optimizer,
        *,
        schedule: Schedule,
        max_norm: float,
        runtime: Runtime,
    ) -> None:
        self.network = network
        self._base_rate = float(optimizer.param_groups[0]["lr"])
        self._schedule = schedule
        self._max_norm = max_norm
        self._runtime = runtime
        self.wrapped, self._optimizer = runtime.setup(network, optimizer)

    def rate_at(self, step: int) -> float:
        """Learning rate of a step."""
        return self._base_rate * self._schedule(step)

    def backward(self, loss: Tensor) -> None:
        """Add the gradient of a loss to what the next move descends."""
        self._runtime.backward(loss)

    def move(self, step: int) -> Tensor:
        """Descend once what was gathered; returns the norm of it before clipping, 0-d."""
        norm = self._runtime.clip(self.wrapped, self._optimizer, self._max_norm)
        for group in self._optimizer.param_groups:
            group["lr"] = self.rate_at(step)
        self._optimizer.step()
        # Not kept until the next update, which may be far: they are as large as the network.
        self._optimizer.zero_grad(set_to_none=True)
        return norm

    def state_dict(self) -> State:
        """Weights, buffers and the optimizer's averages."""
        return {"network": self.network.state_dict(), "optimizer": self._optimizer.state_dict()}

    def load_state_dict(self, state: State) -> None:
        """Take up the state of the same network and optimizer."""
        self.network.load_state_dict(cast(Mapping[str, Tensor], state["network"]))
        self._optimizer.load_state_dict(cast(State, state["optimizer"]))
