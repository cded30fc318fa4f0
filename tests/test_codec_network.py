"""Level, encoder, quantizer and decoder in one network."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from codecctl.engine.build import build_networks
from codecctl.engine.profile import load_profile
from codecctl.engine.recipes.network import CodecNetwork


def network(*overrides: str) -> CodecNetwork:
    tiny = ["model=tiny", "model.generator.num_filters=4", "model.generator.latent_dim=8"]
    return build_networks(load_profile("paired", [*tiny, *overrides]).profile)[0].eval()


def noise(samples: int, seed: int = 0) -> Tensor:
    return 0.1 * torch.randn(2, 1, samples, generator=torch.Generator().manual_seed(seed))


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


@pytest.mark.parametrize("kind", ["rms", "rms_channels"])
def test_a_codec_of_normalized_audio_does_not_care_how_loud_it_is(kind: str) -> None:
    codec = network(f"model.normalize={kind}").double()
    audio = noise(24_000).double()
    quiet = 10 ** (-62 / 20) * audio
    loud, soft = codec(audio), codec(quiet)
    assert torch.equal(loud.codes, soft.codes)
    torch.testing.assert_close(10 ** (62 / 20) * soft.estimate, loud.estimate, rtol=3e-4, atol=1e-6)


def test_a_fixed_gain_is_taken_back_and_costs_nothing() -> None:
    codec = network("model.normalize=gain", "model.gain_db=40")
    plain = network("model.normalize=none")
    audio = noise(2400)
    louder = plain(100 * audio)
    torch.testing.assert_close(codec(audio).latent, louder.latent)
    torch.testing.assert_close(codec(audio).estimate, louder.estimate / 100)
    assert codec.bitrate_kbps == plain.bitrate_kbps and not codec.normalize


def test_levels_of_channels_are_part_of_the_size() -> None:
    profile = load_profile("baseline-32ch", ["model=tiny", "model.normalize=rms_channels"]).profile
    codec = build_networks(profile)[0]
    numbers = 32 * 75 + 32
    assert f"becomes {numbers} numbers a second" in codec.size_note()


def test_encoding_alone_gives_the_latent_of_the_whole_pass() -> None:
    codec = network()
    assert torch.equal(codec.encode(noise(2400)), codec(noise(2400)).latent)


def test_the_sum_passes_its_gradient_to_the_latent_unchanged() -> None:
    codec = network()
    latent = codec.encode(noise(2400)).detach().requires_grad_()
    (gradient,) = torch.autograd.grad(codec.quantizer(latent).latent.sum(), latent)
    assert torch.equal(gradient, torch.ones_like(latent))
