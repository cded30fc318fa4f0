"""The machine a training runs on: device, precision, gradients, other ranks.

With `strategies`, all that uses Lightning Fabric; everything else sees `recipes.base.Runtime`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Literal, TypeAlias, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from codecctl.engine.device_choice import choose_device
from codecctl.engine.fabric import (
    CheckpointIO,
    ClusterEnvironment,
    Fabric,
    FabricPrecision,
    LightningEnvironment,
)
from codecctl.engine.process_group import ProcessGroup
from codecctl.engine.sharding import clip_parts, is_sharded, own_gradients, whole
from codecctl.engine.strategies import fabric_strategy, whole_tensors
from codecctl.engine.strategy import IN_PARTS
from codecctl.engine.zero import ZeroOptimizer
from codecctl.errors import CodecctlError, ProfileError

PRECISIONS = ("32-true", "bf16-mixed", "16-mixed", "bf16-true", "64-true")
Precision = Literal["32-true", "bf16-mixed", "16-mixed", "bf16-true", "64-true"]
_HALVES: dict[Precision, torch.dtype] = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}

_Plugin: TypeAlias = FabricPrecision | ClusterEnvironment | CheckpointIO


class _HalfNetworks(FabricPrecision):
    """Autocast to half precision, and nothing else.

    Fabric's own kind rounds what enters a network as well, here the audio, to 8 or 11 bits; widens
    all that leaves one, here every feature map; refuses the gradients of single terms; and keeps
    one loss scale for all optimizers, of which each here has its own (`recipes.player`).
    """

    def __init__(self, device_type: str, precision: Precision) -> None:
        super().__init__()
        self.precision = precision
        self._device_type = device_type
        self._dtype = _HALVES[precision]

    def forward_context(self) -> AbstractContextManager[object]:
        """Where networks run."""
        return torch.autocast(self._device_type, dtype=self._dtype)


class FabricRuntime:
    """One process on one device, alone or among others.

    Args:
        num_gpus: "auto" takes a GPU if one is usable; 0 is the CPU.
        precision: One of `PRECISIONS`.
        deterministic: Take deterministic forms of operations, and warn of one that has none.
        strict: Stop with an error at such an operation instead.
        group: The processes that share each batch; None: this one has it all.
        strategy: What the processes of the group share, by the names of `trainer.strategy`.

    Attributes:
        scales_losses: Whether gradients pass through float16.
        sharded: Whether moments lie in parts, and with fsdp also networks.

    Raises:
        ProfileError: The precision or the number of GPUs is not supported.
        CodecctlError: A GPU was asked for or allocated, but cannot be used.
    """

    def __init__(
        self,
        num_gpus: int | str,
        *,
        precision: str = "32-true",
        deterministic: bool = False,
        strict: bool = False,
        group: ProcessGroup | None = None,
        strategy: str = "auto",
    ) -> None:
        self._group = group
        self.sharded = strategy in IN_PARTS and group is not None
        self._zero: dict[nn.Module, ZeroOptimizer] = {}
        device = choose_device(num_gpus, group)
        if group is not None and (kind := group.share(device.type)) != device.type:
            raise CodecctlError(
                f"process {group.rank} of {group.world_size}: found {device.type}, process 0 has "
                f"{kind}; set trainer.num_gpus, or take nodes that are alike"
            )
        if deterministic or strict:
            # cuBLAS reads it when it starts; without it, it has no deterministic algorithms.
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(deterministic or strict, warn_only=not strict)
        chosen = _checked_precision(precision)
        half = chosen in _HALVES
        self.scales_losses = chosen == "16-mixed"
        plugins: list[_Plugin] = [_HalfNetworks(device.type, chosen)] if half else []
        if group is None:
            # A job script sets SLURM_NTASKS for its steps; this process is none of them.
            plugins.append(LightningEnvironment())
        self._fabric = Fabric(
            accelerator=device.type,
            devices=1 if device.index is None else [device.index],
            # To Fabric each process is a node of its own: what Slurm lets it see may differ.
            num_nodes=self.world_size,
            strategy=fabric_strategy(strategy, device, group),
            precision=None if half else chosen,
            plugins=plugins,
        )
        self._fabric.launch()

    @property
    def device(self) -> torch.device:
        """Where networks and batches live."""
        return self._fabric.device

    @property
    def device_name(self) -> str:
        """The device in words."""
        if self.device.type == "cuda":
            return torch.cuda.get_device_name(self.device)
        return f"CPU, {torch.get_num_threads()} threads"

    @property
    def world_size(self) -> int:
        """Ranks that share a global batch."""
        return 1 if self._group is None else self._group.world_size

    @property
    def rank(self) -> int:
        """Which of the ranks this process is; 0 writes the run folder."""
        return 0 if self._group is None else self._group.rank

    def setup(self, module: nn.Module, optimizer: Optimizer) -> tuple[nn.Module, Optimizer]:
        """Move a network to the device and wrap it and its optimizer for the strategy."""
        wrapped, wrapped_optimizer = self._fabric.setup(module, optimizer)
        if isinstance(wrapped_optimizer, ZeroOptimizer):
            self._zero[module] = wrapped_optimizer
        return cast(nn.Module, wrapped), cast(Optimizer, wrapped_optimizer)

    def autocast(self) -> AbstractContextManager[object]:
        """Precision of the networks; losses, balancer and quantizer leave it."""
        return self._fabric.autocast()

    def backward(self, loss: Tensor) -> None:
        """Accumulate the gradients of this rank."""
        self._fabric.backward(loss)

    def average_gradients(self, module: nn.Module) -> None:
        """Make what `backward` gathered the mean over the ranks, in one message.

        Which parameters have a gradient follows from the step, so that it is the same everywhere.
        Of a network in parts, the backward itself left each rank the mean of its part.
        """
        if module in self._zero:
            self._zero[module].average()
            return
        if is_sharded(module):
            return
        gradients = [p.grad for p in module.parameters() if p.grad is not None]
        if self.world_size == 1 or not gradients:
            return
        message = torch.cat([gradient.flatten() for gradient in gradients])
        self.all_reduce_(message)
        message /= self.world_size
        parts = torch.split(message, [gradient.numel() for gradient in gradients])
        shaped = [part.view_as(to) for part, to in zip(parts, gradients, strict=True)]
        torch._foreach_copy_(gradients, shaped)

    def clip(
        self, module: nn.Module, optimizer: Optimizer, limit: float, *, by_value: bool = False
    ) -> Tensor:
        """Scale gradients down to a global norm, or bound their values (0 = leave them).

        A norm that is not finite is returned as it is: the loop names the loss that caused it.

        Returns:
            The norm found, 0-d.
        """
        if self.sharded:
            if isinstance(optimizer, ZeroOptimizer):
                parts = optimizer.gradients()
            else:
                parts = own_gradients(module)
            return clip_parts(parts, limit, by_value=by_value, sum_=self.all_reduce_)
        if limit > 0 and not by_value:
            norm = self._fabric.clip_gradients(
                module, optimizer, max_norm=limit, error_if_nonfinite=False
            )
            assert norm is not None, "clipping by norm returns the norm"
            return norm.detach()
        gradients = [p.grad for p in module.parameters() if p.grad is not None]
        found = torch.nn.utils.get_total_norm(gradients).detach()
        if limit > 0:
            torch.nn.utils.clip_grad_value_(module.parameters(), limit)
        return found

    def all_reduce_(self, tensor: Tensor) -> None:
        """Sum a tensor over the ranks, in place."""
        if self._group is not None:
            self._group.sum_(tensor)

    def equalize(self, networks: Sequence[nn.Module]) -> None:
        """Give all ranks the parameters and buffers of the first, to the last bit.

        Of networks in parts, the buffers: each part is on one rank alone.
        """
        if self._group is not None:
            for network in networks:
                self._group.equalize(whole_tensors(network))

    def whole(self, networks: Iterable[nn.Module]) -> AbstractContextManager[None]:
        """Networks with plain weights for a block, which all ranks enter and leave."""
        return whole(networks)


def _checked_precision(precision: str) -> Precision:
    if precision not in PRECISIONS:
        raise ProfileError(
            f"trainer.precision: found {precision}; allowed: {', '.join(PRECISIONS)}"
        )
    return cast(Precision, precision)
