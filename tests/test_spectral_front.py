"""Spectrograms and the way back, against torch's own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from codecctl.engine.networks.complex_channels import from_channels
from codecctl.engine.networks.pre_transforms import NoTransform, PowerNorm, PreTransform
from codecctl.engine.networks.spectral_front import SpectralFront


def front(
    *, normalized: bool = False, win_length: int = 64, transform: PreTransform | None = None
) -> SpectralFront:
    return SpectralFront(
        n_fft=64,
        hop_length=16,
        win_length=win_length,
        normalized=normalized,
        transform=transform or NoTransform(),
    )


def noise(samples: int, channels: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(samples)
    return torch.randn(2, channels, samples, generator=generator, dtype=torch.float64)


@pytest.mark.oracle
@pytest.mark.parametrize("channels", [1, 2, 32])
@pytest.mark.parametrize(("normalized", "win_length"), [(False, 64), (True, 64), (True, 40)])
def test_it_is_torchs_spectrogram(channels: int, normalized: bool, win_length: int) -> None:
    audio = noise(500, channels)
    done = from_channels(front(normalized=normalized, win_length=win_length).analyze(audio))
    expected = torch.stft(
        audio.flatten(0, 1),
        64,
        16,
        win_length,
        torch.hann_window(win_length, dtype=torch.float64),
        normalized=normalized,
        return_complex=True,
    )
    torch.testing.assert_close(done, expected.view_as(done))


@pytest.mark.oracle
def test_the_way_back_is_torchs_also_for_what_is_no_spectrogram() -> None:
    layer = front(normalized=True)
    features = torch.randn(2, 4, 33, 40, dtype=torch.float64)
    spectrum = from_channels(features).flatten(0, 1)
    window = torch.hann_window(64, dtype=torch.float64)
    expected = torch.istft(spectrum, 64, 16, 64, window, normalized=True, length=600)
    torch.testing.assert_close(layer.synthesize(features, 600), expected.view(2, 2, 600))


@pytest.mark.parametrize("samples", [1, 20, 32, 63, 500, 512])
def test_audio_of_any_length_comes_back(samples: int) -> None:
    layer = front(transform=PowerNorm(alpha=0.65, beta=0.35))
    audio = noise(samples)
    features = layer.analyze(audio)
    assert features.shape == (2, 4, 33, layer.num_frames(samples))
    torch.testing.assert_close(layer.synthesize(features, samples), audio)


def test_a_span_of_frames_is_that_of_the_whole() -> None:
    layer, audio = front(), noise(500)
    whole = layer.analyze(audio)
    assert torch.equal(layer.frames(layer.padded(audio), 7, 19), whole[..., 7:19])


def test_half_precision_does_not_reach_the_spectra() -> None:
    layer, audio = front(), noise(500).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        features = layer.analyze(audio)
        again = layer.synthesize(features.bfloat16(), 500)
    assert features.dtype == again.dtype == torch.float32
    torch.testing.assert_close(features, layer.analyze(audio))


def test_noise_keeps_its_level_in_normalized_spectra() -> None:
    features = front(normalized=True).analyze(noise(20_000))
    # Half of the power in either part, times the mean square of the window.
    assert float(features.square().mean()) == pytest.approx(0.5 * 3 / 8, rel=0.05)
