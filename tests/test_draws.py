"""What a bottleneck is given at random: the same for every number of ranks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest
import torch

from codecctl.engine.recipes.base import Runtime
from codecctl.engine.recipes.draws import Draws
from codecctl.engine.recipes.network import CodecNetwork


def draws(rank: int, world_size: int, *, noise: bool = True, seed: int = 5) -> Draws:
    network = SimpleNamespace(
        quantizer=SimpleNamespace(dim=3, max_depth=8),
        autoencoder=SimpleNamespace(num_latents=lambda samples: samples // 10),
    )
    runtime = SimpleNamespace(rank=rank, world_size=world_size, device=torch.device("cpu"))
    return Draws(
        cast(CodecNetwork, network),
        seed,
        runtime=cast(Runtime, runtime),
        dropout=not noise,
        noise=noise,
    )


@pytest.mark.parametrize("noise", [True, False], ids=["noise", "depths"])
def test_ranks_together_are_given_what_one_is_given(noise: bool) -> None:
    signals = torch.zeros(8, 1, 50)
    whole = draws(0, 1, noise=noise)(signals, 7)
    assert whole is not None and len(whole) == 8
    for world_size in (2, 4):
        parts = [
            draws(rank, world_size, noise=noise)(signals[: 8 // world_size], 7)
            for rank in range(world_size)
        ]
        assert torch.equal(torch.cat([part for part in parts if part is not None]), whole)


def test_noise_is_of_seed_and_step_and_standard_normal() -> None:
    signals = torch.zeros(64, 2, 500)
    noise = draws(0, 1)(signals, 7)
    assert noise is not None and noise.shape == (64, 3, 50)
    assert abs(float(noise.mean())) < 0.04
    assert float(noise.std()) == pytest.approx(1, abs=0.03)
    for other in (draws(0, 1)(signals, 8), draws(0, 1, seed=6)(signals, 7)):
        assert other is not None and not torch.equal(noise, other)


def test_nothing_is_drawn_where_nothing_is_random() -> None:
    plain = draws(0, 1)
    plain.noise = False
    assert plain(torch.zeros(2, 1, 50), 0) is None
