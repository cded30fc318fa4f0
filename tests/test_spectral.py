"""Spectral networks: sizes, shapes, and pieces that are the whole."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from codecctl.engine.networks.autoencoder import Autoencoder
from codecctl.engine.networks.spectral import SpectralLayout
from codecctl.engine.networks.spectral_folds import fold, unfold
from tests.spectral_layouts import COMPLEX, FULL, TINY


def num_parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def built(layout: SpectralLayout) -> Autoencoder:
    torch.manual_seed(0)
    return layout.build().double()


def noise(samples: int, channels: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(samples)
    return 0.1 * torch.randn(1, channels, samples, generator=generator, dtype=torch.float64)


def test_the_documents_network_has_the_size_that_was_counted() -> None:
    with torch.device("meta"):
        full = FULL.build()
    assert FULL.num_bins == [1025, 256, 256, 64]
    assert num_parameters(full.encoder) == 7_424_424  # 7.42 M
    assert num_parameters(full.decoder) == 3_762_024  # 3.76 M
    assert 44_100 / full.hop_length == pytest.approx(10.77, abs=0.01)
    assert full.num_latents(65_024) == 16


@pytest.mark.parametrize("layout", [TINY, COMPLEX], ids=["real", "complex"])
@pytest.mark.parametrize("channels", [1, 2, 32])
@pytest.mark.parametrize("samples", [5, 64, 1000])
def test_audio_of_any_shape_goes_through(
    layout: SpectralLayout, channels: int, samples: int
) -> None:
    network = built(replace(layout, channels=channels))
    audio = noise(samples, channels)
    latent = network.encode(audio)
    assert latent.shape == (1, 16, network.num_latents(samples))
    emitted = network.emit(latent[:, :8], samples)
    assert emitted.shape == network.analyze(audio).shape
    assert network.render(emitted, samples).shape == audio.shape
    emitted.square().sum().backward()  # type: ignore[no-untyped-call]  # torch's
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


@pytest.mark.parametrize("parts", [1, 2])
def test_folding_keeps_the_parts_of_a_number_together(parts: int) -> None:
    features = torch.arange(2 * 3 * parts * 5 * 4.0).view(2, 3 * parts, 5, 4)
    folded = fold(features, parts=parts)
    assert torch.equal(unfold(folded, 5, parts=parts), features)
    # Channel w, bin 1: its parts are the first two numbers after those of bin 0.
    assert torch.equal(folded[:, parts : 2 * parts], features[:, :parts, 1])


@pytest.mark.parametrize("seq_model", ["none", "lstm", "transformer"])
@pytest.mark.parametrize("layout", [TINY, COMPLEX], ids=["real", "complex"])
@pytest.mark.parametrize("pad_mode", ["reflect", "zero"])
def test_pieces_give_what_the_whole_gives(
    layout: SpectralLayout, seq_model: str, pad_mode: str
) -> None:
    """In float64 to rounding, also with a network that sees every frame: it takes them at once."""
    layout = replace(layout, seq_model=seq_model, pad_mode=pad_mode)  # type: ignore[arg-type]  # of the list above
    whole, pieces = built(layout), built(replace(layout, chunk_frames=30))
    samples = 3500  # 219 frames: seven pieces of 32, the last one short
    audio = noise(samples)
    with torch.no_grad():
        latent = whole.encode(audio)
        torch.testing.assert_close(pieces.encode(audio), latent, rtol=1e-10, atol=1e-13)
        decoded = whole.decode(latent[:, :8], samples)
        torch.testing.assert_close(
            pieces.decode(latent[:, :8], samples), decoded, rtol=1e-10, atol=1e-12
        )


@pytest.mark.parametrize("layout", [TINY, COMPLEX], ids=["real", "complex"])
def test_training_in_pieces_gives_the_same_gradients(layout: SpectralLayout) -> None:
    gradients: list[list[Tensor]] = []
    for frames in (0, 40):
        network = built(replace(layout, chunk_frames=frames))
        audio = noise(2500)
        latent = network.encode_features(network.analyze(audio))
        (network.emit(latent[:, :8], 2500) - network.analyze(audio)).square().mean().backward()  # type: ignore[no-untyped-call]  # torch's
        gradients.append([p.grad.clone() for p in network.parameters() if p.grad is not None])
    assert len(gradients[0]) == len(list(network.parameters()))
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-8, atol=1e-14)


def test_a_piece_needs_all_of_its_neighbourhood() -> None:
    """That the test of pieces would see a context that is too short."""
    whole, pieces = built(TINY), built(replace(TINY, chunk_frames=30))
    pieces.encoder.context = 16  # type: ignore[assignment]  # of 96
    with torch.no_grad():
        latent, cut = whole.encode(noise(3500)), pieces.encode(noise(3500))
    assert float((cut - latent).norm() / latent.norm()) > 1e-4


@pytest.mark.parametrize("layout", [TINY, COMPLEX], ids=["real", "complex"])
def test_the_first_features_have_the_size_of_the_spectrogram(layout: SpectralLayout) -> None:
    network = built(replace(layout, normalized=True, num_filters=8))
    features = network.analyze(10 * noise(4000))
    ratio = network.encode_features(features).detach().std() / features.std()
    assert 0.2 < float(ratio) < 5
