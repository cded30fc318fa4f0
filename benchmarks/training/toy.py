"""Residual quantizers on vectors that stand still: ours, our repetition of a package, and that."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from codecctl.engine.quantizers import ResidualVectorQuantizer, codebook_usage, count_codes
from codecctl.engine.quantizers.encodec_state import quantizer_state
from codecctl.engine.quantizers.rvq import Ema

EMAS: tuple[Ema, ...] = ("correct", "encodec")
DIM, STAGES, SIZE, BATCH = 16, 4, 128, 2048
TOY_STEPS = (1, 10, 100, 800)
UNREACHABLE = 32


def toy() -> dict[str, object]:
    """Error, usage and revival on vectors that stand still."""
    result: dict[str, object] = {ema: _toy_of_ours(ema) for ema in EMAS}
    if importlib.util.find_spec("encodec") is not None:
        result["package"] = _toy_of_package()
    return result


def clustered(count: int, seed: int) -> Tensor:
    """Vectors (1, D, count) around 64 fixed centers."""
    centers = torch.randn(64, DIM, generator=torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(seed)
    chosen = centers[torch.randint(64, (count,), generator=generator)]
    return (chosen + 0.5 * torch.randn(count, DIM, generator=generator)).T[None]


def _toy_quantizer(ema: Ema) -> ResidualVectorQuantizer:
    return ResidualVectorQuantizer(
        dim=DIM,
        num_codebooks=STAGES,
        codebook_size=SIZE,
        decay=0.99,
        epsilon=1e-5,
        kmeans_iterations=50,
        dead_threshold=2.0,
        ema=ema,
    )


def _toy_of_ours(ema: Ema) -> dict[str, object]:
    generator = torch.Generator().manual_seed(0)
    network = _toy_quantizer(ema)
    network.initialize(clustered(BATCH, seed=100)[0].T, generator)

    def step(latent: Tensor) -> None:
        network(latent)
        network.update(generator)

    trace = _toy_trace(step, lambda: network)
    network = _toy_quantizer(ema)
    network.initialize(clustered(BATCH, seed=100)[0].T, generator)
    average = network.counts.mean()
    network.codebooks[:, :UNREACHABLE] = network.sums[:, :UNREACHABLE] = 1e3
    network.counts[:, :UNREACHABLE] = average.clamp(max=1.0)
    return {"trace": trace, "revived": _revived(step, lambda: network)}


def _toy_of_package() -> dict[str, object]:
    package: Any = importlib.import_module("encodec.quantization.vq")
    torch.manual_seed(0)
    theirs = package.ResidualVectorQuantizer(dimension=DIM, n_q=STAGES, bins=SIZE).train()

    def step(latent: Tensor) -> None:
        theirs(latent, 75)

    def copied() -> ResidualVectorQuantizer:
        state = {f"quantizer.{name}": tensor for name, tensor in theirs.state_dict().items()}
        network = _toy_quantizer("encodec")
        network.load_state_dict(quantizer_state(state, num_codebooks=STAGES))
        return network

    trace = _toy_trace(step, copied)
    theirs = package.ResidualVectorQuantizer(dimension=DIM, n_q=STAGES, bins=SIZE).train()
    step(clustered(BATCH, seed=100))
    for layer in theirs.vq.layers:
        book = layer._codebook
        book.embed[:UNREACHABLE] = book.embed_avg[:UNREACHABLE] = 1e3
        book.cluster_size[:UNREACHABLE] = 1.0
    return {"trace": trace, "revived": _revived(step, copied)}


def _toy_trace(
    step: Callable[[Tensor], None], network: Callable[[], ResidualVectorQuantizer]
) -> list[dict[str, float]]:
    """Error and usage of the first stage on other vectors, after some numbers of updates."""
    rows = []
    for number in range(1, TOY_STEPS[-1] + 1):
        step(clustered(BATCH, seed=99 + number))
        if number in TOY_STEPS:
            latent = clustered(32_768, seed=1)
            codes = network().encode(latent)
            usage = codebook_usage(count_codes(codes, codebook_size=SIZE))
            error = (network().decode(codes) - latent).square().mean()
            rows.append({"step": number, "error": error.item(), "usage": usage[0].item()})
    return rows


def _revived(step: Callable[[Tensor], None], network: Callable[[], ResidualVectorQuantizer]) -> int:
    """Entries of the first stage, of those out of reach, that code something 200 updates later."""
    for number in range(200):
        step(clustered(512, seed=number))
    codes = network().encode(clustered(16_384, seed=1))
    return int((count_codes(codes, codebook_size=SIZE)[0, :UNREACHABLE] > 0).sum())
