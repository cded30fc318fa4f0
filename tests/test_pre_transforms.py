"""Pre-transforms against their formulas, in float64."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from codecctl.engine.networks.complex_channels import from_channels, to_channels
from codecctl.engine.networks.pre_transforms import (
    FLOOR,
    LogMag,
    NoTransform,
    PowerNorm,
    PreTransform,
)

TRANSFORMS: dict[str, PreTransform] = {
    "none": NoTransform(),
    "power_norm": PowerNorm(alpha=0.65, beta=0.35),
    "log_mag": LogMag(alpha=1.0),
    "steep": LogMag(alpha=300.0),
}


def spectrum(channels: int = 2) -> Tensor:
    """Magnitudes from far below the floor to far above 1, any phase."""
    generator = torch.Generator().manual_seed(0)
    shape = (1, channels, 9, 40)
    magnitudes = 10 ** torch.linspace(-9, 3, 40, dtype=torch.float64).expand(shape)
    phases = 7 * torch.rand(shape, dtype=torch.float64, generator=generator)
    return torch.polar(magnitudes, phases)


@pytest.mark.parametrize("channels", [1, 2, 32])
@pytest.mark.parametrize("name", TRANSFORMS)
def test_the_inverse_is_exact_at_every_level(name: str, channels: int) -> None:
    transform = TRANSFORMS[name]
    given = to_channels(spectrum(channels))
    back = transform.inverse(transform(given))
    torch.testing.assert_close(back, given, rtol=1e-12, atol=1e-22)


def test_power_norm_is_its_formula_above_the_floor_and_a_line_below() -> None:
    numbers = spectrum()
    done = from_channels(TRANSFORMS["power_norm"](to_channels(numbers)))
    magnitudes = numbers.abs()
    expected = torch.where(
        magnitudes > FLOOR, 0.35 * magnitudes**0.65, 0.35 * FLOOR**-0.35 * magnitudes
    )
    torch.testing.assert_close(done.abs(), expected, rtol=1e-12, atol=0)
    torch.testing.assert_close(done / done.abs(), numbers / magnitudes, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("name", "alpha"), [("log_mag", 1.0), ("steep", 300.0)])
def test_log_mag_is_its_formula_above_the_floor(name: str, alpha: float) -> None:
    numbers = spectrum()
    done = from_channels(TRANSFORMS[name](to_channels(numbers)))
    above = numbers.abs() > FLOOR
    expected = torch.log1p(alpha * numbers.abs())
    torch.testing.assert_close(done.abs()[above], expected[above], rtol=1e-12, atol=0)
    # Below it a line, which ends where the curve begins.
    slope = torch.log1p(torch.tensor(alpha * FLOOR, dtype=torch.float64)) / FLOOR
    below = numbers.abs()[~above]
    torch.testing.assert_close(done.abs()[~above], slope * below, rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", TRANSFORMS)
def test_gradients_are_finite_at_nothing_and_right_elsewhere(name: str) -> None:
    transform = TRANSFORMS[name]
    for function in (transform, transform.inverse):
        nothing = torch.zeros(1, 2, 3, 4, dtype=torch.float64, requires_grad=True)
        function(nothing).sum().backward()  # type: ignore[no-untyped-call]  # torch's
        assert nothing.grad is not None and nothing.grad.isfinite().all()
        assert nothing.grad.abs().min() > 0  # what is silent can become loud
        generator = torch.Generator().manual_seed(1)
        some = torch.randn(1, 2, 2, 3, dtype=torch.float64, generator=generator)
        assert torch.autograd.gradcheck(function, some.requires_grad_())


def test_a_network_that_bursts_does_not_become_infinite() -> None:
    burst = torch.full((1, 2, 1, 1), 1e4)
    assert TRANSFORMS["log_mag"].inverse(burst).isfinite().all()
