"""The generator of SoundStream."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from codecctl.engine.networks import SoundStreamLayout


def layout(
    *, num_filters: int = 2, latent_dim: int = 4, strides: tuple[int, ...] = (2, 3)
) -> SoundStreamLayout:
    return SoundStreamLayout(
        channels=1,
        num_filters=num_filters,
        latent_dim=latent_dim,
        strides=strides,
        dilations=(1, 3, 9),
        kernel_size=7,
        last_kernel_size=3,
        initialization="torch",
    )


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_full_network_has_the_published_number_of_parameters() -> None:
    full = layout(num_filters=32, latent_dim=512, strides=(3, 4, 5, 8))
    network = full.build()
    # By hand: a unit of width w has 8 w^2 + 2 w, a strided convolution 4 S w^2 + 2 w.
    assert count(network.encoder) == 5_382_656
    assert count(network.decoder) == 6_430_721
    assert full.hop_length == 480


@pytest.mark.parametrize("samples", [1, 6, 59, 60, 61])
def test_audio_of_any_length_comes_back_in_its_length(samples: int) -> None:
    network = layout().build()
    audio = torch.randn(2, 1, samples)
    assert network.encode(audio).shape == (2, 4, -(-samples // 6))
    assert network(audio).shape == audio.shape


def test_no_frame_and_no_sample_depends_on_what_follows() -> None:
    network = layout().build().double()
    audio = torch.randn(1, 1, 120, dtype=torch.float64)
    changed = audio.clone()
    changed[..., 60:] += 1.0
    before, after = network.encode(audio), network.encode(changed)
    assert torch.equal(before[..., :10], after[..., :10])
    assert not torch.equal(before[..., 10:], after[..., 10:])
    latent = torch.randn(1, 4, 20, dtype=torch.float64)
    other = latent.clone()
    other[..., 10:] += 1.0
    first, second = network.decoder(latent), network.decoder(other)
    assert torch.equal(first[..., :60], second[..., :60])


def test_every_weight_gets_a_gradient() -> None:
    network = layout().build()
    network(torch.randn(1, 1, 60)).square().sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert all(bool(p.grad.abs().sum() > 0) for p in network.parameters() if p.grad is not None)
