"""What of a training's state is not finite, by the names that its parts have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

Path = tuple[str, ...]

_FOLLOWS = 4
"""Order of an average, which repeats what is wrong with the weights that it follows."""


@dataclass(frozen=True)
class Spoiled:
    """A tensor with values that are NaN or infinite."""

    name: str
    """As a user knows it."""
    order: int
    """Among several, what comes first is likelier the cause: a moment spoils its weight in the
    next update, while no update is made with a weight that is spoiled."""


def spoiled_tensors(state: object, modules: Mapping[str, nn.Module]) -> list[Spoiled]:
    """What in a state is not finite, likely causes first; averages only where nothing else is.

    Args:
        state: Of a recipe: tensors in dicts and lists, networks and optimizers by role.
        modules: The networks by role.
    """
    found = [(path, tensor) for path, tensor in _tensors(state) if tensor.is_floating_point()]
    if not found:
        return []
    # One answer from the device instead of one for each tensor.
    good = torch.stack([all_finite(tensor).cpu() for _, tensor in found]).tolist()
    spoiled = [
        _named(path, tensor, modules)
        for (path, tensor), fine in zip(found, good, strict=True)
        if not fine
    ]
    causes = [each for each in spoiled if each.order < _FOLLOWS]
    return sorted(causes or spoiled, key=lambda each: each.order)


def all_finite(tensor: Tensor) -> Tensor:
    """Whether no number of a real tensor is NaN or infinite, 0-d bool.

    The extremes say it, as both are NaN where any number is: one pass without a copy, where
    `isfinite` takes 15 times as long on a CPU and most of the time of a checkpoint.
    """
    if not tensor.numel():
        return torch.ones((), dtype=torch.bool, device=tensor.device)
    smallest, largest = tensor.detach().aminmax()
    return smallest.isfinite() & largest.isfinite()


def _tensors(state: object, path: Path = ()) -> Iterator[tuple[Path, Tensor]]:
    if isinstance(state, Tensor):
        yield path, state
    elif isinstance(state, Mapping):
        for key, value in state.items():
            yield from _tensors(value, (*path, str(key)))
    elif isinstance(state, (list, tuple)):
        for index, value in enumerate(state):
            yield from _tensors(value, (*path, str(index)))


def _named(path: Path, tensor: Tensor, modules: Mapping[str, nn.Module]) -> Spoiled:
    role = path[0]
    if path[1:3] == ("optimizer", "state") and role in modules:
        names = [name for name, _ in modules[role].named_parameters()]
        return Spoiled(f"moment {path[4]} of {role} {names[int(path[3])]}", order=0)
    if path[1:2] != ("network",) or role not in modules:
        return Spoiled(" ".join(path), order=3)
    name = ".".join(path[2:])
    order = _FOLLOWS if role == "average" else 2
    if name.rpartition(".")[2] in ("codebooks", "sums", "counts"):
        numbers = (~tensor.flatten(1).isfinite().all(1)).nonzero().flatten().tolist()
        books = ", ".join(str(number + 1) for number in numbers)
        order = _FOLLOWS if role == "average" else 1
        return Spoiled(f"codebook {books} of {role} {name}", order=order)
    return Spoiled(f"weight {role} {name}", order=order)
