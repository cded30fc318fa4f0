"""Optimizers by name: those of torch that move any weights with one backward for each update."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import torch
from torch.nn import Parameter
from torch.optim import Optimizer

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "ASGD": torch.optim.ASGD,
    "Adadelta": torch.optim.Adadelta,
    "Adafactor": torch.optim.Adafactor,
    "Adagrad": torch.optim.Adagrad,
    "Adam": torch.optim.Adam,
    "AdamW": torch.optim.AdamW,
    "Adamax": torch.optim.Adamax,
    "NAdam": torch.optim.NAdam,
    "RAdam": torch.optim.RAdam,
    "RMSprop": torch.optim.RMSprop,
    "Rprop": torch.optim.Rprop,
    "SGD": torch.optim.SGD,
}
"""By the name that a profile gives."""

FUSED = ("Adam", "AdamW", "SGD")
"""Those with one kernel for all weights that skips an update where a flag on the device says so."""


def build_optimizer(
    kind: str,
    parameters: Iterable[Parameter],
    arguments: Mapping[str, object],
    *,
    fused: bool = False,
) -> Optimizer:
    """An optimizer.

    Args:
        kind: One of `OPTIMIZERS`.
        parameters: What it moves.
        arguments: By torch's names; what is not given is torch's own.
        fused: Where there is a fused form, take it; for GPUs. On a CPU, torch's own choice.
    """
    form = {"fused": True} if fused and kind in FUSED else {}
    return OPTIMIZERS[kind](parameters, **arguments, **form)
