"""Complex layers against torch's own complex arithmetic and autograd, in float64."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from codecctl.engine.networks.complex_channels import from_channels, to_channels
from codecctl.engine.networks.complex_layers import (
    ComplexConv2d,
    ComplexConvTranspose2d,
    ComplexELU,
    ComplexReLU,
    ComplexRMSNorm,
    ModReLU,
)
from codecctl.engine.networks.conv import normalized

pytestmark = pytest.mark.oracle


def draw(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.complex128, generator=generator)


def compare(layer: nn.Module, oracle: Callable[[Tensor, dict[str, Tensor]], Tensor]) -> None:
    """Output and the gradients at input and parameters, of a loss that tells all parts apart."""
    layer.double()
    generator = torch.Generator().manual_seed(3)
    for parameter in layer.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    numbers = draw(2, 3, 9, 7, seed=1)
    given = to_channels(numbers).requires_grad_()
    theirs = numbers.clone().requires_grad_()
    values = {
        name: parameter.detach().clone().requires_grad_()
        for name, parameter in layer.named_parameters()
    }
    done = layer(given)
    expected = oracle(theirs, values)
    torch.testing.assert_close(from_channels(done), expected)
    target = draw(*expected.shape, seed=2)
    (done - to_channels(target)).square().sum().backward()
    (expected - target).abs().square().sum().backward()  # type: ignore[no-untyped-call]  # torch's
    assert given.grad is not None and theirs.grad is not None
    torch.testing.assert_close(from_channels(given.grad), theirs.grad)
    for name, parameter in layer.named_parameters():
        torch.testing.assert_close(parameter.grad, values[name].grad)


def whole(value: Tensor) -> Tensor:
    return torch.view_as_complex(value)


def test_convolution() -> None:
    layer = ComplexConv2d(3, 4, kernel_size=(3, 2), stride=(2, 1))
    compare(
        layer,
        lambda z, p: functional.conv2d(z, whole(p["weight"]), whole(p["bias"]), (2, 1)),
    )


def test_transposed_convolution() -> None:
    layer = ComplexConvTranspose2d(3, 2, kernel_size=(4, 2), stride=(2, 1))
    compare(
        layer,
        lambda z, p: functional.conv_transpose2d(z, whole(p["weight"]), whole(p["bias"]), (2, 1)),
    )


@pytest.mark.parametrize("transposed", [False, True])
def test_weight_norm_takes_the_length_of_complex_vectors(transposed: bool) -> None:
    kind = ComplexConvTranspose2d if transposed else ComplexConv2d
    layer = normalized(kind(3, 2, kernel_size=(2, 2), stride=(1, 1)), "weight_norm")
    length, direction = (f"parametrizations.weight.original{index}" for index in (0, 1))

    def oracle(z: Tensor, p: dict[str, Tensor]) -> Tensor:
        weight = whole(p[direction])
        norms = torch.linalg.vector_norm(weight, dim=(1, 2, 3), keepdim=True)
        weight = p[length][..., 0] * weight / norms
        convolve = functional.conv_transpose2d if transposed else functional.conv2d
        return convolve(z, weight, whole(p["bias"]))

    compare(layer, oracle)


def test_relu_and_elu_of_the_parts() -> None:
    for layer, function in ((ComplexReLU(), functional.relu), (ComplexELU(), functional.elu)):
        compare(layer, partial(_of_parts, function))


def _of_parts(
    function: Callable[[Tensor], Tensor], numbers: Tensor, _values: dict[str, Tensor]
) -> Tensor:
    return torch.complex(function(numbers.real), function(numbers.imag))


def test_relu_of_the_magnitude() -> None:
    compare(
        ModReLU(3),
        lambda z, p: functional.relu(z.abs() + p["bias"][:, None, None]) * z / z.abs(),
    )


def test_division_by_the_root_mean_square_over_channels() -> None:
    def oracle(z: Tensor, p: dict[str, Tensor]) -> Tensor:
        power = z.abs().square().mean(1, keepdim=True)
        return whole(p["gain"])[:, None, None] * z / (power + 1e-6).sqrt()

    compare(ComplexRMSNorm(3), oracle)


def test_gradients_are_finite_where_there_is_nothing() -> None:
    for layer in (ModReLU(2), ComplexRMSNorm(2)):
        nothing = torch.zeros(1, 4, 3, 3, requires_grad=True)
        layer(nothing).sum().backward()
        assert nothing.grad is not None and nothing.grad.isfinite().all()


def test_turning_the_phase_of_the_input_turns_the_output() -> None:
    """What a complex layer without bias can do and a real one on the parts cannot."""
    layer = nn.Sequential(
        ComplexConv2d(3, 4, kernel_size=(3, 3), stride=(1, 1)), ModReLU(4), ComplexRMSNorm(4)
    ).double()
    numbers = draw(1, 3, 5, 5)
    turn = torch.polar(torch.ones(1, dtype=torch.float64), torch.tensor([0.7]).double())
    plain, turned = (from_channels(layer(to_channels(each))) for each in (numbers, turn * numbers))
    torch.testing.assert_close(turned, turn * plain)


@torch.no_grad()
def test_the_first_weights_keep_the_variance_of_a_signal() -> None:
    torch.manual_seed(0)
    down = ComplexConv2d(16, 32, kernel_size=(4, 4), stride=(2, 2))
    up = ComplexConvTranspose2d(32, 16, kernel_size=(4, 4), stride=(2, 2))
    numbers = torch.randn(1, 32, 40, 40)
    features = down(numbers)
    assert float(features.var()) == pytest.approx(float(numbers.var()), rel=0.1)
    inner = up(features)[..., 4:-4, 4:-4]
    assert float(inner.var()) == pytest.approx(float(numbers.var()), rel=0.15)
