"""Similarity and diversity: signs, gradients, bounds."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from codecctl.engine.losses.pairwise import DIVERSITIES, similarity
from codecctl.engine.quantizers import ResidualVectorQuantizer


def vectors(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def quantizer() -> ResidualVectorQuantizer:
    torch.manual_seed(0)
    return ResidualVectorQuantizer(
        dim=4,
        num_codebooks=2,
        codebook_size=8,
        decay=0.99,
        epsilon=1e-5,
        kmeans_iterations=2,
        dead_threshold=0.0,
        ema="correct",
    ).eval()


def test_identical_capsules_are_wholly_similar_and_not_diverse() -> None:
    one = vectors(3, 1, 4, 5)
    both = one.expand(3, 2, 4, 5)
    assert similarity(both).tolist() == [0, 0, 0]
    for diversity in DIVERSITIES.values():
        assert diversity(both, margin=1.0).tolist() == [0, 0, 0]


def test_similarity_is_the_mean_squared_difference_of_each_item() -> None:
    first = torch.zeros(2, 4, 5)
    second = torch.stack([torch.full((4, 5), 3.0), torch.full((4, 5), -0.5)])
    pair = torch.stack([first, second], 1)
    assert similarity(pair).tolist() == [9.0, 0.25]
    assert DIVERSITIES["neg_mse"](pair, margin=1.0).tolist() == [-9.0, -0.25]


@pytest.mark.parametrize("kind", sorted(DIVERSITIES))
def test_diversity_is_never_positive(kind: str) -> None:
    assert bool((DIVERSITIES[kind](vectors(64, 2, 4, 5), margin=0.3) <= 0).all())


def test_the_bounded_form_stops_at_its_margin_frame_by_frame() -> None:
    pair = torch.zeros(1, 2, 4, 2)
    pair[0, 1, :, 0] = 10.0  # far apart
    pair[0, 1, :, 1] = 0.5  # 0.25 apart
    pair.requires_grad_()
    value = DIVERSITIES["hinge"](pair, margin=1.0)
    assert value.tolist() == [-(1.0 + 0.25) / 2]
    (gradient,) = torch.autograd.grad(value.sum(), pair)
    assert not bool(gradient[..., 0].any())
    assert bool(gradient[..., 1].all())


def test_three_capsules_are_three_pairs() -> None:
    triple = vectors(2, 3, 4, 5)
    pairs = [similarity(triple[:, [i, j]]) for i, j in ((0, 1), (0, 2), (1, 2))]
    torch.testing.assert_close(similarity(triple), torch.stack(pairs).mean(0))


def test_the_order_of_capsules_does_not_matter() -> None:
    pair = vectors(2, 2, 4, 5)
    torch.testing.assert_close(similarity(pair.flip(1)), similarity(pair))


def test_the_gradients_at_the_encoder_are_those_of_the_document() -> None:
    book = quantizer()
    latent = vectors(2, 4, 5).requires_grad_()  # the two capsules of one item
    stages = book(latent).stages  # (K, 2, D, F)
    first, second = stages.detach()
    pairs = stages[:, None]  # (K, 1, 2, D, F)
    size = 4 * 5
    (similar,) = torch.autograd.grad(similarity(pairs[0]).sum(), latent, retain_graph=True)
    torch.testing.assert_close(similar[0], 2 / size * (first[0] - first[1]))
    torch.testing.assert_close(similar[1], -similar[0])
    diversity = DIVERSITIES["neg_mse"](pairs[1], margin=1.0).sum()
    (diverse,) = torch.autograd.grad(diversity, latent)
    torch.testing.assert_close(diverse[0], -2 / size * (second[0] - second[1]))


def test_descending_brings_first_vectors_together_and_drives_second_ones_apart() -> None:
    pair = vectors(1, 2, 4, 5).requires_grad_()
    (towards,) = torch.autograd.grad(similarity(pair).sum(), pair)
    (away,) = torch.autograd.grad(DIVERSITIES["neg_mse"](pair, margin=1.0).sum(), pair)
    now = similarity(pair)
    assert bool((similarity(pair - 0.1 * towards) < now).all())
    assert bool((similarity(pair - 0.1 * away) > now).all())


def test_frames_count_as_often_as_their_weights_say() -> None:
    pair = torch.zeros(1, 2, 4, 3)
    pair[0, 1] = torch.tensor([1.0, 2.0, 3.0])  # 1, 4 and 9 apart
    frames = torch.tensor([[[0.0, 0.5, 2.5]]])
    assert similarity(pair, frames=frames).item() == pytest.approx((0.5 * 4 + 2.5 * 9) / 3)
    neg, hinge = (
        DIVERSITIES[kind](pair, margin=5.0, frames=frames) for kind in ("neg_mse", "hinge")
    )
    assert neg.item() == pytest.approx(-(0.5 * 4 + 2.5 * 9) / 3)
    assert hinge.item() == pytest.approx(-(0.5 * 4 + 2.5 * 5) / 3)


def test_weights_of_one_change_no_bit() -> None:
    triple = vectors(2, 3, 4, 5)
    frames = torch.ones(2, 3, 5)
    assert torch.equal(similarity(triple, frames=frames), similarity(triple))
