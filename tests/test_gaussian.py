"""The bottleneck of a variational autoencoder against closed forms, in float64."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from codecctl.engine.quantizers import Passthrough
from codecctl.engine.quantizers.gaussian import (
    divergence_by_number,
    mean_and_deviation,
    moments,
)


def latent(frames: int = 6) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return 2 * torch.randn(3, 10, frames, dtype=torch.float64, generator=generator)


def test_the_divergence_is_its_formula_for_one_number() -> None:
    """mean 0.5, scale 0: deviation ln 2 + 1e-4."""
    given = torch.tensor([[[0.5], [0.0]]], dtype=torch.float64)
    variance = (math.log(2) + 1e-4) ** 2
    expected = 0.25 + variance - math.log(variance) - 1
    divergence = Passthrough(dim=1, drawn=True)(given).divergence
    assert float(divergence) == pytest.approx(expected, rel=1e-12)


@pytest.mark.oracle
def test_the_divergence_is_twice_torchs_summed_over_width_and_a_mean_over_time() -> None:
    given = latent()
    mean, deviation = given[:, :5], torch.nn.functional.softplus(given[:, 5:]) + 1e-4
    nats = kl_divergence(Normal(mean, deviation), Normal(torch.zeros(1), torch.ones(1)))
    quantized = Passthrough(dim=5, drawn=True)(given)
    assert quantized.divergence is not None
    torch.testing.assert_close(quantized.divergence, 2 * nats.sum(1).mean(1))


def test_without_noise_the_latent_is_the_mean_and_with_it_what_the_formula_says() -> None:
    given, bottleneck = latent(), Passthrough(dim=5, drawn=True)
    for mode in (True, False):
        bottleneck.train(mode)
        assert torch.equal(bottleneck(given).latent, given[:, :5])
        noise = torch.randn(3, 5, 6, dtype=torch.float64)
        mean, deviation = mean_and_deviation(given)
        torch.testing.assert_close(bottleneck(given, noise).latent, mean + deviation * noise)


def test_drawn_latents_have_the_moments_of_the_distribution() -> None:
    given = torch.tensor([0.7, -1.0], dtype=torch.float64).view(1, 2, 1).expand(1, 2, 200_000)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(1, 1, 200_000, dtype=torch.float64, generator=generator)
    drawn = Passthrough(dim=1, drawn=True)(given, noise).latent
    deviation = math.log1p(math.exp(-1)) + 1e-4
    assert float(drawn.mean()) == pytest.approx(0.7, abs=0.003)
    assert float(drawn.std()) == pytest.approx(deviation, rel=0.01)


def test_the_gradient_reaches_means_and_scales() -> None:
    given = latent().requires_grad_()
    noise = torch.ones(3, 5, 6, dtype=torch.float64)
    quantized = Passthrough(dim=5, drawn=True)(given, noise)
    (gradient,) = torch.autograd.grad(quantized.latent.sum(), [given], retain_graph=True)
    torch.testing.assert_close(gradient[:, :5], torch.ones_like(gradient[:, :5]))
    torch.testing.assert_close(gradient[:, 5:], given[:, 5:].sigmoid())
    assert quantized.divergence is not None
    (gradient,) = torch.autograd.grad(quantized.divergence.sum(), [given])
    torch.testing.assert_close(gradient[:, :5], 2 * given[:, :5] / 6)


def test_moments_of_parts_are_those_of_the_whole() -> None:
    given = latent()
    torch.testing.assert_close(
        torch.stack([moments(part) for part in given.chunk(3)]).mean(0), moments(given)
    )
    mean, deviation = mean_and_deviation(given)
    nats = divergence_by_number(mean, deviation)
    torch.testing.assert_close(moments(given)[3], nats.mean((0, 2)))


def test_a_latent_that_is_not_drawn_passes_as_it_is() -> None:
    quantized = Passthrough(dim=10)(latent())
    assert torch.equal(quantized.latent, latent()) and quantized.divergence is None
