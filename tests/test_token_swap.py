"""Exchanged first codes: exact where content and capsule add up, identities, bitrates."""

from __future__ import annotations

import pytest
import torch

from codecctl.engine.build import build_networks
from codecctl.engine.metrics import METRICS, spatial_errors
from codecctl.engine.profile import load_profile
from codecctl.engine.quantizers import FiniteScalarQuantizer
from codecctl.engine.recipes.token_swap import TokenSwap
from codecctl.errors import ProfileError

from .clear_codec import FRAMES, HOP, codec, noise, scene


def test_what_shares_its_first_codes_is_swapped_without_a_loss() -> None:
    network = codec()
    audio, codes = scene(network)
    found = TokenSwap(network).measure(codes, audio, audio)
    assert found["swap/mel"].tolist() == pytest.approx([0, 0], abs=1e-4)
    assert bool((found["swap/si_sdr"] > 60).all())
    for name in ("level", "phase", "coherence"):
        assert bool((found[f"swap/{name}_error"] < 1e-3).all())


def test_foreign_first_codes_are_another_sound() -> None:
    network = codec()
    audio, codes = scene(network)
    codes[:, 0, 0] = codes[:, 0, 0].roll(1, -1)  # the first capsule's are those of another moment
    found = TokenSwap(network).measure(codes, audio, audio)
    assert bool((found["swap/mel"] > 0.05).all())
    assert bool((found["swap/si_sdr"] < 3).all())


def test_only_the_first_code_comes_from_the_first_capsule() -> None:
    network = codec()
    _, codes = scene(network, capsules=3)
    codes[:, :, 0] = torch.arange(3)[:, None]
    audio = noise(2, 3, FRAMES * HOP)
    found = TokenSwap(network).measure(codes, audio, audio)
    swapped = codes[:, 1:].clone()
    swapped[:, :, 0] = 0
    latent = network.quantizer.decode(swapped.flatten(0, 1))
    expected = network.autoencoder.decode(latent, audio.shape[-1]).reshape(2, 2, -1)
    mel = METRICS["mel"](network.sample_rate)
    each = mel(expected.flatten(0, 1)[:, None], audio[:, 1:].flatten(0, 1)[:, None])
    torch.testing.assert_close(found["swap/mel"], each.view(2, 2).mean(1))
    together = torch.cat([audio[:, :1], expected], 1)
    level = spatial_errors(together, audio)["level_error"]
    torch.testing.assert_close(found["swap/level_error"], level)
    heard = TokenSwap(network).decode(codes[:, 0, 0], codes[:, 1:, 1:], audio[:, 1:])
    assert torch.equal(heard, expected)


@pytest.mark.parametrize("source", ["mean", "first"])
@pytest.mark.parametrize("refit", [True, False])
def test_an_array_with_common_content_needs_one_first_stream(source: str, refit: bool) -> None:
    network = codec()
    audio, codes = scene(network, capsules=32)
    assert source in ("mean", "first")
    coding = TokenSwap(network).share(
        audio, source="mean" if source == "mean" else "first", refit=refit
    )
    assert torch.equal(coding.shared, codes[:, 0, 0])
    assert torch.equal(coding.codes, codes[:, :, 1:])
    torch.testing.assert_close(coding.estimate, audio)


def test_bitrates_are_those_of_the_document() -> None:
    """1024 entries, 75 frames a second: 0.75 kb/s for each stream, and a level for each capsule."""
    tiny = ["model=tiny", "model.generator.num_filters=4", "model.generator.latent_dim=8"]
    network, _ = build_networks(load_profile("paired", tiny).profile)
    coding = TokenSwap(network).share(0.1 * noise(1, 32, 3200))
    assert network.quantizer.codebook_size == 1024
    assert coding.codes_kbps == pytest.approx(24.75)
    assert coding.apart_kbps == pytest.approx(48.0)
    assert coding.levels_kbps == pytest.approx(32 * 0.032)
    assert coding.estimate.shape == (1, 32, 3200)
    assert coding.shared.shape == (1, 10) and coding.codes.shape == (1, 32, 1, 10)


def test_codes_chosen_again_leave_no_more_than_those_that_stay() -> None:
    network = codec()
    audio = noise(2, 5, FRAMES * HOP)
    again, stayed = (TokenSwap(network).share(audio, refit=refit) for refit in (True, False))
    errors = [(each.estimate - audio).square().mean() for each in (again, stayed)]
    assert errors[0] < errors[1]


def test_a_comparison_of_one_capsule_finds_no_difference() -> None:
    network = codec(normalize=True)
    audio = 0.01 * noise(2, 1, FRAMES * HOP)
    found = TokenSwap(network).compare(audio)
    torch.testing.assert_close(found.shared, found.apart)
    assert set(found.shared) == set(METRICS)


def test_a_comparison_scores_both_ways_of_coding() -> None:
    network = codec(normalize=True)
    audio = 0.01 * noise(2, 1, FRAMES * HOP) * torch.tensor([1.0, 3.0, 2.0])[:, None]
    found = TokenSwap(network).compare(audio)
    # The capsules differ by level alone, which is coded beside: nothing is lost by sharing.
    torch.testing.assert_close(found.shared, found.apart, rtol=1e-3, atol=1e-3)
    assert {"mel", "si_sdr", "level_error", "phase_error", "coherence_error"} == set(found.apart)


def test_what_cannot_be_shared_says_why() -> None:
    network = codec()
    network.quantizer = FiniteScalarQuantizer(dim=HOP, levels=[5, 5])
    swap = TokenSwap(network)
    assert not swap.possible
    with pytest.raises(ProfileError, match=r"num_codebooks: found 1, needed 2"):
        swap.share(noise(1, 2, FRAMES * HOP))


def test_exchanged_capsules_have_the_first_codes_of_the_one_before() -> None:
    network = codec()
    _, codes = scene(network, capsules=3)
    codes[:, :, 0] = torch.arange(3)[:, None]
    audio = network.autoencoder.decode(network.quantizer.decode(codes.flatten(0, 1)), FRAMES * HOP)
    swapped = codes.clone()
    swapped[:, :, 0] = torch.tensor([2, 0, 1])[:, None]
    latent = network.quantizer.decode(swapped.flatten(0, 1))
    expected = network.autoencoder.decode(latent, FRAMES * HOP).reshape(2, 3, -1)
    heard = TokenSwap(network).exchange(audio.detach().reshape(2, 3, -1))
    torch.testing.assert_close(heard, expected.detach())


def test_capsules_of_one_content_are_exchanged_without_a_loss() -> None:
    network = codec()
    audio, _ = scene(network)
    torch.testing.assert_close(TokenSwap(network).exchange(audio), audio)
