"""Factors that keep the gradients of terms at their share, by hand and by identity."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from codecctl.engine.recipes.shares import LARGEST_FACTOR, GradientShares

MADE = torch.tensor(False)
"""No update was left out."""


class Pass(nn.Module):
    """A quantizer that gives its input back."""

    def forward(self, latent: Tensor) -> SimpleNamespace:
        return SimpleNamespace(latent=1.0 * latent)


def shares(module: nn.Module | None = None, *, decay: float = 0.0) -> GradientShares:
    return GradientShares(
        module or Pass(),
        shares={"similarity": 0.5, "diversity": 0.1},
        stages={"similarity": 0, "diversity": 1},
        decay=decay,
        device=torch.device("cpu"),
        over_ranks=lambda values: values,
    )


def step(
    found: GradientShares,
    module: nn.Module,
    *,
    wave: float,
    sizes: tuple[float, float],
    parts: int = 1,
) -> tuple[Tensor, Tensor]:
    """One backward: gradients of 4 values each; returns those at latent and stages, summed up."""
    at_latent, at_stages = torch.zeros(4), torch.zeros(2, 4)
    for part in range(parts):
        latent = torch.ones(4, requires_grad=True)
        vectors = torch.ones(2, 4, requires_grad=True)
        stages = 1.0 * vectors
        found.watch(stages)
        decoded = module(latent).latent
        chosen = torch.arange(4) % parts == part
        loss = wave * decoded[chosen].sum()
        for stage, name in enumerate(("similarity", "diversity")):
            term = found.scaled(name, sizes[stage] * stages[stage][chosen].sum())
            loss = loss + term
        loss.backward()
        assert latent.grad is not None and vectors.grad is not None
        at_latent, at_stages = at_latent + latent.grad, at_stages + vectors.grad
    return at_latent, at_stages


def test_after_one_update_the_gradients_have_their_shares() -> None:
    module = Pass()
    found = shares(module)
    step(found, module, wave=3.0, sizes=(20.0, -0.7))
    had = found.update(MADE)
    assert had == {"factor/similarity": 1.0, "factor/diversity": 1.0}
    latent, stages = step(found, module, wave=3.0, sizes=(20.0, -0.7))
    assert (stages[0].norm() / latent.norm()).item() == pytest.approx(0.5)
    assert (stages[1].norm() / latent.norm()).item() == pytest.approx(0.1)
    found.update(MADE)
    assert found.factors["similarity"].item() == pytest.approx(0.5 * 3 / 20)  # and stays there


def test_a_factor_changes_the_gradient_and_not_the_value() -> None:
    found = shares()
    found.factors["similarity"] = torch.tensor(7.0, dtype=torch.float64)
    values = torch.tensor([1.25, -3.5], requires_grad=True)
    scaled = found.scaled("similarity", values)
    assert torch.equal(scaled, values)
    (gradient,) = torch.autograd.grad(scaled.sum(), values)
    assert gradient.tolist() == [7.0, 7.0]
    assert found.scaled("another", values) is values


def test_a_batch_in_parts_has_the_factors_of_the_whole() -> None:
    whole, parted = Pass(), Pass()
    ours, theirs = shares(whole), shares(parted)
    step(ours, whole, wave=3.0, sizes=(20.0, -0.7))
    step(theirs, parted, wave=3.0, sizes=(20.0, -0.7), parts=2)
    ours.update(MADE)
    theirs.update(MADE)
    for name, factor in ours.factors.items():
        torch.testing.assert_close(factor, theirs.factors[name])


def test_averages_are_corrected_and_smooth() -> None:
    module = Pass()
    found = shares(module, decay=0.5)
    for wave in (1.0, 4.0):
        step(found, module, wave=wave, sizes=(2.0, 2.0))
        found.update(MADE)
    # (0.5 * 1 + 4) / 1.5 = 3 for reconstruction, 2 for the term.
    assert found.factors["similarity"].item() == pytest.approx(0.5 * 3 / 2)


def test_a_term_without_a_gradient_keeps_its_factor() -> None:
    module = Pass()
    found = shares(module)
    step(found, module, wave=3.0, sizes=(20.0, -0.7))
    found.update(MADE)
    before = dict(found.factors)
    step(found, module, wave=3.0, sizes=(0.0, float("inf")))
    found.update(MADE)
    assert found.factors == before
    step(found, module, wave=3.0, sizes=(1e-9, 1e9))
    found.update(MADE)
    assert found.factors["similarity"].item() == LARGEST_FACTOR
    assert found.factors["diversity"].item() == pytest.approx(1 / LARGEST_FACTOR)


def test_no_scale_of_the_loss_matters() -> None:
    plain, scaled = Pass(), Pass()
    ours, theirs = shares(plain), shares(scaled)
    step(ours, plain, wave=3.0, sizes=(20.0, -0.7))
    step(theirs, scaled, wave=3.0 * 65536, sizes=(20.0 * 65536, -0.7 * 65536))
    ours.update(MADE)
    theirs.update(MADE)
    torch.testing.assert_close(ours.factors, theirs.factors)


def test_a_state_continues_bit_for_bit() -> None:
    modules = Pass(), Pass()
    straight, other = (shares(module, decay=0.9) for module in modules)
    step(straight, modules[0], wave=3.0, sizes=(20.0, -0.7))
    straight.update(MADE)
    other.load_state_dict(straight.state_dict())  # type: ignore[arg-type]  # as it was saved
    for module, found in zip(modules, (straight, other), strict=True):
        step(found, module, wave=1.0, sizes=(3.0, -0.2))
        found.update(MADE)
    assert straight.factors == other.factors


def test_what_is_only_measured_is_not_heard() -> None:
    module = Pass()
    found = shares(module)
    with torch.no_grad():
        module(torch.ones(4, requires_grad=True))
        found.watch(torch.ones(2, 4))
    before = dict(found.factors)
    found.update(MADE)
    assert found.factors == before
