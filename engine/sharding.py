"""Networks in shards: between updates each process holds its part of every weight and moment.

torch's FSDP2 does the work. A network is one group: its weights are gathered once, before the
forward of an update, and given up after the backward, which leaves each process the mean gradient
of its own part. What is not a forward in training (validation, previews, fitting codebooks) reads
plain weights in a block of `whole`. Buffers, such as codebooks, stay whole everywhere.

States are gathered, so that a checkpoint says nothing of the processes that wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar, cast

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.optim import Optimizer

T = TypeVar("T")

_NORM_EPSILON = 1e-6
"""As torch's own clipping adds to a norm."""


def shard(network: nn.Module, optimizers: Sequence[Optimizer], *, device: torch.device) -> None:
    """Leave this process its part of each weight, and let optimizers move that.

    Args:
        network: With the same weights in all processes, on the device.
        optimizers: Of its weights, without moments.
        device: Where it lives; a process group connects those of all processes.
    """
    if isinstance(network, FSDPModule):  # of an earlier stage of the training
        return
    mesh = init_device_mesh(device.type, (torch.distributed.get_world_size(),))
    before = list(network.parameters())
    fully_shard(network, mesh=mesh, reshard_after_forward=False)
    parts = dict(zip(before, network.parameters(), strict=True))
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["params"] = [parts[weight] for weight in group["params"]]


def is_sharded(network: nn.Module) -> bool:
    """Whether processes hold parts of a network."""
    return isinstance(network, FSDPModule)


def is_part(tensor: Tensor) -> bool:
    """Whether a tensor stands for one that lies in parts in all processes."""
    return isinstance(tensor, DTensor)


@contextmanager
def whole(networks: Iterable[nn.Module]) -> Iterator[None]:
    """Plain weights in every process for a block; all processes enter and leave it."""
    sharded = [network for network in networks if isinstance(network, FSDPModule)]
    for network in sharded:
        network.unshard()
    try:
        yield
    finally:
        for network in sharded:
            network.reshard()


def own_part(tensor: Tensor) -> Tensor:
    """The numbers that this process holds."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def gathered(state: T) -> T:
    """A state with whole tensors; all processes call, in the same order.

    What lies in a larger storage is copied, as a file would hold all of that.

    Args:
        state: Tensors in dicts and lists.
    """
    if isinstance(state, DTensor):
        return cast(T, gathered(state.full_tensor()))
    if isinstance(state, Tensor) and state.untyped_storage().nbytes() > state.nbytes:
        return cast(T, state.clone())
    if isinstance(state, dict):
        return cast(T, {key: gathered(value) for key, value in state.items()})
    if isinstance(state, list):
        return cast(T, [gathered(value) for value in state])
    return state


def scattered(value: Tensor, like: Tensor) -> Tensor:
    """A whole tensor in parts like those of another one; every process passes the same."""
    if not isinstance(like, DTensor):
        return value
    # No process sends: each one takes its part of what all of them have.
    return distribute_tensor(
        value.to(like.device), like.device_mesh, like.placements, src_data_rank=None
    )


def scattered_weights(network: nn.Module, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Whole weights and buffers in the parts that a network has."""
    own = network.state_dict()
    return {
        name: scattered(value, own[name]) if name in own else value
        for name, value in weights.items()
    }


def scattered_moments(optimizer: Optimizer, moments: Mapping[int, object]) -> dict[int, object]:
    """Whole moments by the number of their weight, in the parts that the weights have."""
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    if not any(is_part(weight) for weight in weights):
        return dict(moments)

    def parts(number: int, of_weight: object) -> object:
        weight = weights[number]
        if not isinstance(of_weight, Mapping):
            return of_weight
        return {
            # Numbers of steps have no axis; a weight always has one.
            name: scattered(value, weight)
            if isinstance(value, Tensor) and value.shape == weight.shape
            else value
            for name, value in of_weight.items()
        }

    return {number: parts(number, of_weight) for number, of_weight in moments.items()}


def own_gradients(network: nn.Module) -> list[Tensor]:
    """The numbers of a network's gradients that this process holds."""
    return [own_part(p.grad) for p in network.parameters() if p.grad is not None]


@torch.no_grad()
def clip_parts(
    gradients: list[Tensor],
    limit: float,
    *,
    by_value: bool,
    sum_: Callable[[Tensor], None],
) -> Tensor:
    """Scale the gradient down to a global norm, or bound its values (0 = leave it).

    Args:
        gradients: The parts of this process.
        limit: Largest norm, or largest value.
        by_value: Bound each number.
        sum_: Sums a tensor over the processes, in place.

    Returns:
        The norm found, of the whole gradient, 0-d.
    """
    square = torch.nn.utils.get_total_norm(gradients).square()
    sum_(square)
    norm = square.sqrt()
    if limit > 0 and by_value:
        torch._foreach_clamp_min_(gradients, -limit)
        torch._foreach_clamp_max_(gradients, limit)
    elif limit > 0 and gradients:
        factor = (limit / (norm + _NORM_EPSILON)).clamp(max=1.0)
        torch._foreach_mul_(gradients, factor)
    return norm
