"""The balancer against its formula in float64, by hand, and over the split of a batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from codecctl.engine.balancer import Balancer, gradients_of, item_norm
from codecctl.engine.recipes.objective import Objective
from codecctl.errors import ProfileError

CPU = torch.device("cpu")
DOCUMENT = {"time": 0.1, "mel": 1.0, "generator": 3.0, "feature": 3.0}


def balancer(
    weights: dict[str, float], *, decay: float = 0.999, total_norm: float = 1.0
) -> Balancer:
    return Balancer(weights, weights, total_norm=total_norm, decay=decay, epsilon=1e-12, device=CPU)


def random_gradients(names: list[str], *, seed: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        name: 10.0**power * torch.randn(4, 1, 50, generator=generator, dtype=torch.float64)
        for power, name in enumerate(names)
    }


def test_weights_and_terms_that_differ_are_refused_when_it_is_made() -> None:
    with pytest.raises(ProfileError, match=r"differ in \['l_t', 'time'\]"):
        Balancer({"time": 1.0}, ["l_t"], total_norm=1.0, decay=0.999, epsilon=1e-12, device=CPU)


def test_the_weights_of_the_document_are_shares_whatever_the_sizes() -> None:
    shares = balancer(DOCUMENT).combine(random_gradients(list(DOCUMENT), seed=0)).shares
    percent = {name: round(100 * share.item(), 2) for name, share in shares.items()}
    assert percent == {"time": 1.41, "mel": 14.08, "generator": 42.25, "feature": 42.25}


def test_on_a_graph_each_loss_pulls_with_the_share_of_its_weight() -> None:
    """Each loss hears one sample, so that the parts of the gradient can be told apart."""
    estimate = torch.zeros(1, 1, 4, requires_grad=True)
    steepness = {"time": 1e3, "mel": 1e-2, "generator": 7.0, "feature": 50.0}
    losses = {
        name: slope * (estimate[0, 0, sample] - 1).square()
        for sample, (name, slope) in enumerate(steepness.items())
    }
    objective = Objective({}, DOCUMENT, balancer=balancer(DOCUMENT))
    pull = objective.combine(objective.gradients(losses, estimate, keep_graph=False))
    parts = (-100 * pull.gradient[0, 0]).tolist()
    assert parts == pytest.approx([1.408, 14.085, 42.254, 42.254], abs=1e-3)
    logged = [100 * pull.scalars[f"balancer/{name}"].item() for name in DOCUMENT]
    assert logged == pytest.approx(parts, abs=1e-3)


def test_many_steps_are_the_formula_in_float64() -> None:
    ours = balancer(DOCUMENT, decay=0.9, total_norm=2.0)
    sums = dict.fromkeys(DOCUMENT, 0.0)
    count = 0.0
    for step in range(5):
        gradients = random_gradients(list(DOCUMENT), seed=step)
        count = 0.9 * count + 1
        expected = np.zeros((4, 1, 50))
        for name, gradient in gradients.items():
            values = gradient.numpy()
            norm = np.mean([np.sqrt((item**2).sum()) for item in values])
            sums[name] = 0.9 * sums[name] + norm
            expected += 2.0 * DOCUMENT[name] / 7.1 * values / (sums[name] / count + 1e-12)
        combined = ours.combine(gradients)
        np.testing.assert_allclose(combined.gradient.numpy(), expected, rtol=1e-12)
        for name, size in combined.sizes.items():
            assert size.item() == pytest.approx(sums[name] / count, rel=1e-12)


def test_without_balancing_gradients_add_up_with_their_weights() -> None:
    """The published toy: |x - 1| and 100 |x + 1| pull at 0 with -1 and 100."""
    estimate = torch.zeros(1, requires_grad=True)
    losses = {"near": (estimate - 1).abs().mean(), "far": 100 * (estimate + 1).abs().mean()}
    objective = Objective({}, {"near": 1.0, "far": 1.0}, balancer=None)
    assert objective.combine(
        objective.gradients(losses, estimate, keep_graph=False)
    ).gradient.tolist() == [99.0]


def test_with_balancing_opposite_gradients_cancel() -> None:
    """The same toy balanced: both sizes become one."""
    estimate = torch.zeros(1, requires_grad=True)
    losses = {"near": (estimate - 1).abs().mean(), "far": 100 * (estimate + 1).abs().mean()}
    weights = {"near": 1.0, "far": 1.0}
    objective = Objective({}, weights, balancer=balancer(weights))
    assert objective.combine(
        objective.gradients(losses, estimate, keep_graph=False)
    ).gradient.tolist() == [0.0]


def test_a_term_outside_the_balance_keeps_its_own_size() -> None:
    estimate = torch.zeros(2, 3, requires_grad=True)
    losses = {"inside": 1e6 * estimate.sum(), "outside": 2 * estimate.sum()}
    objective = Objective({}, {"inside": 5.0, "outside": 0.5}, balancer=balancer({"inside": 5.0}))
    pull = objective.combine(objective.gradients(losses, estimate, keep_graph=False))
    inside = 1 / np.sqrt(3)  # an item's gradient has norm one
    torch.testing.assert_close(pull.gradient, torch.full((2, 3), inside + 1.0))
    assert pull.scalars["balancer/inside"].item() == 1.0


def test_absent_terms_leave_their_share_to_the_others() -> None:
    ours = balancer(DOCUMENT)
    shares = ours.combine(random_gradients(["time", "mel"], seed=0)).shares
    assert {name: round(share.item(), 4) for name, share in shares.items()} == {
        "time": 0.0909,
        "mel": 0.9091,
    }


def test_a_term_that_comes_late_starts_with_its_own_size() -> None:
    """The average is corrected for each term's own number of steps."""
    ours = balancer(DOCUMENT)
    for step in range(10):
        ours.combine(random_gradients(["time", "mel"], seed=step))
    gradients = random_gradients(list(DOCUMENT), seed=99)
    late = ours.combine(gradients)
    assert late.sizes["feature"].item() == pytest.approx(item_norm(gradients["feature"]).item())


def test_a_term_without_gradient_pulls_nothing_and_breaks_nothing() -> None:
    gradients = random_gradients(["time", "mel"], seed=0)
    gradients["mel"] = torch.zeros_like(gradients["mel"])
    combined = balancer({"time": 1.0, "mel": 1.0}).combine(gradients)
    assert bool(combined.gradient.isfinite().all())
    assert combined.shares["mel"].item() == 0


def test_the_balance_does_not_depend_on_how_a_batch_is_split() -> None:
    """Two ranks whose local means run over half the items, in float64."""
    whole = random_gradients(["time", "mel"], seed=0)
    # A mean over half as many items has twice the gradient.
    halves = [{n: 2 * g[rows] for n, g in whole.items()} for rows in (slice(0, 2), slice(2, 4))]
    norms = [torch.stack([item_norm(g) for g in half.values()]) for half in halves]
    weights = {"time": 1.0, "mel": 2.0}
    expected = balancer(weights).combine(whole).gradient
    parts = [
        Balancer(
            weights,
            weights,
            total_norm=1.0,
            decay=0.999,
            epsilon=1e-12,
            device=CPU,
            over_ranks=lambda _: torch.stack(norms).mean(0),
        )
        .combine(half)
        .gradient
        for half in halves
    ]
    torch.testing.assert_close(torch.cat(parts), expected, rtol=1e-9, atol=0)


def test_a_saved_balance_continues_bit_for_bit() -> None:
    ours, theirs = balancer(DOCUMENT), balancer(DOCUMENT)
    for step in range(3):
        ours.combine(random_gradients(list(DOCUMENT), seed=step))
    theirs.load_state_dict(ours.state_dict())  # type: ignore[arg-type]  # plain dicts of tensors
    gradients = random_gradients(list(DOCUMENT), seed=3)
    assert torch.equal(ours.combine(gradients).gradient, theirs.combine(gradients).gradient)


def test_gradients_stop_at_the_estimate() -> None:
    weight = torch.ones(3, requires_grad=True)
    estimate = (2 * weight).detach().requires_grad_()
    gradients = gradients_of(
        {"a": estimate.sum(), "b": estimate.square().sum()}, estimate, keep_graph=False
    )
    assert gradients["b"].tolist() == [4.0, 4.0, 4.0]
    assert weight.grad is None
