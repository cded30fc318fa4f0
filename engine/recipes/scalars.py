"""Names and figures that recipes share."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from codecctl.engine.quantizers import (
    Quantizer,
    codebook_diversity,
    codebook_entropy,
    codebook_perplexity,
    codebook_usage,
    count_codes,
)
from codecctl.engine.recipes.base import Runtime, Scalars


def on_device(value: float, device: torch.device) -> Tensor:
    """A number as a 0-d tensor, made there instead of copied."""
    return torch.full((), value, device=device)


def by_capsule(name: str, whole: Tensor, parts: Tensor) -> dict[str, Tensor]:
    """A value and, where an item has several signals, that of each.

    Args:
        name: Of the value.
        whole: (...).
        parts: (..., M).
    """
    if parts.shape[-1] == 1:
        return {name: whole}
    named = {f"{name}/capsule{m}": part for m, part in enumerate(parts.unbind(-1), start=1)}
    return {name: whole, **named}


def weighted_sum(values: Mapping[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Sum of values, each times its weight; all of one shape."""
    return torch.stack([weights[name] * value for name, value in values.items()]).sum(0)


def loss_scalars(
    terms: Mapping[str, Tensor], between: Mapping[str, Tensor], *, weights: Mapping[str, float]
) -> Scalars:
    """Every term by name, and the weighted sum of all.

    Args:
        terms: Of each capsule, (M,).
        between: Of all capsules together, 0-d.
        weights: Of every term.
    """
    scalars: Scalars = {}
    sums: Scalars = {}
    for name, parts in terms.items():
        sums[name] = parts.detach().sum()
        scalars |= by_capsule(f"loss/{name}", sums[name], parts.detach())
    for name, value in between.items():
        sums[name] = scalars[f"loss/{name}"] = value.detach()
    scalars["loss/total"] = weighted_sum(sums, weights)
    return scalars


def over_ranks(scalars: Scalars, counts: Tensor, *, runtime: Runtime) -> tuple[Scalars, Tensor]:
    """Losses as means over the ranks and codes counted over all of them, in one message.

    What is no loss is the same on all ranks already.
    """
    if runtime.world_size == 1:
        return scalars, counts
    names = [name for name in scalars if name.startswith("loss/")]
    losses = torch.stack([scalars[name].double() for name in names])
    message = torch.cat([losses / runtime.world_size, counts.double().flatten()])
    runtime.all_reduce_(message)
    means = {name: mean.to(scalars[name].dtype) for name, mean in zip(names, message, strict=False)}
    return scalars | means, message[len(names) :].view(counts.shape).to(counts.dtype)


def entry_scalars(quantizer: Quantizer) -> Scalars:
    """What the last update did to the entries of each codebook, and their mean norm."""
    scalars: Scalars = {}
    for number, revived in enumerate(quantizer.revived, start=1):
        scalars[f"codebook/{number}/dead"] = revived.float()
    for number, norm in enumerate(quantizer.entry_norms, start=1):
        scalars[f"codebook/{number}/norm"] = norm
    return scalars


def codebook_scalars(counts: Tensor) -> Scalars:
    """Figures of each codebook, which count from 1: how often each entry was used, (K, N)."""
    figures = {
        "usage": codebook_usage(counts),
        "perplexity": codebook_perplexity(counts),
        "entropy": codebook_entropy(counts),
        "diversity": codebook_diversity(counts),
    }
    return {
        f"codebook/{number}/{name}": value
        for name, values in figures.items()
        for number, value in enumerate(values, start=1)
    }


def of_all_ranks(
    scalars: Scalars, codes: Tensor, quantizer: Quantizer, runtime: Runtime
) -> Scalars:
    """Losses and figures of the codebooks over the global batch.

    Args:
        scalars: Of this rank.
        codes: (n, K, F) of this rank.
        quantizer: That they are of.
        runtime: Adds up.
    """
    counts = count_codes(codes, codebook_size=quantizer.codebook_size)
    scalars, counts = over_ranks(scalars, counts, runtime=runtime)
    return scalars | codebook_scalars(counts) | entry_scalars(quantizer)
