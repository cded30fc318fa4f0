"""The one order of complex channels."""

from __future__ import annotations

import pytest
import torch

from codecctl.engine.networks.complex_channels import (
    from_channels,
    parts,
    scaled,
    squared_magnitudes,
    to_channels,
    together,
)


def numbers(channels: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(channels)
    return torch.randn(2, channels, 5, 3, dtype=torch.complex128, generator=generator)


@pytest.mark.parametrize("channels", [1, 2, 32])
def test_channel_2c_is_real_and_the_next_imaginary(channels: int) -> None:
    spectrum = numbers(channels)
    real = to_channels(spectrum)
    assert real.shape == (2, 2 * channels, 5, 3)
    for c in range(channels):
        assert torch.equal(real[:, 2 * c], spectrum[:, c].real)
        assert torch.equal(real[:, 2 * c + 1], spectrum[:, c].imag)


@pytest.mark.parametrize("channels", [1, 2, 32])
def test_everything_reads_the_same_order(channels: int) -> None:
    spectrum = numbers(channels)
    real = to_channels(spectrum)
    assert torch.equal(from_channels(real), spectrum)
    assert torch.equal(together(*parts(real)), real)
    torch.testing.assert_close(squared_magnitudes(real), spectrum.abs().square())
    factors = torch.rand(2, channels, 5, 3, dtype=torch.float64)
    torch.testing.assert_close(from_channels(scaled(real, factors)), factors * spectrum)


def test_channels_of_a_signal_can_be_taken_in_pairs() -> None:
    spectrum = numbers(4)
    assert torch.equal(from_channels(to_channels(spectrum)[:, 2:6]), spectrum[:, 1:3])
