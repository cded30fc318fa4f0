"""A network with what moves it: one side of an adversarial game."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from codecctl.engine.plateau import Plateau
from codecctl.engine.recipes.base import Runtime, Scalars, State
from codecctl.engine.recipes.scaling import LossScale
from codecctl.engine.schedules import Schedule
from codecctl.engine.sharding import gathered, scattered_moments, scattered_weights


class Player:
    """Network, optimizer, learning rate and, in float16, loss scale of one side.

    Gradients that are not finite on any rank move nothing: weights and moments stay as they are.
    A fused optimizer is told by a flag on the device, for which nobody waits; of another one the
    flag is read, which costs nothing on a CPU.

    Args:
        network: As built, on the CPU; it is moved to the runtime's device.
        optimizer: Of the network's parameters.
        schedule: Factor on the optimizer's learning rate.
        max_norm: Largest norm of the gradient; 0: no limit.
        by_value: It bounds each number of the gradient instead.
        runtime: Runs it.

    Attributes:
        blocked: Whether the last move was left out, 0-d bool.
        skipped: Moves left out so far, 0-d.
    """

    def __init__(
        self,
        network: nn.Module,
        optimizer: Optimizer,
        *,
        schedule: Schedule,
        max_norm: float,
        by_value: bool = False,
        runtime: Runtime,
    ) -> None:
        self.network = network
        self._base_rate = float(optimizer.param_groups[0]["lr"])
        self._fused = optimizer.defaults.get("fused")
        self._schedule = schedule
        self._max_norm = max_norm
        self._by_value = by_value
        self._runtime = runtime
        self._plain_optimizer = optimizer
        self.wrapped, self._optimizer = runtime.setup(network, optimizer)
        self._scale = LossScale(runtime.device) if runtime.scales_losses else None
        self.blocked = torch.zeros((), dtype=torch.bool, device=runtime.device)
        self.skipped = torch.zeros((), device=runtime.device)

    @property
    def scale(self) -> Tensor | None:
        """Factor on losses before they go backward, 0-d; None where there is none."""
        return None if self._scale is None else self._scale.value

    def rate_at(self, step: int) -> float:
        """Learning rate of a step."""
        return self._base_rate * self._schedule(step)

    def observe(self, value: float) -> None:
        """Tell a schedule that follows the validation what was measured; smaller is better."""
        if isinstance(self._schedule, Plateau):
            self._schedule.observe(value)

    def backward(self, loss: Tensor) -> None:
        """Add the gradient of a loss to what the next move descends."""
        self._runtime.backward(loss if self._scale is None else loss * self._scale.value)

    def move(self, step: int, *, role: str, spoiled: Tensor) -> Scalars:
        """Descend once what was gathered, unless that is not finite.

        Args:
            step: Updates done so far.
            role: Names this side in the scalars.
            spoiled: Whether the losses say that this must not be, 0-d bool.

        Returns:
            The norm of the gradient before clipping, and the loss scale that it was made with.
        """
        self._runtime.average_gradients(self.network)
        scalars: Scalars = {}
        if self._scale is not None:
            scalars[f"scale/{role}"] = self._scale.value
            grads = [p.grad for p in self.network.parameters() if p.grad is not None]
            self._scale.unscale_(grads)
        norm = self._runtime.clip(
            self.wrapped, self._optimizer, self._max_norm, by_value=self._by_value
        )
        self.blocked = self._on_any_rank(spoiled | ~norm.isfinite())
        for group in self._optimizer.param_groups:
            group["lr"] = self.rate_at(step)
        self._descend()
        # Not kept until the next update, which may be far: they are as large as the network.
        self.forget()
        self.skipped = self.skipped + self.blocked
        if self._scale is not None:
            self._scale.update(self.blocked)
        return {f"grad_norm/{role}": norm, **scalars}

    def forget(self) -> None:
        """Drop what was gathered."""
        self._optimizer.zero_grad(set_to_none=True)

    def state_dict(self) -> State:
        """Weights, buffers, the optimizer's averages, moves left out and the loss scale.

        All of it is whole: where processes hold parts, each of them calls.
        """
        state: State = {
            "network": gathered(dict(self.network.state_dict())),
            "optimizer": gathered(self._optimizer.state_dict()),
            "skipped": self.skipped,
        }
        if self._scale is not None:
            state["scale"] = self._scale.state_dict()
        if isinstance(self._schedule, Plateau):
            state["schedule"] = self._schedule.state_dict()
        return state

    def load_state_dict(self, state: State) -> None:
        """Take up the state of the same network and optimizer; a loss scale only if it has one."""
        weights = cast(Mapping[str, Tensor], state["network"])
        self.network.load_state_dict(scattered_weights(self.network, weights))
        optimizer = cast("dict[str, list[dict[str, object]]]", state["optimizer"])
        moments = cast("Mapping[int, object]", optimizer["state"])
        # Which kernel moves the weights is a matter of this machine, not of the one that saved.
        groups = [
            {**group, "fused": self._fused} if "fused" in group else group
            for group in optimizer["param_groups"]
        ]
        parts = scattered_moments(self._plain_optimizer, moments)
        self._optimizer.load_state_dict({"state": parts, "param_groups": groups})
        self.skipped = cast(Tensor, state["skipped"]).to(self.skipped)
        if self._scale is not None and "scale" in state:
            self._scale.load_state_dict(cast(State, state["scale"]))
        if isinstance(self._schedule, Plateau) and "schedule" in state:
            self._schedule.load_state_dict(cast("dict[str, float]", state["schedule"]))

    def _on_any_rank(self, flag: Tensor) -> Tensor:
        if self._runtime.world_size == 1:
            return flag
        count = flag.float()
        self._runtime.all_reduce_(count)
        return count > 0

    def _descend(self) -> None:
        if self._fused:
            self._plain_optimizer.found_inf = self.blocked.float()  # type: ignore[attr-defined]  # torch's protocol
            self._optimizer.step()
        elif not bool(self.blocked):
            self._optimizer.step()


def rates(players: Mapping[str, Player], step: int, device: torch.device) -> Scalars:
    """Learning rates of a step by role, made on the device instead of copied."""
    return {
        f"lr/{name}": torch.full((), player.rate_at(step), device=device)
        for name, player in players.items()
    }
