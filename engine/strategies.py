"""How the processes of one training share it, in the terms of Fabric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from codecctl.engine.fabric import DDPStrategy, TorchElasticEnvironment
from codecctl.engine.process_group import ProcessGroup
from codecctl.engine.sharding import is_part, is_sharded, shard

if TYPE_CHECKING:
    from torch.optim.lr_scheduler import _LRScheduler


class _Placed(TorchElasticEnvironment):
    """The place of a process as its group knows it: one that is alone was given no variables."""

    def __init__(self, group: ProcessGroup) -> None:
        super().__init__()
        self._group = group

    def world_size(self) -> int:
        """How many processes there are."""
        return self._group.world_size

    def global_rank(self) -> int:
        """Which of them this is."""
        return self._group.rank

    def local_rank(self) -> int:
        """Which of those of this node."""
        return self._group.local_rank


class OneMessage(DDPStrategy):
    """Data-parallel processes whose gradients are averaged in one message for each update.

    torch's own wrapper sends buckets of gradients during the backward that follows a forward, and
    demands that each forward is followed by one that reaches every weight. Here discriminators
    judge without learning, portions of a batch add up before anything is sent, and codebooks may
    have no gradient; so networks stay as they are, and `FabricRuntime.average_gradients` sends.

    Args:
        device: Of this process.
        group: All of them.
    """

    def __init__(self, device: torch.device, group: ProcessGroup) -> None:
        super().__init__(cluster_environment=_Placed(group))
        self._device = device
        self._group = group

    @property
    def root_device(self) -> torch.device:
        """That of this process, whatever the others on the node have."""
        return self._device

    def setup_module(self, module: nn.Module) -> nn.Module:  # type: ignore[override]  # no wrapper
        """The network itself."""
        return module


class _Shards(OneMessage):
    """Data-parallel processes that hold parts of the weights between updates (`sharding`)."""

    def setup_module_and_optimizers(
        self, module: nn.Module, optimizers: list[Optimizer], scheduler: _LRScheduler | None = None
    ) -> tuple[nn.Module, list[Optimizer], _LRScheduler | None]:
        """The network itself, in parts, and what moves them."""
        if not is_sharded(module):
            self._group.equalize(whole_tensors(module))
        shard(module, optimizers, device=self._device)
        return module, optimizers, scheduler


class _Moments(OneMessage):
    """Data-parallel processes that hold parts of the moments (`zero`)."""

    def setup_module_and_optimizers(
        self, module: nn.Module, optimizers: list[Optimizer], scheduler: _LRScheduler | None = None
    ) -> tuple[nn.Module, list[Optimizer], _LRScheduler | None]:
        """The network itself, and what moves it."""
        from codecctl.engine.zero import divide  # the package that it needs is an extra

        self._group.equalize(whole_tensors(module))
        divided = [
            divide(module, each, device=self._device, group=self._group) for each in optimizers
        ]
        return module, [*divided], scheduler


def fabric_strategy(
    name: str, device: torch.device, group: ProcessGroup | None
) -> Literal["auto"] | OneMessage:
    """What Fabric runs a training with.

    Args:
        name: `trainer.strategy`.
        device: Of this process.
        group: The processes that share each batch; None: this one has it all.
    """
    if group is None:
        return "auto"
    kinds = {"fsdp": _Shards, "deepspeed": _Moments}
    return kinds.get(name, OneMessage)(device, group)


def whole_tensors(network: nn.Module) -> list[Tensor]:
    """Parameters and buffers that a process has all of."""
    tensors = (*network.parameters(), *network.buffers())
    return [tensor for tensor in tensors if not is_part(tensor)]
