"""The residual vector quantizer: codes, gradients, precision."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from codecctl.engine.quantizers import Quantized, ResidualVectorQuantizer
from codecctl.engine.quantizers.clustering import nearest

DIM = 8
SIZE = 32


def quantizer(*, num_codebooks: int = 3, codebook_size: int = SIZE) -> ResidualVectorQuantizer:
    torch.manual_seed(0)
    return ResidualVectorQuantizer(
        dim=DIM,
        num_codebooks=num_codebooks,
        codebook_size=codebook_size,
        decay=0.99,
        epsilon=1e-5,
        kmeans_iterations=10,
        dead_threshold=2.0,
        ema="correct",
    )


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(batch: int = 4, frames: int = 50, seed: int = 1) -> Tensor:
    return torch.randn(batch, DIM, frames, generator=seeded(seed))


def rows(latent: Tensor) -> Tensor:
    return latent.transpose(1, 2).flatten(0, 1)


def started() -> ResidualVectorQuantizer:
    network = quantizer()
    network.initialize(rows(noise(8, 64)), seeded())
    return network


# What is coded


def test_decoded_codes_are_the_latent_of_the_forward_pass() -> None:
    network, latent = started(), noise()
    coded: Quantized = network(latent)
    assert torch.equal(network.encode(latent), coded.codes)
    assert torch.equal(network.decode(coded.codes), coded.latent)


def test_each_stage_codes_what_the_stages_before_it_left() -> None:
    network, latent = started(), noise()
    coded: Quantized = network(latent)
    left = rows(latent)
    for stage, codebook in enumerate(network.codebooks):
        index = nearest(left, codebook)
        assert torch.equal(coded.codes[:, stage].flatten(), index)
        assert torch.equal(rows(coded.stages[stage]), codebook[index])
        expected = (left - codebook[index]).square().mean()
        torch.testing.assert_close(coded.commitments[stage].mean(), expected)
        left = left - codebook[index]
    torch.testing.assert_close(coded.commitment, coded.commitments.mean(0))
    torch.testing.assert_close(coded.stages.sum(0), coded.latent)


def test_fewer_stages_decode_to_a_coarser_latent() -> None:
    network, latent = started(), noise()
    codes = network.encode(latent)
    errors = [(network.decode(codes[:, :k]) - latent).square().mean() for k in (1, 2, 3)]
    assert errors[0] > errors[1] > errors[2]


def test_the_order_of_a_batch_does_not_matter() -> None:
    network, latent = started().eval(), noise()
    coded, flipped = network(latent), network(latent.flip(0))
    assert torch.equal(coded.codes, flipped.codes.flip(0))
    assert torch.equal(coded.latent, flipped.latent.flip(0))


def test_two_books_of_1024_entries_take_twenty_bits_a_frame() -> None:
    coded: Quantized = quantizer(num_codebooks=2, codebook_size=1024)(noise())
    assert coded.bits_per_frame == 20


# Gradients


def test_the_gradient_of_the_latent_passes_unchanged() -> None:
    network = started()
    latent, upstream = noise().requires_grad_(), noise(seed=2)
    network(latent).latent.backward(upstream)
    assert latent.grad is not None
    assert torch.equal(latent.grad, upstream)


def test_the_gradient_of_each_stage_passes_unchanged() -> None:
    network = started()
    latent, upstream = noise().requires_grad_(), noise(seed=2)
    for stage in network(latent).stages:
        (gradient,) = torch.autograd.grad(stage, latent, upstream, retain_graph=True)
        assert torch.equal(gradient, upstream)


def test_the_commitment_of_every_stage_pulls_the_latent_to_its_entries() -> None:
    network = started()
    latent = noise().requires_grad_()
    coded: Quantized = network(latent)
    so_far = torch.zeros_like(latent)
    for stage in range(network.num_codebooks):
        (gradient,) = torch.autograd.grad(
            coded.commitments[stage].mean(), latent, retain_graph=True
        )
        so_far = so_far + coded.stages[stage].detach()
        torch.testing.assert_close(gradient, 2 * (latent - so_far).detach() / latent.numel())
        assert gradient.abs().min() > 0


def test_codebooks_are_no_parameters() -> None:
    assert list(started().parameters()) == []


# Precision


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_does_not_reach_the_quantizer(dtype: torch.dtype) -> None:
    network, latent = started(), noise().to(dtype)
    with torch.autocast("cpu", dtype=dtype):
        coded: Quantized = network(latent)
        codes = network.encode(latent)
    exact: Quantized = network(latent.float())
    assert coded.latent.dtype == coded.stages.dtype == coded.commitment.dtype == torch.float32
    assert torch.equal(coded.latent, exact.latent)
    assert torch.equal(coded.commitments, exact.commitments)
    assert torch.equal(codes, exact.codes)


def test_half_precision_gets_its_gradient_back_in_half_precision() -> None:
    network = started()
    latent = noise().bfloat16().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        network(latent).latent.sum().backward()
    assert latent.grad is not None
    assert latent.grad.dtype == torch.bfloat16


def test_neither_coding_nor_updating_waits_for_the_device() -> None:
    # A fake tensor has no values: reading one on the host, or a shape that depends on one, raises.
    with FakeTensorMode():
        network = quantizer()
        latent = torch.empty(2, DIM, 5, requires_grad=True)
        coded: Quantized = network(latent)
        torch.autograd.backward(coded.latent.sum() + coded.commitment.sum())
        network.update(torch.Generator())
        assert network.codebooks.shape == (3, SIZE, DIM)
