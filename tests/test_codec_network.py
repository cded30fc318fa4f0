"""Level, encoder, quantizer and decoder in one network."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from codecctl.engine.build import build_networks
from codecctl.engine.profile import load_profile
from codecctl.engine.recipes.network import CodecNetwork, level_per_second


def network(*overrides: str) -> CodecNetwork:
    tiny = ["model=tiny", "model.generator.num_filters=4", "model.generator.latent_dim=8"]
    return build_networks(load_profile("paired", [*tiny, *overrides]).profile)[0].eval()


def noise(samples: int, seed: int = 0) -> Tensor:
    return 0.1 * torch.randn(2, 1, samples, generator=torch.Generator().manual_seed(seed))


def test_the_level_is_the_root_mean_square_of_each_second() -> None:
    audio = torch.cat([torch.full((1, 1, 8), 3.0), torch.full((1, 1, 4), -0.5)], -1)
    level = level_per_second(audio, sample_rate=8)
    assert level.shape == audio.shape
    assert level[0, 0].tolist() == pytest.approx([3.0] * 8 + [0.5] * 4)  # the rest is no zeros


def test_one_level_serves_all_channels_of_a_signal() -> None:
    audio = torch.stack([torch.full((8,), 1.0), torch.full((8,), 0.0)])[None]
    assert level_per_second(audio, sample_rate=8)[0, 0].tolist() == pytest.approx([0.5] * 8)


def test_pieces_of_whole_seconds_have_the_levels_of_the_whole() -> None:
    audio = noise(25)
    whole = level_per_second(audio, sample_rate=8)
    pieces = (audio[..., :16], audio[..., 16:24], audio[..., 24:])
    parts = [level_per_second(piece, sample_rate=8) for piece in pieces]
    assert torch.equal(torch.cat(parts, -1), whole)


def test_silence_stays_silent_and_finite() -> None:
    estimate = network()(torch.zeros(1, 1, 2400)).estimate
    assert bool(estimate.isfinite().all())
    assert estimate.abs().max() < 1e-6


@pytest.mark.parametrize("samples", [2400, 2401, 24_000 + 7])
def test_the_estimate_is_as_long_as_the_audio(samples: int) -> None:
    coded = network()(noise(samples))
    assert coded.estimate.shape == (2, 1, samples)
    assert coded.codes.shape == (2, 2, math.ceil(samples / 320))


def test_without_normalization_the_level_is_part_of_what_is_coded() -> None:
    plain = network("model.normalize=none")
    once, twice = plain(noise(2400)).latent, plain(2 * noise(2400)).latent
    assert not torch.allclose(once, twice)
    assert plain.bitrate_kbps == pytest.approx(1.5)


def test_encoding_alone_gives_the_latent_of_the_whole_pass() -> None:
    codec = network()
    assert torch.equal(codec.encode(noise(2400)), codec(noise(2400)).latent)


def test_the_sum_passes_its_gradient_to_the_latent_unchanged() -> None:
    codec = network()
    latent = codec.encode(noise(2400)).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(codec.quantizer(latent).latent.sum(), latent)
    assert torch.equal(gradient, torch.ones_like(latent))
