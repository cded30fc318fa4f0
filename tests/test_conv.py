"""Padding and trimming of the one-dimensional convolutions."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from codecctl.engine.networks.conv import PaddedConv1d, PadMode, TrimmedConvTranspose1d, pad


def conv(*, stride: int, dilation: int = 1, causal: bool, pad_mode: PadMode) -> PaddedConv1d:
    torch.manual_seed(0)
    return PaddedConv1d(
        2,
        3,
        kernel_size=2 * stride + 1,
        stride=stride,
        dilation=dilation,
        causal=causal,
        norm="weight_norm",
        pad_mode=pad_mode,
    )


def test_reflection_mirrors_around_the_first_and_last_sample() -> None:
    audio = torch.tensor([[[1.0, 2.0, 3.0, 4.0]]])
    padded = pad(audio, 2, 1, mode="reflect")
    assert padded.flatten().tolist() == [3, 2, 1, 2, 3, 4, 3]


def test_an_input_too_short_to_be_mirrored_is_continued_by_zeros() -> None:
    padded = pad(torch.tensor([[[5.0, 7.0]]]), 3, 0, mode="reflect")
    assert padded.flatten().tolist() == [0, 0, 7, 5, 7]


def test_zeros_stand_beside_the_signal_in_zero_mode() -> None:
    padded = pad(torch.tensor([[[5.0, 7.0]]]), 1, 2, mode="zero")
    assert padded.flatten().tolist() == [0, 5, 7, 0, 0]


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("pad_mode", ["reflect", "zero"])
@pytest.mark.parametrize("stride", [1, 2, 5])
def test_every_length_gives_the_frames_that_cover_it(
    stride: int, pad_mode: PadMode, *, causal: bool
) -> None:
    layer = conv(stride=stride, causal=causal, pad_mode=pad_mode)
    for samples in range(1, 24):
        frames: Tensor = layer(torch.randn(1, 2, samples))
        assert frames.shape == (1, 3, -(-samples // stride))


@pytest.mark.parametrize("dilation", [1, 4])
def test_a_causal_frame_sees_nothing_after_its_last_sample(dilation: int) -> None:
    layer = conv(stride=1, dilation=dilation, causal=True, pad_mode="zero")
    audio = torch.randn(1, 2, 40, requires_grad=True)
    frames: Tensor = layer(audio)
    (gradient,) = torch.autograd.grad(frames[..., 20].sum(), audio)
    reach = torch.nonzero(gradient[0].abs().sum(0)).flatten()
    assert reach.tolist() == [20 - 2 * dilation, 20 - dilation, 20]


def test_a_strided_causal_frame_ends_where_the_next_begins() -> None:
    layer = conv(stride=4, causal=True, pad_mode="zero")
    audio = torch.randn(1, 2, 40, requires_grad=True)
    frames: Tensor = layer(audio)
    (gradient,) = torch.autograd.grad(frames[..., 5].sum(), audio)
    assert torch.nonzero(gradient[0].abs().sum(0)).max() == 6 * 4 - 1


def test_a_symmetric_frame_looks_as_far_ahead_as_back() -> None:
    layer = conv(stride=1, causal=False, pad_mode="zero")
    audio = torch.randn(1, 2, 21, requires_grad=True)
    frames: Tensor = layer(audio)
    (gradient,) = torch.autograd.grad(frames[..., 10].sum(), audio)
    assert torch.nonzero(gradient[0].abs().sum(0)).flatten().tolist() == [9, 10, 11]


@pytest.mark.parametrize("causal", [True, False])
def test_up_sampling_makes_stride_samples_of_each_frame(*, causal: bool) -> None:
    layer = TrimmedConvTranspose1d(
        2, 3, kernel_size=10, stride=5, causal=causal, norm="none", trim_right_ratio=1.0
    )
    audio: Tensor = layer(torch.randn(1, 2, 7))
    assert audio.shape == (1, 3, 35)


def test_trimming_on_the_right_keeps_up_sampling_causal() -> None:
    layer = TrimmedConvTranspose1d(
        1, 1, kernel_size=4, stride=2, causal=True, norm="none", trim_right_ratio=1.0
    )
    latent = torch.randn(1, 1, 8, requires_grad=True)
    audio: Tensor = layer(latent)
    (gradient,) = torch.autograd.grad(audio[..., 7].sum(), latent)
    assert torch.nonzero(gradient.flatten()).max() == 3


def test_the_trim_ratio_moves_the_cut_to_the_left() -> None:
    def layer(trim_right_ratio: float) -> TrimmedConvTranspose1d:
        torch.manual_seed(0)
        return TrimmedConvTranspose1d(
            1,
            1,
            kernel_size=8,
            stride=4,
            causal=True,
            norm="none",
            trim_right_ratio=trim_right_ratio,
        )

    latent = torch.randn(1, 1, 5)
    late, early = layer(0.5)(latent), layer(1.0)(latent)
    assert torch.equal(late[..., :-2], early[..., 2:])
