"""Weights of frames: mean one, and large where they should be."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from codecctl.engine.losses.frames import FRAME_WEIGHTS, frame_coherence, weights_of_frames

HOP, FRAMES = 80, 60


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def weights(kind: str, audio: Tensor) -> Tensor:
    found = weights_of_frames(kind, audio, hop_length=HOP)
    assert found is not None
    return found


def test_all_frames_alike_have_no_weights() -> None:
    assert weights_of_frames("all", noise(1, 2, 100), hop_length=HOP) is None


@pytest.mark.parametrize("kind", sorted(FRAME_WEIGHTS))
@pytest.mark.parametrize("samples", [HOP * FRAMES, HOP * FRAMES + 1])
def test_weights_have_a_mean_of_one_for_every_pair(kind: str, samples: int) -> None:
    audio = noise(2, 3, samples) + noise(2, 1, samples, seed=1)
    found = weights(kind, audio)
    assert found.shape == (2, 3, -(-samples // HOP))
    torch.testing.assert_close(found.mean(-1), torch.ones(2, 3))
    assert bool((found >= 0).all())


@pytest.mark.parametrize("kind", sorted(FRAME_WEIGHTS))
def test_silence_weighs_all_frames_alike(kind: str) -> None:
    assert torch.equal(weights(kind, torch.zeros(1, 2, HOP * 10)), torch.ones(1, 1, 10))


def test_energy_is_the_geometric_mean_of_both_levels() -> None:
    audio = torch.ones(1, 2, HOP * 4)
    audio[0, 0] *= torch.tensor([1.0, 4.0, 9.0, 0.0]).repeat_interleave(HOP)
    audio[0, 1] *= torch.tensor([1.0, 4.0, 1.0, 5.0]).repeat_interleave(HOP)
    found = weights("energy", audio)[0, 0]
    torch.testing.assert_close(found, torch.tensor([1.0, 4.0, 3.0, 0.0]) / 2)


def test_capsules_of_one_sound_are_coherent_whatever_level_and_delay() -> None:
    sound = noise(1, 1, HOP * FRAMES)
    audio = torch.cat([sound, -0.1 * sound.roll(6, -1)], 1)
    found = frame_coherence(audio, hop_length=HOP)
    assert bool((found[..., 5:-5] > 0.9).all())
    same = frame_coherence(sound.expand(1, 2, -1), hop_length=HOP)
    torch.testing.assert_close(same, torch.ones(1, 1, FRAMES))


def test_sounds_of_their_own_are_hardly_coherent() -> None:
    assert frame_coherence(noise(1, 2, HOP * FRAMES), hop_length=HOP).mean() < 0.45


def test_coherent_and_incoherent_seconds_are_told_apart() -> None:
    audio = noise(1, 2, HOP * FRAMES)
    audio[..., HOP * 30 :] = audio[:, :1, HOP * 30 :]
    coherent, incoherent = weights("coherence", audio)[0, 0], weights("incoherence", audio)[0, 0]
    assert coherent[35:].min() > 1.2 > 0.9 > coherent[:25].mean()
    assert incoherent[35:].max() < 0.1 < 1.5 < incoherent[:25].mean()


def test_a_pair_stands_where_the_terms_expect_it() -> None:
    audio = noise(1, 3, HOP * FRAMES)
    audio[:, 2] = audio[:, 0]
    first, second, third = frame_coherence(audio, hop_length=HOP).mean(-1)[0].tolist()
    assert second == pytest.approx(1.0)  # pairs (0, 1), (0, 2), (1, 2)
    assert max(first, third) < 0.5
