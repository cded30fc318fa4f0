"""The multi-scale STFT discriminator."""

from __future__ import annotations

import math

import pytest
import torch

from codecctl.engine.networks import MultiScaleSTFTDiscriminator
from codecctl.engine.networks.discriminator import STFTDiscriminator


def discriminator(
    *,
    channels: int = 1,
    num_filters: int = 4,
    n_ffts: tuple[int, ...] = (64, 128),
    kernel_size: tuple[int, int] = (3, 9),
    feature_maps_include_logits: bool = False,
) -> MultiScaleSTFTDiscriminator:
    torch.manual_seed(0)
    return MultiScaleSTFTDiscriminator(
        channels=channels,
        n_ffts=n_ffts,
        hop_lengths=[n_fft // 4 for n_fft in n_ffts],
        win_lengths=n_ffts,
        num_filters=num_filters,
        kernel_size=kernel_size,
        dilations=[1, 2, 4],
        stride=(1, 2),
        feature_maps_include_logits=feature_maps_include_logits,
        leak=0.2,
    )


def scale(network: MultiScaleSTFTDiscriminator, index: int) -> STFTDiscriminator:
    found = network.scales[index]
    assert isinstance(found, STFTDiscriminator)
    return found


@pytest.mark.parametrize(
    ("channels", "kernel_size", "per_scale"),
    # The last two were published with weight norm on the first convolution, too.
    [(1, (3, 9), 94_466), (1, (3, 8), 85_090 - 32), (32, (3, 8), 132_706 - 32)],
)
def test_a_scale_has_the_published_number_of_parameters(
    channels: int, kernel_size: tuple[int, int], per_scale: int
) -> None:
    network = discriminator(channels=channels, num_filters=32, kernel_size=kernel_size)
    assert sum(parameter.numel() for parameter in network.parameters()) == 2 * per_scale


def test_each_scale_gives_logits_and_five_feature_maps() -> None:
    judgements = discriminator()(torch.randn(2, 1, 256))
    assert [logits.shape for logits, _ in judgements] == [(2, 1, 13, 5), (2, 1, 5, 9)]
    assert [len(feature_maps) for _, feature_maps in judgements] == [5, 5]


def test_feature_matching_may_see_the_logits() -> None:
    (logits, feature_maps), _ = discriminator(feature_maps_include_logits=True)(
        torch.randn(1, 1, 256)
    )
    assert feature_maps[-1] is logits
    assert len(feature_maps) == 6


def test_the_spectrogram_has_the_energy_of_its_window_divided_out() -> None:
    noise = torch.randn(1, 1, 100_000)
    planes = scale(discriminator(), 0).spectrogram(noise)
    power = planes.square().sum(1)[..., 1:-1].mean()
    assert power.item() == pytest.approx(1.0, abs=0.02)


def test_a_sine_stands_in_its_band_with_its_phase() -> None:
    time = torch.arange(64)
    sine = torch.sin(2 * math.pi * 8 / 64 * time)[None, None]
    real, imaginary = scale(discriminator(), 0).spectrogram(sine)[0, :, 0]
    # Hann sums to 32 and has energy 24: 32 / 2 / sqrt(24), a quarter turn behind a cosine.
    assert imaginary[8].item() == pytest.approx(-16 / math.sqrt(24), abs=1e-4)
    assert real[8].item() == pytest.approx(0.0, abs=1e-4)
    assert imaginary[12].item() == pytest.approx(0.0, abs=1e-4)


def test_channels_become_pairs_of_planes() -> None:
    audio = torch.randn(1, 3, 128)
    network = scale(discriminator(channels=3), 0)
    planes = network.spectrogram(audio)
    alone = network.spectrogram(audio[:, 1:2])
    assert planes.shape[1] == 6
    assert torch.equal(planes[:, [1, 4]], alone)


def test_an_item_is_judged_alike_whatever_shares_its_batch() -> None:
    network = discriminator()
    audio = torch.randn(3, 1, 256)
    for (together, _), (alone, _) in zip(network(audio), network(audio[1:2]), strict=True):
        torch.testing.assert_close(together[1:2], alone)


def test_only_the_first_convolution_carries_no_weight_norm() -> None:
    names = {name for name, _ in scale(discriminator(), 0).named_parameters()}
    assert {name for name in names if name.endswith(".weight")} == {"convs.0.weight"}


def test_windows_travel_with_the_device_but_not_with_the_weights() -> None:
    network = discriminator()
    assert not [name for name in network.state_dict() if "window" in name]
    assert scale(network.double(), 0).window.dtype == torch.float64


def test_the_spectrogram_stays_in_float32_under_autocast() -> None:
    network = discriminator()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        planes = scale(network, 0).spectrogram(torch.randn(1, 1, 256).bfloat16())
        (logits, _), _ = network(torch.randn(1, 1, 256))
    assert planes.dtype == torch.float32
    assert torch.isfinite(logits).all()
