"""Networks here against those of the `encodec` package with the same weights."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from codecctl.engine.networks import Autoencoder, MultiScaleSTFTDiscriminator, SEANetLayout
from codecctl.engine.networks.encodec_state import autoencoder_state, discriminator_state
from codecctl.engine.quantizers import ResidualVectorQuantizer
from codecctl.engine.quantizers.encodec_state import quantizer_state

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning"),
]
LAYOUT = SEANetLayout(
    channels=1,
    num_filters=32,
    latent_dim=128,
    strides=(2, 4, 5, 8),
    residual_layers=1,
    kernel_size=7,
    last_kernel_size=7,
    residual_kernel_size=3,
    dilation_base=2,
    compress=2,
    lstm_layers=2,
    skip="conv1x1",
    norm="weight_norm",
    causal=True,
    pad_mode="reflect",
    trim_right_ratio=1.0,
    initialization="torch",
)


# The package is untyped, so its networks are Any here.
@pytest.fixture(scope="module")
def theirs() -> Any:
    """The package's 24 kHz model with random weights and codebooks."""
    package = pytest.importorskip("encodec", reason="encodec (extra oracles) is not installed")
    torch.manual_seed(0)
    model = package.EncodecModel.encodec_model_24khz(pretrained=False).eval()
    for layer in model.quantizer.vq.layers:
        layer.codebook.normal_()
    return model


@pytest.fixture(scope="module")
def ours(theirs: Any) -> Autoencoder:
    network = LAYOUT.build()
    network.load_state_dict(autoencoder_state(theirs.state_dict()))
    return network


def gradients(network: nn.Module) -> dict[str, Tensor]:
    found = {name: parameter.grad for name, parameter in network.named_parameters()}
    return {name: gradient for name, gradient in found.items() if gradient is not None}


def largest(one: Tensor, other: Tensor) -> float:
    return (one - other).abs().max().item()


@pytest.mark.parametrize("samples", [6000, 5999, 333, 1])
def test_the_encoder_and_the_decoder_are_those_of_the_package(
    theirs: Any, ours: Autoencoder, samples: int
) -> None:
    audio = torch.randn(2, 1, samples)
    with torch.no_grad():
        latent = theirs.encoder(audio)
        assert largest(ours.encode(audio), latent) <= 1e-6
        assert largest(ours.decode(latent, samples), theirs.decoder(latent)[..., :samples]) <= 1e-6


def test_the_gradients_of_every_weight_are_those_of_the_package(
    theirs: Any, ours: Autoencoder
) -> None:
    audio = torch.randn(1, 1, 6000)
    for encoder, decoder in ((ours.encoder, ours.decoder), (theirs.encoder, theirs.decoder)):
        estimate: Tensor = decoder(encoder(audio))
        torch.autograd.backward((estimate[..., :6000] - audio).square().mean())
    expected = autoencoder_state(gradients(theirs))
    torch.testing.assert_close(gradients(ours), expected, rtol=1e-4, atol=1e-9)
    assert len(expected) == len(list(ours.parameters()))


def test_codes_and_decoded_latents_are_those_of_the_package(theirs: Any) -> None:
    quantizer = ResidualVectorQuantizer(
        dim=128,
        num_codebooks=4,
        codebook_size=1024,
        decay=0.99,
        epsilon=1e-5,
        kmeans_iterations=50,
        dead_threshold=2.0,
        ema="correct",
    ).eval()
    quantizer.load_state_dict(quantizer_state(theirs.state_dict(), num_codebooks=4))
    latent = torch.randn(4, 128, 75)
    codes = theirs.quantizer.vq.encode(latent, n_q=4)  # (K, B, F)
    assert torch.equal(quantizer.encode(latent), codes.transpose(0, 1))
    assert largest(quantizer.decode(codes.transpose(0, 1)), theirs.quantizer.decode(codes)) <= 1e-6


def test_logits_features_and_gradients_of_the_discriminator_are_those_of_the_package() -> None:
    package = pytest.importorskip("encodec.msstftd", reason="encodec is not installed")
    torch.manual_seed(0)
    theirs = package.MultiScaleSTFTDiscriminator(filters=32)
    ours = MultiScaleSTFTDiscriminator(
        channels=1,
        n_ffts=[1024, 2048, 512],
        hop_lengths=[256, 512, 128],
        win_lengths=[1024, 2048, 512],
        num_filters=32,
        kernel_size=[3, 9],
        dilations=[1, 2, 4],
        stride=[1, 2],
        feature_maps_include_logits=False,
        leak=0.2,
    )
    ours.load_state_dict(discriminator_state(theirs.state_dict()))
    assert sum(parameter.numel() for parameter in ours.parameters()) == 283_398
    audio = torch.randn(1, 1, 6000)
    judgements, (logits, features) = ours(audio), theirs(audio)
    for (our_logits, our_features), logit, maps in zip(judgements, logits, features, strict=True):
        assert largest(our_logits, logit) <= 1e-5
        assert max(map(largest, our_features, maps)) <= 1e-5
    for maps in ([logits for logits, _ in judgements], logits):
        torch.autograd.backward(torch.stack([logit.mean() for logit in maps]).sum())
    expected = discriminator_state(gradients(theirs))
    torch.testing.assert_close(gradients(ours), expected, rtol=1e-4, atol=1e-6)
