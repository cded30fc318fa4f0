"""What all quantizers share, and what tells the others from the residual one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import cast

import pytest
import torch
from torch import Tensor, nn

from codecctl.engine.quantizers import (
    FiniteScalarQuantizer,
    GroupedQuantizer,
    LearnedResidualQuantizer,
    Quantizer,
    ResidualVectorQuantizer,
)

DIM = 8
SIZE = 16


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(batch: int = 3, frames: int = 40, seed: int = 1) -> Tensor:
    return torch.randn(batch, DIM, frames, generator=seeded(seed))


def rows(latent: Tensor) -> Tensor:
    return latent.transpose(1, 2).flatten(0, 1)


def residual(dim: int = DIM) -> ResidualVectorQuantizer:
    return ResidualVectorQuantizer(
        dim=dim,
        num_codebooks=3,
        codebook_size=SIZE,
        decay=0.9,
        epsilon=1e-5,
        kmeans_iterations=10,
        dead_threshold=2.0,
        ema="correct",
    )


def learned() -> LearnedResidualQuantizer:
    return LearnedResidualQuantizer(
        dim=DIM, num_codebooks=3, codebook_size=SIZE, kmeans_iterations=10
    )


def grouped() -> GroupedQuantizer:
    return GroupedQuantizer([residual(DIM // 2), residual(DIM // 2)])


def scalar() -> FiniteScalarQuantizer:
    return FiniteScalarQuantizer(dim=DIM, levels=[8, 5, 3])


KINDS: dict[str, Callable[[], Quantizer]] = {
    "rvq": residual,
    "vq": learned,
    "grouped": grouped,
    "fsq": scalar,
}


@pytest.fixture(params=KINDS)
def network(request: pytest.FixtureRequest) -> Quantizer:
    built = KINDS[request.param]()
    built.initialize(rows(noise(8, 64)), seeded())
    return built


# What all share


def test_decoded_codes_are_the_latent_of_the_forward_pass(network: Quantizer) -> None:
    latent = noise()
    coded = network(latent)
    assert coded.codes.shape == (3, network.num_codebooks, 40)
    assert torch.equal(network.encode(latent), coded.codes)
    torch.testing.assert_close(network.decode(coded.codes), coded.latent)


def test_the_stages_add_up_to_the_latent(network: Quantizer) -> None:
    coded = network(noise())
    torch.testing.assert_close(coded.stages.sum(0), coded.latent)


def test_codes_stay_within_the_codebook(network: Quantizer) -> None:
    codes = network.encode(100 * noise())
    assert codes.min() >= 0 and codes.max() < network.codebook_size


@pytest.mark.parametrize(
    ("kind", "frames", "bits"),
    [
        ("rvq", 4 * SIZE, 3 * math.log2(SIZE)),
        ("vq", 4 * SIZE, 3 * math.log2(SIZE)),
        ("grouped", 4 * SIZE, 2 * 3 * math.log2(SIZE)),
        ("fsq", 0, math.log2(8 * 5 * 3)),
    ],
)
def test_the_start_wants_four_frames_for_an_entry_and_the_result_tells_its_bits(
    kind: str, frames: int, bits: float
) -> None:
    network = KINDS[kind]()
    assert network.frames_needed == frames
    assert network(noise()).bits_per_frame == pytest.approx(bits)
    assert network.bits_per_frame == pytest.approx(bits)


def test_items_do_not_meet(network: Quantizer) -> None:
    cast(nn.Module, network).eval()
    latent = noise()
    whole, alone = network(latent), network(latent[1:2])
    torch.testing.assert_close(whole.latent[1:2], alone.latent)
    torch.testing.assert_close(whole.commitments[:, 1:2], alone.commitments)


def test_autocast_reaches_none(network: Quantizer) -> None:
    latent = noise().bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        coded = network(latent)
    assert coded.latent.dtype == torch.float32
    assert torch.equal(coded.latent, network(latent.float()).latent)


# Depths


@pytest.mark.parametrize("build", [residual, learned, grouped])
def test_an_item_of_a_depth_is_what_its_first_codes_decode_to(
    build: Callable[[], Quantizer],
) -> None:
    network, latent = build(), noise()
    network.initialize(rows(noise(8, 64)), seeded())
    groups = 2 if isinstance(network, GroupedQuantizer) else 1
    coded = network(latent, torch.tensor([1, 3, 2]))
    for item, depth in enumerate((1, 3, 2)):
        first = coded.codes[item : item + 1, : depth * groups]
        torch.testing.assert_close(coded.latent[item : item + 1], network.decode(first))
        assert (coded.commitments[depth * groups :, item] == 0).all()
        assert (coded.commitments[: depth * groups, item] > 0).all()
        mean = coded.commitments[: depth * groups, item].mean()
        torch.testing.assert_close(coded.commitment[item], mean)


def test_what_is_left_out_moves_no_codebook() -> None:
    one, other = residual(), residual()
    other.load_state_dict(one.state_dict())
    latent = noise()
    for network in (one, other):
        network.initialize(rows(noise(8, 64)), seeded())
    one(latent, torch.tensor([1, 1, 1]))
    one.update(seeded())
    other(latent)
    other.update(seeded())
    torch.testing.assert_close(one.sums[0], other.sums[0])
    # No vector came to the other codebooks: their counts only decayed, then the dead revived.
    assert one.counts[1:].sum() < other.counts[1:].sum()


# Learned codebooks


def test_the_attraction_moves_entries_and_the_commitment_latents() -> None:
    network, latent = learned(), noise().requires_grad_()
    network.initialize(rows(noise(8, 64)), seeded())
    coded = network(latent)
    torch.testing.assert_close(coded.attraction, coded.commitment)
    (moved,) = torch.autograd.grad(coded.attraction.sum(), network.codebooks, retain_graph=True)
    (pulled,) = torch.autograd.grad(coded.commitment.sum(), latent, retain_graph=True)
    assert moved.abs().sum() > 0 and pulled.abs().sum() > 0
    (none,) = torch.autograd.grad(coded.attraction.sum(), latent, allow_unused=True)
    assert none is None


def test_the_gradient_of_a_learned_entry_is_that_of_a_mean_square() -> None:
    network = LearnedResidualQuantizer(dim=2, num_codebooks=1, codebook_size=2, kmeans_iterations=0)
    with torch.no_grad():
        network.codebooks.copy_(torch.tensor([[[0.0, 0.0], [10.0, 10.0]]]))
    coded = network(torch.tensor([[[1.0, 2.0], [3.0, 4.0]]]))  # frames (1, 3) and (2, 4)
    assert coded.codes.tolist() == [[[0, 0]]]
    (moved,) = torch.autograd.grad(coded.attraction.sum(), network.codebooks)
    # d/de mean((x - e)^2) over 2 frames of width 2: -(2 / 4) (1 + 2), -(2 / 4) (3 + 4).
    assert moved.tolist() == [[[-1.5, -3.5], [0.0, 0.0]]]


def test_an_optimizer_carries_learned_entries_to_the_vectors() -> None:
    network, latent = learned(), noise(8, 64)
    network.initialize(rows(noise(8, 64, seed=5)), seeded())
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    before = float(network(latent).commitment.mean())
    for _ in range(60):
        optimizer.zero_grad()
        network(latent).attraction.mean().backward()
        optimizer.step()
    assert float(network(latent).commitment.mean()) < 0.9 * before


# Groups


def test_groups_code_their_part_alone() -> None:
    network, latent = grouped(), noise()
    network.initialize(rows(noise(8, 64)), seeded())
    halves = [cast(ResidualVectorQuantizer, half) for half in network.groups]
    codes = network.encode(latent)
    assert network.bits_per_frame == 2 * 3 * 4
    for at, half in enumerate(halves):
        own = half.encode(latent[:, 4 * at : 4 * at + 4])
        assert torch.equal(codes[:, at::2], own)


# Scalars


def test_a_grid_has_as_many_codes_as_points_and_each_decodes_to_itself() -> None:
    network = scalar()
    assert network.codebook_size == 120
    codes = torch.arange(120).view(1, 1, 120)
    digits = codes.flatten()[:, None] // network.basis % network.levels - network.levels // 2
    assert torch.equal(network._index(digits), codes.flatten())
    assert [sorted(set(column.tolist())) for column in digits.T] == [
        [-4, -3, -2, -1, 0, 1, 2, 3],
        [-2, -1, 0, 1, 2],
        [-1, 0, 1],
    ]


def test_every_level_is_reached_and_none_beyond() -> None:
    network = scalar()
    line = torch.linspace(-20, 20, 4001)[:, None].expand(-1, 3)
    digits = network._bounded(line).round()
    for column, levels in zip(digits.T, (8, 5, 3), strict=True):
        assert len(set(column.tolist())) == levels
        assert (column.diff() >= 0).all()
    assert (network._bounded(torch.zeros(1, 3)).abs() < 1e-6).all()  # silence stays at the middle


def test_the_gradient_passes_the_rounding() -> None:
    network, latent = scalar(), noise().requires_grad_()
    network(latent).latent.square().sum().backward()
    assert latent.grad is not None and latent.grad.abs().min() > 0
    assert network.narrow.weight.grad is not None
