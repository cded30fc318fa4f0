"""The mel loss against the formula in float64 NumPy, and what it must not depend on."""

from __future__ import annotations

import math
import warnings

import numpy as np
import numpy.typing as npt
import pytest
import torch

from codecctl.engine.losses.filterbank import slaney_filters
from codecctl.engine.losses.mel import LogMelSpectrogram, MultiScaleMelLoss
from codecctl.engine.metrics.mel import MelDistance

Array = npt.NDArray[np.float64]

RATE = 24_000
SCALES = (5, 6, 7, 8, 9, 10, 11)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def slaney_mel(hertz: Array) -> Array:
    """Linear below 1 kHz at 3 mel for 200 Hz, then 27 mel for a factor of 6.4."""
    linear = hertz * 3 / 200
    return np.where(
        hertz < 1000, linear, 15 + 27 * np.log(np.maximum(hertz, 1) / 1000) / np.log(6.4)
    )


def slaney_hertz(mel: Array) -> Array:
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))


def filters(n_fft: int, num_mels: int) -> Array:
    edges = slaney_hertz(np.linspace(0, slaney_mel(np.array(RATE / 2)), num_mels + 2))
    bins = np.linspace(0, RATE / 2, n_fft // 2 + 1)
    low, center, high = (edges[i : i + num_mels] for i in range(3))
    rising = (bins[:, None] - low) / (center - low)
    falling = (high - bins[:, None]) / (high - center)
    return np.maximum(0, np.minimum(rising, falling)) * 2 / (high - low)


def log_mel(audio: Array, n_fft: int) -> Array:
    hop = n_fft // 4
    padded = np.pad(audio, (n_fft - hop) // 2, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop]
    power = np.abs(np.fft.rfft(frames * window)) ** 2
    return np.log10(np.maximum(power @ filters(n_fft, 64), 1e-5))


def differences(estimate: Array, reference: Array) -> list[Array]:
    return [log_mel(estimate, 2**i) - log_mel(reference, 2**i) for i in SCALES]


def test_the_filters_are_slaney_triangles_of_constant_area() -> None:
    for n_fft in (32, 512, 2048):
        ours = slaney_filters(n_fft=n_fft, num_mels=64, sample_rate=RATE).double().numpy()
        np.testing.assert_allclose(ours, filters(n_fft, 64), atol=2e-7)


def test_short_windows_have_empty_filters_and_say_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        bank = slaney_filters(n_fft=32, num_mels=64, sample_rate=RATE)
    assert int((bank.sum(0) == 0).sum()) > 32  # 17 bins cannot reach 64 bands


def test_the_loss_is_the_formula_in_float64() -> None:
    estimate, reference = noise(2, 1, 4800, seed=1), noise(2, 1, 4800, seed=2) * 0.01
    loss = MultiScaleMelLoss(scales=SCALES, num_mels=64, sample_rate=RATE)(estimate, reference)
    for item in range(2):
        terms = differences(estimate[item, 0].double().numpy(), reference[item, 0].double().numpy())
        expected = sum(np.abs(d).mean() + (d**2).mean() for d in terms)
        assert loss[item].item() == pytest.approx(expected, rel=1e-4)


def test_the_distance_is_the_mean_over_resolutions_of_the_absolute_difference() -> None:
    estimate, reference = noise(1, 2, 4800, seed=1), noise(1, 2, 4800, seed=2)
    distance = MelDistance(sample_rate=RATE)(estimate, reference)
    by_channel = [
        np.mean([np.abs(d).mean() for d in differences(ours, theirs)])
        for ours, theirs in zip(
            estimate[0].double().numpy(), reference[0].double().numpy(), strict=True
        )
    ]
    assert distance[0].item() == pytest.approx(np.mean(by_channel), rel=1e-4)


def test_ten_times_the_amplitude_is_two_decades_of_power() -> None:
    audio = noise(1, 1, 4800)
    spectrum = LogMelSpectrogram(n_fft=512, num_mels=64, sample_rate=RATE)
    difference = spectrum(10 * audio[0]) - spectrum(audio[0])
    torch.testing.assert_close(difference, torch.full_like(difference, 2.0), atol=1e-4, rtol=0)


def test_a_second_has_as_many_frames_as_hops() -> None:
    spectrum = LogMelSpectrogram(n_fft=2048, num_mels=64, sample_rate=RATE)
    assert spectrum(noise(3, 5120)).shape == (3, 10, 64)


def test_silence_reads_the_floor_and_has_a_finite_gradient() -> None:
    silence = torch.zeros(1, 1, 4800, requires_grad=True)
    spectrum = LogMelSpectrogram(n_fft=512, num_mels=64, sample_rate=RATE)
    assert spectrum(silence[0]).unique().tolist() == [math.log10(1e-5)]
    loss = MultiScaleMelLoss(scales=SCALES, num_mels=64, sample_rate=RATE)
    (gradient,) = torch.autograd.grad(loss(silence, noise(1, 1, 4800)).sum(), silence)
    assert bool(gradient.isfinite().all())


def test_only_the_estimate_gets_a_gradient() -> None:
    estimate = noise(1, 1, 4800, seed=1).requires_grad_()
    reference = noise(1, 1, 4800, seed=2).requires_grad_()
    MultiScaleMelLoss(scales=(8, 9), num_mels=64, sample_rate=RATE)(
        estimate, reference
    ).sum().backward()
    assert reference.grad is None or not bool(reference.grad.any())
    assert estimate.grad is not None
    assert bool(estimate.grad.any())


def test_the_loss_of_an_item_does_not_depend_on_its_batch() -> None:
    estimate, reference = noise(3, 1, 4800, seed=1), noise(3, 1, 4800, seed=2)
    loss = MultiScaleMelLoss(scales=(8, 9), num_mels=64, sample_rate=RATE)
    torch.testing.assert_close(loss(estimate, reference)[2:], loss(estimate[2:], reference[2:]))


def test_half_precision_around_the_loss_does_not_reach_it() -> None:
    estimate, reference = noise(2, 1, 4800, seed=1), noise(2, 1, 4800, seed=2)
    loss = MultiScaleMelLoss(scales=(8, 9), num_mels=64, sample_rate=RATE)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = loss(estimate, reference)
    assert torch.equal(inside, loss(estimate, reference))
