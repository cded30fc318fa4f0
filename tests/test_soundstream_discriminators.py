"""SoundStream's discriminators on spectrograms and on waveforms."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from codecctl.engine.networks import MultiRateDiscriminator, ResidualSTFTDiscriminator
from codecctl.engine.profile import schema_model as schema


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def waves(*, num_filters: int = 4, factors: tuple[int, ...] = (1, 2, 4)) -> MultiRateDiscriminator:
    return MultiRateDiscriminator(
        channels=1,
        factors=factors,
        num_filters=num_filters,
        max_filters=64 * num_filters,
        leak=0.01,
    )


def spectra(*, num_filters: int = 2, n_fft: int = 1024) -> ResidualSTFTDiscriminator:
    return ResidualSTFTDiscriminator(
        channels=1, n_fft=n_fft, hop_length=n_fft // 4, num_filters=num_filters
    )


def test_the_full_networks_have_the_published_number_of_parameters() -> None:
    assert count(waves(num_filters=16)) == 3 * 5_637_953
    assert count(spectra(num_filters=32)) == 5_547_585


def test_a_second_of_audio_gives_the_published_number_of_logits() -> None:
    audio = torch.randn(1, 1, 24_000)
    assert [logits.numel() for logits, _ in waves()(audio)] == [75, 28, 5]
    (logits, maps) = spectra()(audio)[0]
    assert logits.shape == (1, 1, 11, 1)
    assert [tuple(values.shape[1:]) for values in maps] == [
        (2, 88, 507),
        (4, 88, 254),
        (8, 44, 127),
        (8, 44, 64),
        (16, 22, 32),
        (16, 22, 16),
        (32, 11, 8),
    ]


def test_every_map_has_width_time_and_frequency_last() -> None:
    for judgement in waves()(torch.randn(3, 1, 24_000)):
        logits, maps = judgement
        assert logits.dim() == 4 and logits.shape[-1] == 1
        assert [values.shape[1] for values in maps] == [4, 16, 64, 256, 256, 256]
        assert all(values.shape[0] == 3 and values.shape[-1] == 1 for values in maps)


@pytest.mark.parametrize("factors", [(1,), (1, 2, 4)])
def test_the_shortest_audio_gives_one_logit_of_the_slowest_rate(factors: tuple[int, ...]) -> None:
    network = waves(factors=factors)
    shortest = schema.WaveformDiscriminator(
        type="wave", factors=factors, num_filters=4, max_filters=256, leak=0.01, channels="all"
    ).shortest_samples
    assert network(torch.randn(1, 1, shortest))[-1][0].numel() == 1
    with pytest.raises(RuntimeError, match="Kernel size"):
        network(torch.randn(1, 1, shortest - 1))


@pytest.mark.parametrize("n_fft", [256, 1024])
def test_the_shortest_spectrogram_gives_one_logit(n_fft: int) -> None:
    network = spectra(n_fft=n_fft)
    shortest = schema.ResidualStftDiscriminator(
        type="stft", n_fft=n_fft, hop_length=n_fft // 4, num_filters=2, channels="all"
    ).shortest_samples
    assert network(torch.randn(1, 1, shortest))[0][0].numel() == 1
    with pytest.raises(RuntimeError, match="Kernel size"):
        network(torch.randn(1, 1, shortest - 1))


def test_a_judgement_of_a_spectrogram_does_not_depend_on_later_frames() -> None:
    network = spectra(n_fft=256).double()
    audio = torch.randn(1, 1, 8192, dtype=torch.float64)
    changed = audio.clone()
    changed[..., 4096:] = 0
    before, after = network(audio)[0][0], network(changed)[0][0]
    # A time step begins eight frames after the last; seven frames and half a window look ahead.
    untouched = (4096 - 128) // 64 - 7
    assert torch.equal(before[:, :, : untouched // 8 + 1], after[:, :, : untouched // 8 + 1])
    assert not torch.equal(before, after)


@pytest.mark.parametrize("num_filters", [8, pytest.param(16, marks=pytest.mark.long)])
def test_every_weight_of_the_narrowest_networks_gets_a_gradient(num_filters: int) -> None:
    audio = torch.randn(2, 1, 24_000)
    for network in (spectra(num_filters=num_filters), waves(num_filters=num_filters)):
        torch.autograd.backward(torch.stack([logits.mean() for logits, _ in network(audio)]).sum())
        assert all(
            p.grad is not None and bool(p.grad.isfinite().all()) for p in network.parameters()
        )
