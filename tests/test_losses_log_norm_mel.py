"""SoundStream's spectral term against its formula in float64 NumPy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch

from codecctl.engine.losses.filterbank import htk_filters
from codecctl.engine.losses.log_norm_mel import MultiScaleLogNormMelLoss

Array = npt.NDArray[np.float64]
RATE = 24_000
SCALES = (6, 9, 11)


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return 0.1 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def mel_power(audio: Array, window: int) -> Array:
    """Frames of a short window stand in the middle of a longer transform."""
    n_fft = max(window, 512)
    hann = np.zeros(n_fft)
    first = (n_fft - window) // 2
    hann[first : first + window] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    padded = np.pad(audio, n_fft // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[:: window // 4]
    filters = htk_filters(n_fft=n_fft, num_mels=64, sample_rate=RATE).double().numpy()
    return np.asarray(np.abs(np.fft.rfft(frames * hann)) ** 2 @ filters)


@pytest.mark.parametrize("samples", [4800, 4801])
def test_the_loss_is_the_formula_in_float64(samples: int) -> None:
    estimate, reference = noise(2, 2, samples, seed=1), noise(2, 2, samples, seed=2) * 0.1
    loss = MultiScaleLogNormMelLoss(scales=SCALES, num_mels=64, sample_rate=RATE)
    found = loss(estimate, reference)
    for item in range(2):
        expected = 0.0
        for scale in SCALES:
            frames = []
            for ours, theirs in zip(estimate[item], reference[item], strict=True):
                first = mel_power(ours.double().numpy(), 2**scale)
                second = mel_power(theirs.double().numpy(), 2**scale)
                linear = np.abs(first - second).sum(-1)
                norm = np.sqrt(np.square(np.log(first) - np.log(second)).sum(-1))
                frames.append(linear + np.sqrt(2**scale / 2) * norm)
            expected += float(np.mean(frames))
        assert found[item].item() == pytest.approx(expected, rel=1e-4)


def test_equal_audio_costs_next_to_nothing_and_has_a_finite_gradient() -> None:
    loss = MultiScaleLogNormMelLoss(scales=SCALES, num_mels=64, sample_rate=RATE)
    audio = noise(1, 1, 4800).requires_grad_()
    value = loss(audio, audio.detach())
    assert value.item() < 1e-8
    value.sum().backward()
    assert audio.grad is not None and bool(audio.grad.isfinite().all())


def test_silence_has_a_finite_gradient() -> None:
    loss = MultiScaleLogNormMelLoss(scales=SCALES, num_mels=64, sample_rate=RATE)
    silence = torch.zeros(1, 1, 4800, requires_grad=True)
    loss(silence, noise(1, 1, 4800)).sum().backward()
    assert silence.grad is not None and bool(silence.grad.isfinite().all())
