"""Hinge and feature matching by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from codecctl.engine.losses.adversarial import (
    group_means,
    hinge_discriminator_loss,
    hinge_generator_loss,
    relative_feature_loss,
    summed_feature_loss,
)


def logits(*values: float) -> Tensor:
    """One logit for each signal."""
    return torch.tensor(values).reshape(-1, 1, 1, 1)


def test_groups_are_the_columns_of_a_batch() -> None:
    values = torch.tensor([1.0, 10.0, 3.0, 30.0])  # two items of two capsules
    assert group_means(values, 2).tolist() == [2.0, 20.0]
    assert group_means(values, 1).tolist() == [11.0]


def test_the_generator_wants_logits_of_one_and_no_more() -> None:
    loss = hinge_generator_loss([logits(0.0, 5.0), logits(-1.0, 1.0)], num_groups=2)
    assert loss.tolist() == [1.5, 0.0]  # mean of 1 and 2; satisfied at both scales


def test_the_discriminator_is_content_beyond_plus_and_minus_one() -> None:
    loss = hinge_discriminator_loss([logits(-2.0, 0.5)], [logits(3.0, 0.25)], num_groups=2)
    assert loss.tolist() == [0.0, 0.75 + 1.5]


def test_a_satisfied_hinge_has_no_gradient() -> None:
    content = logits(1.5).requires_grad_()
    loss = hinge_generator_loss([content], num_groups=1).sum()
    (gradient,) = torch.autograd.grad(loss, content)
    assert gradient.item() == 0


def test_features_count_relative_to_the_reference() -> None:
    reference = [[torch.full((2, 4, 3), 2.0), torch.full((2, 4), 100.0)]]
    estimate = [[torch.full((2, 4, 3), 3.0), torch.full((2, 4), 100.0)]]
    loss = relative_feature_loss(estimate, reference, num_groups=1)
    assert loss.tolist() == [0.25]  # half off in one map of two


def test_scaling_all_features_changes_nothing() -> None:
    generator = torch.Generator().manual_seed(0)
    estimate, reference = (torch.randn(4, 8, 5, generator=generator) for _ in range(2))
    plain = relative_feature_loss([[estimate]], [[reference]], num_groups=2)
    scaled = relative_feature_loss([[7 * estimate]], [[7 * reference]], num_groups=2)
    torch.testing.assert_close(scaled, plain)


def test_each_capsule_has_its_own_ratio() -> None:
    reference = torch.tensor([1.0, 10.0, 3.0, 30.0]).reshape(4, 1)
    estimate = torch.tensor([2.0, 10.0, 4.0, 20.0]).reshape(4, 1)
    loss = relative_feature_loss([[estimate]], [[reference]], num_groups=2)
    assert loss.tolist() == pytest.approx([1.0 / 2.0, 5.0 / 20.0])


def test_a_map_that_is_zero_for_the_reference_counts_absolutely() -> None:
    loss = relative_feature_loss([[torch.full((1, 3), 0.5)]], [[torch.zeros(1, 3)]], num_groups=1)
    assert loss.tolist() == [0.5]


def test_the_reference_gets_no_gradient() -> None:
    estimate = torch.ones(1, 3, requires_grad=True)
    reference = torch.full((1, 3), 2.0, requires_grad=True)
    loss = relative_feature_loss([[estimate]], [[reference]], num_groups=1).sum()
    ours, theirs = torch.autograd.grad(loss, [estimate, reference], allow_unused=True)
    assert theirs is None
    assert bool(ours.any())


def test_the_ratio_is_that_of_the_global_batch_however_it_is_split() -> None:
    generator = torch.Generator().manual_seed(0)
    estimate, reference = (
        torch.randn(4, 6, generator=generator, dtype=torch.float64) for _ in range(2)
    )
    whole = relative_feature_loss([[estimate]], [[reference]], num_groups=1)
    level = reference.abs().mean().reshape(1, 1)  # what the parts agree on
    halves = [
        relative_feature_loss([[estimate[rows]]], [[reference[rows]]], num_groups=1, levels=level)
        for rows in (slice(0, 2), slice(2, 4))
    ]
    torch.testing.assert_close(torch.stack(halves).mean(0), whole)


def test_summed_features_are_sums_over_width_and_bins_and_means_over_time() -> None:
    estimate = [[torch.ones(2, 3, 4, 5)], [torch.zeros(2, 1, 2, 1), 2 * torch.ones(2, 2, 2, 1)]]
    reference = [[torch.zeros_like(maps) for maps in scale] for scale in estimate]
    # The first scale differs by 3 * 5; the second by 0 and 2 * 2, mean 2; over scales (15 + 2) / 2.
    loss = summed_feature_loss(estimate, reference, num_groups=1)
    torch.testing.assert_close(loss, torch.tensor([8.5]))


def test_summed_features_leave_the_reference_alone() -> None:
    fake, real = (torch.randn(2, 3, 4, 1, requires_grad=True) for _ in range(2))
    torch.autograd.backward(summed_feature_loss([[fake]], [[real]], num_groups=2).sum())
    assert fake.grad is not None and real.grad is None
