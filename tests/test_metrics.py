"""SI-SDR against an oracle and by hand; agreement of codes."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from codecctl.engine.metrics import METRICS, code_agreement, si_sdr


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.oracle
def test_si_sdr_equals_that_of_torchmetrics() -> None:
    functional = pytest.importorskip("torchmetrics.functional.audio")
    reference = noise(4, 2, 2400, seed=1)
    estimate = reference + 0.3 * noise(4, 2, 2400, seed=2) + 0.1
    expected = functional.scale_invariant_signal_distortion_ratio(
        estimate, reference, zero_mean=True
    )
    torch.testing.assert_close(si_sdr(estimate, reference), expected.mean(1))


def test_orthogonal_noise_of_a_tenth_of_the_amplitude_is_twenty_decibels() -> None:
    time = torch.arange(2400) * (2 * math.pi / 2400)
    sine, cosine = (10 * time).sin()[None, None], (10 * time).cos()[None, None]
    assert si_sdr(sine + 0.1 * cosine, sine).item() == pytest.approx(20.0, abs=1e-3)


def test_si_sdr_ignores_scale_and_offset() -> None:
    reference = noise(2, 1, 2400, seed=1)
    estimate = reference + noise(2, 1, 2400, seed=2)
    torch.testing.assert_close(
        si_sdr(0.01 * estimate + 3.0, reference), si_sdr(estimate, reference), atol=1e-2, rtol=0
    )


def test_errors_that_cancel_between_channels_are_heard() -> None:
    reference = noise(1, 1, 2400, seed=1).expand(1, 2, 2400)
    error = noise(1, 1, 2400, seed=2)
    estimate = reference + torch.cat([error, -error], 1)
    assert si_sdr(estimate, reference).item() < 3.0


@pytest.mark.parametrize("name", sorted(METRICS))
def test_silence_is_measured_as_a_finite_number(name: str) -> None:
    metric = METRICS[name](24_000)
    assert bool(metric(torch.zeros(1, 1, 4800), torch.zeros(1, 1, 4800)).isfinite().all())
    assert bool(metric(noise(1, 1, 4800), torch.zeros(1, 1, 4800)).isfinite().all())


def test_agreement_is_the_share_of_frames_with_the_same_first_code() -> None:
    codes = torch.zeros(2, 2, 2, 4, dtype=torch.int64)
    codes[0, 1, 0] = torch.tensor([0, 0, 0, 7])
    codes[1, 1, 1] = 9  # the second codebook has no say
    assert code_agreement(codes).tolist() == [0.75, 1.0]


def test_agreement_of_three_capsules_is_the_mean_over_pairs() -> None:
    codes = torch.tensor([[[[1, 1]], [[1, 2]], [[3, 2]]]])  # (1, 3, 1, 2)
    assert code_agreement(codes).item() == pytest.approx((0.5 + 0.0 + 0.5) / 3)
