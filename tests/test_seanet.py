"""Shape, causality and invariances of SEANet."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from codecctl.engine.networks import GENERATORS, Autoencoder, SEANetLayout
from codecctl.engine.networks.seanet import ResidualBlock

TINY = SEANetLayout(
    channels=1,
    num_filters=4,
    latent_dim=6,
    strides=(2, 3),
    residual_layers=2,
    kernel_size=7,
    last_kernel_size=7,
    residual_kernel_size=3,
    dilation_base=2,
    compress=2,
    lstm_layers=1,
    skip="conv1x1",
    norm="weight_norm",
    causal=True,
    pad_mode="zero",
    trim_right_ratio=1.0,
    initialization="torch",
)
FULL = replace(
    TINY, num_filters=32, latent_dim=128, strides=(2, 4, 5, 8), residual_layers=1, lstm_layers=2
)


def num_parameters(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.fixture(scope="module")
def full() -> Autoencoder:
    """The network of the 24 kHz profiles without memory for its weights."""
    with torch.device("meta"):
        return FULL.build()


def test_the_full_network_has_the_published_number_of_parameters(full: Autoencoder) -> None:
    assert num_parameters(full.encoder) == 7_425_792
    assert num_parameters(full.decoder) == 7_426_018


@pytest.mark.long
def test_the_full_network_makes_75_frames_a_second(full: Autoencoder) -> None:
    assert full.hop_length == 320
    latent = full.encode(torch.empty(2, 1, 24_000, device="meta"))
    assert latent.shape == (2, 128, 75)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_length_comes_back_at_that_length(channels: int, *, causal: bool) -> None:
    layout = replace(TINY, channels=channels, causal=causal, pad_mode="reflect")
    network = layout.build().eval()
    for samples in (1, 2, 5, 6, 7, 35, 36, 37):
        audio = torch.randn(2, channels, samples)
        assert network.encode(audio).shape == (2, 6, -(-samples // 6))
        assert network(audio).shape == audio.shape


def test_no_output_depends_on_later_input() -> None:
    network = TINY.build().eval()
    audio = torch.randn(1, 1, 60)
    changed = audio.clone()
    changed[..., 30:] += torch.randn(30)
    with torch.no_grad():
        before, after = network(audio), network(changed)
    assert torch.equal(before[..., :30], after[..., :30])
    assert not torch.equal(before[..., 30:36], after[..., 30:36])


def test_reflection_lets_only_the_first_frames_see_ahead() -> None:
    network = replace(TINY, pad_mode="reflect", lstm_layers=0).build().eval()
    audio = torch.randn(1, 1, 600)
    changed = audio.clone()
    changed[..., 300:] += torch.randn(300)
    with torch.no_grad():
        before, after = network(audio), network(changed)
    assert torch.equal(before[..., :300], after[..., :300])


def test_an_item_is_coded_alike_whatever_shares_its_batch() -> None:
    network = TINY.build().eval()
    audio = torch.randn(3, 1, 36)
    with torch.no_grad():
        alone = torch.cat([network.encode(item[None]) for item in audio])
        torch.testing.assert_close(network.encode(audio), alone)
        torch.testing.assert_close(network.encode(audio.flip(0)).flip(0), alone)


def test_an_identity_skip_adds_the_input_itself() -> None:
    block = ResidualBlock(replace(TINY, skip="identity", norm="none"), 4, dilation=1)
    for parameter in block.parameters():
        torch.nn.init.zeros_(parameter)
    features = torch.randn(1, 4, 10)
    assert torch.equal(block(features), features)


def test_an_identity_skip_costs_no_parameters() -> None:
    convolved, identity = TINY.build(), replace(TINY, skip="identity").build()
    names = {name for name, _ in convolved.named_parameters()}
    spared = names - {name for name, _ in identity.named_parameters()}
    assert spared == {name for name in names if ".skip." in name} != set()


def test_every_parameter_learns() -> None:
    network = TINY.build()
    loss: Tensor = network(torch.randn(2, 1, 48)).square().mean()
    torch.autograd.backward(loss)
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_thirty_two_channels_are_coded_together() -> None:
    network = replace(TINY, channels=32).build()
    assert network(torch.randn(1, 32, 24)).shape == (1, 32, 24)


def test_the_type_of_a_profile_names_the_layout() -> None:
    network = GENERATORS["seanet"](**vars(TINY)).build()
    assert (network.hop_length, network.latent_dim) == (6, 6)


@pytest.mark.parametrize("causal", [True, False])
def test_variance_preserving_weights_keep_signal_and_latents_of_like_size(causal: bool) -> None:
    """torch's own draw leaves latents that hardly vary around a large common offset."""
    layout = replace(TINY, num_filters=8, latent_dim=32, strides=(2, 4, 5), causal=causal)
    torch.manual_seed(0)
    audio = torch.randn(4, 1, 4000)
    with torch.no_grad():
        plain = layout.build().encode(audio)
        kept = replace(layout, initialization="variance_preserving").build().encode(audio)
    spread = kept.std((0, 2)).mean()
    assert 0.2 < spread < 2
    assert kept.mean((0, 2)).abs().mean() < 0.5 * spread
    assert plain.std((0, 2)).mean() < 0.2 * spread


def test_variance_preserving_weights_start_without_biases() -> None:
    network = replace(TINY, initialization="variance_preserving").build()
    biases = [layer.bias for layer in network.modules() if isinstance(layer, torch.nn.Conv1d)]
    assert biases
    assert all(bias is not None and not bias.any() for bias in biases)
