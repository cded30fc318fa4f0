"""Oobleck: sizes, shapes and its activation."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from codecctl.engine.networks.oobleck import OobleckLayout, Snake

FULL = OobleckLayout(
    channels=2,
    num_filters=128,
    multipliers=(1, 2, 4, 8, 16),
    latent_dim=64,
    strides=(2, 4, 4, 8, 8),
    dilations=(1, 3, 9),
    kernel_size=7,
    last_kernel_size=3,
    norm="weight_norm",
    initialization="torch",
    latent_scale=2,
)
TINY = replace(FULL, num_filters=2, latent_dim=4, multipliers=(1, 2, 4), strides=(2, 3, 4))


def test_the_full_network_has_156_million_weights_and_21_frames_a_second() -> None:
    with torch.device("meta"):
        full = FULL.build()
    numbers = sum(parameter.numel() for parameter in full.parameters())
    assert numbers / 1e6 == pytest.approx(156.1, abs=0.05)
    assert 44_100 / full.hop_length == pytest.approx(21.5, abs=0.05)


@pytest.mark.parametrize("samples", [1, 24, 1000])
def test_audio_of_any_length_goes_through(samples: int) -> None:
    network = TINY.build()
    audio = torch.randn(2, 2, samples)
    latent = network.encode(audio)
    assert latent.shape == (2, 8, network.num_latents(samples))
    assert network.decode(latent[:, :4], samples).shape == audio.shape


def test_snake_is_its_formula() -> None:
    layer = Snake(2).double()
    layer.log_frequency.data = torch.tensor([0.0, 1.0]).double()
    layer.log_gain.data = torch.tensor([0.5, -1.0]).double()
    given = torch.linspace(-3, 3, 20, dtype=torch.float64).expand(1, 2, 20)
    a, b = torch.tensor([0.0, 1.0]).double().exp(), torch.tensor([0.5, -1.0]).double().exp()
    expected = given + (a[:, None] * given).sin() ** 2 / (b[:, None] + 1e-9)
    torch.testing.assert_close(layer(given), expected)


def test_a_shift_by_a_frame_shifts_the_latent() -> None:
    network = TINY.build().double()
    audio = torch.randn(1, 2, 24 * 40, dtype=torch.float64)
    latent = network.encode(audio)
    shifted = network.encode(torch.nn.functional.pad(audio, (24, 0)))
    torch.testing.assert_close(shifted[..., 21:], latent[..., 20:])
