from __future__ import annotations

import pytest
import torch

from codecctl.engine.balancer import gradients_of
from codecctl.engine.recipes.scaling import FIRST, LARGEST, PATIENCE, SMALLEST, LossScale

YES, NO = torch.tensor(True), torch.tensor(False)


def scale(value: float = FIRST) -> LossScale:
    made = LossScale(torch.device("cpu"))
    made.value = torch.tensor(value)
    return made


def test_an_overflow_halves_the_scale_and_patience_doubles_it() -> None:
    found = scale()
    found.update(YES)
    assert found.value == FIRST / 2
    for _ in range(PATIENCE - 1):
        found.update(NO)
    assert found.value == FIRST / 2
    found.update(NO)
    assert found.value == FIRST
    found.update(NO)
    assert found.value == FIRST


def test_an_overflow_starts_the_count_anew() -> None:
    found = scale()
    for _ in range(PATIENCE - 1):
        found.update(NO)
    found.update(YES)
    for _ in range(PATIENCE - 1):
        found.update(NO)
    assert found.value == FIRST / 2


def test_the_scale_has_bounds() -> None:
    low, high = scale(SMALLEST), scale(LARGEST)
    low.update(YES)
    for _ in range(PATIENCE):
        high.update(NO)
    assert low.value == SMALLEST
    assert high.value == LARGEST


def test_unscaling_is_exact() -> None:
    gradients = [torch.randn(3, 2), torch.randn(5)]
    scaled = [gradient * FIRST for gradient in gradients]
    scale().unscale_(scaled)
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(scaled, gradients, strict=True))
    scale().unscale_([])


def test_a_restored_scale_goes_on_where_it_was() -> None:
    one, other = scale(), scale(1.0)
    for _ in range(PATIENCE - 1):
        one.update(NO)
    other.load_state_dict(one.state_dict())
    for each in (one, other):
        each.update(NO)
    assert one.value == other.value == 2 * FIRST


def test_a_gradient_at_the_estimate_survives_half_precision_only_if_scaled() -> None:
    estimate = torch.ones(4, requires_grad=True)

    def found(factor: torch.Tensor | None) -> torch.Tensor:
        judged = estimate.half() * 1e-4  # a judge in float16
        loss = (judged.float() * 1e-5).sum()
        return gradients_of({"generator": loss}, estimate, keep_graph=False, scale=factor)[
            "generator"
        ]

    assert found(None).count_nonzero() == 0  # 1e-9 is below the smallest float16
    expected = torch.full((4,), 1e-9)
    torch.testing.assert_close(found(torch.tensor(FIRST)), expected, rtol=1e-3, atol=0)


def test_in_float32_a_scale_changes_no_bit_of_a_gradient() -> None:
    estimate = torch.randn(4, 3, requires_grad=True)
    target = torch.randn(4, 3)

    def found(factor: torch.Tensor | None) -> dict[str, torch.Tensor]:
        terms = {
            "time": (estimate - target).abs().mean(),
            "mel": (estimate - target).square().sum(),
        }
        return gradients_of(terms, estimate, keep_graph=False, scale=factor)

    plain, scaled = found(None), found(torch.tensor(FIRST))
    assert all(torch.equal(plain[name], scaled[name]) for name in plain)


@pytest.mark.parametrize("value", [SMALLEST, FIRST, LARGEST])
def test_every_scale_is_a_power_of_two(value: float) -> None:
    assert float(value).hex().startswith("0x1.0000000000000p")
