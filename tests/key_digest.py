"""A digest of built objects: what a training is made of, without the profile that it came from."""

from __future__ import annotations

import copy
import enum
import functools
import hashlib
import types
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import PurePath

import numpy as np
import torch
from pydantic import BaseModel
from torch import Tensor, nn
from torch.optim import Optimizer

from codecctl.datasets.store import Store
from codecctl.engine.plateau import Plateau
from codecctl.engine.recipes.player import Player

PLAIN = (bool, int, float, complex, str, bytes, Fraction, PurePath, type(None), range, slice)
OPAQUE = (
    "lightning",
    "threading",
    "_thread",
    "queue",
    "_queue",
    "mmap",
    "_io",
    "weakref",
    "torch._",
    "torch.utils.hooks",
)
"""Packages whose objects count by their type alone."""
NO_STATE = ("_non_persistent_buffers_set", "training")
"""What a module says of itself that no key changes."""
STEPS = (*range(12), *range(12, 55, 4))
OBSERVED = (3.0, 2.0, 1.99, 1.985, 2.0, 2.0, 2.0, 2.0, 1.5, 1.6, 1.6, *[1.6] * 40)
"""Validations by which a plateau is told from another: little gains, and none."""


class Digest:
    """Collects what differs when objects differ.

    Args:
        known: Digests of objects that are not looked into again, by identity.
        since: Step from which learning rates count.
    """

    def __init__(self, known: Mapping[int, str] | None = None, *, since: int = 0) -> None:
        self._since = since
        self._known = known or {}
        self._seen: dict[int, int] = {}
        self._kept: list[object] = []
        self._hash = hashlib.sha256()

    def text(self) -> str:
        """The digest of all that was added."""
        return self._hash.hexdigest()

    def add(self, value: object) -> None:
        """Take a value into account, and everything that can be reached from it."""
        if isinstance(value, (*PLAIN, torch.dtype, torch.device, enum.Enum)):
            self._tell(repr(value))
        elif isinstance(value, (BaseModel, type, types.ModuleType)):
            self._tell(getattr(value, "__qualname__", type(value).__qualname__))
        elif id(value) in self._seen:
            self._tell(f"#{self._seen[id(value)]}")
        else:
            self._seen[id(value)] = len(self._seen)
            self._kept.append(value)  # an identity belongs to one object while that one lives
            self._tell(type(value).__qualname__)
            for part in self._parts(value):
                self.add(part)

    def _tell(self, text: str) -> None:
        self._hash.update(text.encode() + b"\0")

    def _parts(self, value: object) -> Iterator[object]:
        if id(value) in self._known:
            yield self._known[id(value)]
            if isinstance(value, nn.Module):
                yield [parameter.requires_grad for parameter in value.parameters()]
        elif isinstance(value, Tensor):
            array = value.detach().numpy()
            yield from (str(value.dtype), array.shape, value.requires_grad, array.tobytes())
        elif isinstance(value, np.ndarray):
            yield from (str(value.dtype), value.shape, value.tobytes())
        elif isinstance(value, np.random.Generator):
            yield value.bit_generator.state
        elif isinstance(value, Player):
            yield {k: v for k, v in vars(value).items() if k not in ("_schedule", "_runtime")}
            yield rates(value, self._since)
        elif isinstance(value, Store):
            yield {name: part for name, part in vars(value).items() if name != "_files"}
        elif isinstance(value, Optimizer):
            yield value.defaults
            yield [{k: v for k, v in g.items() if k != "params"} for g in value.param_groups]
        elif isinstance(value, nn.Module):
            for name, part in vars(value).items():
                if "_hooks" in name:
                    yield from part.values() if part else ()
                elif part is not None and name not in NO_STATE:
                    yield name
                    yield part
        elif isinstance(value, Mapping):
            yield from (part for item in value.items() for part in item)
        elif isinstance(value, (list, tuple)):
            yield from value
        elif isinstance(value, (set, frozenset)):
            yield from sorted(value, key=repr)
        else:
            yield from _of_object(value)


def rates(player: Player, since: int) -> list[float]:
    """Learning rates by step, or by validations where those decide."""
    schedule = player._schedule
    if not isinstance(schedule, Plateau):
        return [player.rate_at(since + step) for step in STEPS]
    schedule, factors = copy.deepcopy(schedule), []
    for value in OBSERVED:
        schedule.observe(value)
        factors.append(player._base_rate * schedule(0))
    return factors


def _of_object(value: object) -> Iterator[object]:
    if isinstance(value, types.FunctionType):
        yield value.__qualname__
        yield value.__defaults__
        yield value.__kwdefaults__
        for cell in value.__closure__ or ():
            yield cell.cell_contents
    elif isinstance(value, types.MethodType):
        yield value.__func__.__qualname__
        yield value.__self__
    elif isinstance(value, functools.partial):
        yield from (value.func, value.args, value.keywords)
    elif type(value).__module__.startswith(OPAQUE) or isinstance(value, types.BuiltinFunctionType):
        yield getattr(value, "__name__", "")
    else:
        yield getattr(value, "__dict__", {})
        for kind in type(value).__mro__:
            for name in getattr(kind, "__slots__", ()):
                yield getattr(value, name, None)
