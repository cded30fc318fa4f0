"""What audio is divided by before it is coded."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from codecctl.engine.recipes.levels import LEVELS, FixedLevel, LevelPerSecond


def noise(samples: int, *, channels: int = 1, seed: int = 0) -> Tensor:
    return 0.1 * torch.randn(2, channels, samples, generator=torch.Generator().manual_seed(seed))


def test_the_level_is_the_root_mean_square_of_each_second() -> None:
    audio = torch.cat([torch.full((1, 1, 8), 3.0), torch.full((1, 1, 4), -0.5)], -1)
    level = LevelPerSecond(8)(audio)
    assert level.shape == audio.shape
    assert level[0, 0].tolist() == pytest.approx([3.0] * 8 + [0.5] * 4)  # the rest is no zeros


def test_one_level_serves_all_channels_of_a_signal() -> None:
    audio = torch.stack([torch.full((8,), 2.0), torch.full((8,), 0.0)])[None]
    level = LevelPerSecond(8)(audio)
    assert level.shape == (1, 1, 8)
    assert level[0, 0].tolist() == pytest.approx([2**0.5] * 8)
    assert LevelPerSecond(8).bits_per_second(32) == 32


def test_channels_in_opposite_phase_do_not_cancel() -> None:
    audio = torch.stack([torch.full((8,), 2.0), torch.full((8,), -2.0)])[None]
    assert LevelPerSecond(8)(audio).flatten().tolist() == pytest.approx([2.0] * 8)


def test_each_channel_may_have_its_own_level() -> None:
    audio = torch.stack([torch.full((8,), 2.0), torch.full((8,), 0.5)])[None]
    level = LevelPerSecond(8, by_channel=True)
    assert (audio / level(audio)).flatten().tolist() == pytest.approx([1.0] * 16)
    assert level.bits_per_second(32) == 32 * 32


@pytest.mark.parametrize("kind", sorted(LEVELS))
def test_pieces_of_whole_seconds_have_the_levels_of_the_whole(kind: str) -> None:
    level, audio = LEVELS[kind](8, 40.0), noise(25, channels=3)
    whole = level(audio).expand_as(audio)
    pieces = (audio[..., :16], audio[..., 16:24], audio[..., 24:])
    parts = [level(piece).expand_as(piece) for piece in pieces]
    assert torch.equal(torch.cat(parts, -1), whole)


@pytest.mark.parametrize("kind", sorted(LEVELS))
@pytest.mark.parametrize("loudness", [0.0, 1e-3, 1.0])
def test_what_is_divided_comes_back(kind: str, loudness: float) -> None:
    level, audio = LEVELS[kind](8, 40.0), loudness * noise(25, channels=3)
    torch.testing.assert_close(audio / level(audio) * level(audio), audio)


def test_a_gain_is_one_number_and_keeps_what_lies_between_channels() -> None:
    audio = noise(25, channels=3)
    torch.testing.assert_close(audio / LEVELS["gain"](8, 20.0)(audio), 10 * audio)
    assert FixedLevel(0.1).bits_per_second(32) == 0
