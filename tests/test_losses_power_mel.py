"""The spectral term of the baseline against its formula in float64 NumPy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from codecctl.engine.losses.filterbank import htk_filters
from codecctl.engine.losses.power_mel import MultiScalePowerMelLoss

Array = npt.NDArray[np.float64]
RATE = 24_000
SCALES = (5, 8, 11)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def filters(n_fft: int, num_mels: int) -> Array:
    mels = np.linspace(0, 2595 * np.log10(1 + RATE / 2 / 700), num_mels + 2)
    edges = 700 * (10 ** (mels / 2595) - 1)
    bins = np.linspace(0, RATE / 2, n_fft // 2 + 1)
    low, center, high = (edges[i : i + num_mels] for i in range(3))
    rising = (bins[:, None] - low) / (center - low)
    falling = (high - bins[:, None]) / (high - center)
    return np.maximum(0, np.minimum(rising, falling))


def mel_power(audio: Array, n_fft: int) -> Array:
    hop = n_fft // 4
    padded = np.pad(audio, (n_fft - hop) // 2, mode="reflect")
    padded = np.pad(padded, (0, -len(audio) % hop))
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
    window /= np.sqrt((window**2).sum())
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop]
    return np.asarray(np.abs(np.fft.rfft(frames * window)) ** 2 @ filters(n_fft, 64))


def test_the_filters_are_triangles_of_height_one_on_the_htk_scale() -> None:
    for n_fft in (32, 512, 2048):
        ours = htk_filters(n_fft=n_fft, num_mels=64, sample_rate=RATE).double().numpy()
        np.testing.assert_allclose(ours, filters(n_fft, 64), atol=2e-5)


@pytest.mark.parametrize("samples", [4800, 4801])
def test_the_loss_is_the_formula_in_float64(samples: int) -> None:
    estimate, reference = noise(2, 2, samples, seed=1), noise(2, 2, samples, seed=2) * 0.1
    loss = MultiScalePowerMelLoss(scales=SCALES, num_mels=64, sample_rate=RATE)(estimate, reference)
    for item in range(2):
        terms = []
        for scale in SCALES:
            pairs = zip(
                estimate[item].double().numpy(), reference[item].double().numpy(), strict=True
            )
            # Channels are folded into the bands: the mean goes over both.
            powers = [
                (mel_power(ours, 2**scale), mel_power(theirs, 2**scale)) for ours, theirs in pairs
            ]
            linear = np.mean([np.abs(ours - theirs) for ours, theirs in powers])
            logs = [np.log10(1e-5 + ours) - np.log10(1e-5 + theirs) for ours, theirs in powers]
            terms.append(linear + np.mean(np.square(logs)))
        expected = np.sum(terms) / (2 * len(SCALES))
        assert loss[item].item() == pytest.approx(expected, rel=1e-4)


def test_equal_audio_costs_nothing_and_silence_has_a_gradient() -> None:
    loss = MultiScalePowerMelLoss(scales=SCALES, num_mels=64, sample_rate=RATE)
    audio = noise(1, 1, 4800)
    assert loss(audio, audio).item() == 0
    silence = torch.zeros(1, 1, 4800, requires_grad=True)
    loss(silence, audio).sum().backward()
    assert silence.grad is not None and bool(silence.grad.isfinite().all())
