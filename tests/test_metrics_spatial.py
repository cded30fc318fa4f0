"""Level, phase and coherence between channels, by values worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from codecctl.engine.metrics.spatial import spatial_errors

SAMPLES = 24_000


def noise(channels: int, seed: int = 0) -> Tensor:
    return torch.randn(1, channels, SAMPLES, generator=torch.Generator().manual_seed(seed))


def common(channels: int) -> Tensor:
    return noise(1).repeat(1, channels, 1)


def errors(estimate: Tensor, reference: Tensor) -> dict[str, float]:
    return {name: value.item() for name, value in spatial_errors(estimate, reference).items()}


def test_the_reference_itself_has_no_error() -> None:
    audio = noise(4) + common(4)
    found = errors(audio, audio)
    assert found["level_error"] == found["coherence_error"] == 0
    assert found["phase_error"] < 1e-3


def test_a_gain_of_all_channels_is_no_spatial_error() -> None:
    audio = noise(4) + common(4)
    assert max(errors(0.1 * audio, audio).values()) < 1e-3


def test_a_gain_of_one_channel_is_a_level_error_alone() -> None:
    audio = common(4) + 0.1 * noise(4)
    louder = audio * torch.tensor([10 ** (8 / 20), 1.0, 1.0, 1.0])[:, None]
    found = errors(louder, audio)
    # The mean of all rises by 2 dB: 6 dB for one channel, 2 dB for each of the other three.
    assert found["level_error"] == pytest.approx((6 + 3 * 2) / 4, rel=1e-3)
    assert found["phase_error"] < 1e-3 and found["coherence_error"] < 1e-3


def test_a_delay_of_one_channel_is_the_angle_that_it_turns() -> None:
    audio = common(2)
    late = audio.clone()
    late[0, 1] = torch.roll(audio[0, 1], 1)
    # Bin k of 512 turns by 2 pi k / 512; white noise weighs all bins alike.
    expected = sum(2 * math.pi * k / 512 for k in range(1, 256)) / 255
    assert errors(late, audio)["phase_error"] == pytest.approx(expected, rel=0.02)


def test_an_inverted_channel_is_half_a_turn() -> None:
    audio = common(2)
    inverted = audio * torch.tensor([1.0, -1.0])[:, None]
    assert errors(inverted, audio)["phase_error"] == pytest.approx(math.pi, rel=1e-4)


def test_what_was_one_sound_and_becomes_two_loses_its_coherence() -> None:
    found = errors(noise(2, seed=5), common(2))
    # Of independent noise an average over 92 half-overlapping windows leaves about 0.1.
    assert found["coherence_error"] == pytest.approx(0.9, abs=0.03)
    assert errors(0.5 * common(2), common(2))["coherence_error"] < 1e-3


def test_one_mix_for_all_channels_is_seen_in_every_figure() -> None:
    audio = common(8) * torch.linspace(0.5, 1, 8)[:, None] + 0.5 * noise(8, seed=9)
    found = errors(audio.mean(1, keepdim=True).repeat(1, 8, 1), audio)
    assert found["level_error"] > 1 and found["coherence_error"] > 0.2


def test_items_do_not_meet_and_silence_is_finite() -> None:
    pair = torch.cat([noise(3), noise(3, seed=2)])
    other = torch.cat([noise(3, seed=3), noise(3, seed=4)])
    both, alone = spatial_errors(pair, other), spatial_errors(pair[1:], other[1:])
    for name, values in both.items():
        torch.testing.assert_close(values[1:], alone[name])
    silent = torch.zeros(1, 3, SAMPLES)
    for found in (spatial_errors(silent, noise(3)), spatial_errors(silent, silent)):
        assert all(bool(value.isfinite().all()) for value in found.values())
