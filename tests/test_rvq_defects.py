"""Two defects of published residual quantizers, shown on the `encodec` package and absent here.

Its k-means start stores centroids where the moving average expects sums, so that the first update
divides them by their counts; and what it revives is overwritten by the same update.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from codecctl.engine.quantizers import ResidualVectorQuantizer, codebook_usage, count_codes
from codecctl.engine.quantizers.encodec_state import quantizer_state
from codecctl.engine.quantizers.rvq import Ema

pytestmark = pytest.mark.oracle
DIM = 16
STAGES = 4
SIZE = 128


def clustered(count: int, seed: int) -> Tensor:
    """Vectors (1, D, count) around 64 fixed centers."""
    centers = torch.randn(64, DIM, generator=torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(seed)
    chosen = centers[torch.randint(64, (count,), generator=generator)]
    return (chosen + 0.5 * torch.randn(count, DIM, generator=generator)).T[None]


def ours(ema: Ema) -> ResidualVectorQuantizer:
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


def theirs() -> Any:  # the package is untyped
    package = pytest.importorskip("encodec.quantization.vq", reason="encodec is not installed")
    torch.manual_seed(0)
    return package.ResidualVectorQuantizer(dimension=DIM, n_q=STAGES, bins=SIZE).train()


def copied(package: Any) -> dict[str, Tensor]:
    state = {f"quantizer.{name}": tensor for name, tensor in package.state_dict().items()}
    return quantizer_state(state, num_codebooks=STAGES)


@dataclass(frozen=True)
class Health:
    """How a quantizer does on vectors that it was not trained on."""

    error: float
    usage: Tensor
    level: float


def health(codebooks: dict[str, Tensor]) -> Health:
    network = ours("correct").eval()
    network.load_state_dict(codebooks)
    latent = clustered(32_768, seed=1)
    codes = network.encode(latent)
    return Health(
        error=(network.decode(codes) - latent).square().mean().item(),
        usage=codebook_usage(count_codes(codes, codebook_size=SIZE)),
        level=network.codebooks[0].norm(dim=-1).mean().item(),
    )


def test_our_codebooks_stay_whole_where_those_of_the_package_collapse() -> None:
    package, network = theirs(), ours("correct")
    generator = torch.Generator().manual_seed(0)
    network.initialize(clustered(2048, seed=100)[0].T, generator)
    start = health(network.state_dict())
    for step in range(1, 101):
        latent = clustered(2048, seed=99 + step)
        package(latent, 75)
        network(latent)
        network.update(generator)
        if step in (1, 10, 100):
            here, there = health(network.state_dict()), health(copied(package))
            assert here.error < {1: 0.2, 10: 0.3, 100: 0.5}[step] * there.error
            assert here.usage.min() >= 0.98
            assert there.usage[0] < 0.7
        if step == 1:
            assert here.level == pytest.approx(start.level, rel=0.01)
            assert here.error == pytest.approx(start.error, rel=0.01)
            assert there.level < 0.2 * start.level


def test_the_encodec_mode_takes_the_steps_of_the_package() -> None:
    package, network = theirs(), ours("encodec")
    package(clustered(2048, seed=100), 75)
    network.load_state_dict(copied(package))
    generator = torch.Generator().manual_seed(0)
    for step in range(5):
        latent = clustered(2048, seed=step)
        package(latent, 75)
        network(latent)
        network.update(generator)
        torch.testing.assert_close(network.state_dict(), copied(package), rtol=1e-4, atol=1e-4)


def test_the_package_revives_none_of_thirty_two_unreachable_entries_and_we_all() -> None:
    package, network = theirs(), ours("correct")
    generator = torch.Generator().manual_seed(0)
    latent = clustered(2048, seed=100)
    network.initialize(latent[0].T, generator)
    package(latent, 75)
    for layer in package.vq.layers:
        book = layer._codebook
        book.embed[:32] = book.embed_avg[:32] = 1e3
        book.cluster_size[:32] = 1.0
    network.codebooks[:, :32] = network.sums[:, :32] = 1e3
    network.counts[:, :32] = 1.0
    for step in range(200):
        latent = clustered(512, seed=step)
        package(latent, 75)
        network(latent)
        network.update(generator)
    used = [
        count_codes(codes, codebook_size=SIZE)[:, :32] > 0
        for codes in (
            network.encode(clustered(16_384, seed=1)),
            package.vq.eval().encode(clustered(16_384, seed=1), n_q=STAGES).transpose(0, 1),
        )
    ]
    assert used[0].float().mean() > 0.95
    assert used[1][0].sum() == 0
