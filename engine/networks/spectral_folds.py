"""Shapes of spectral networks: bins folded into the width, and how far a network sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor


def fold(features: Tensor, *, parts: int) -> Tensor:
    """Bins into the width: (B, W * parts, bins, F) to (B, W * bins * parts, F).

    The two parts of a complex number stay side by side.
    """
    batch, width, bins, frames = features.shape
    apart = features.reshape(batch, width // parts, parts, bins, frames)
    return apart.transpose(2, 3).reshape(batch, width * bins, frames)


def unfold(folded: Tensor, bins: int, *, parts: int) -> Tensor:
    """The inverse of `fold`: (B, W * bins * parts, F) to (B, W * parts, bins, F)."""
    batch, width, frames = folded.shape
    apart = folded.reshape(batch, -1, bins, parts, frames)
    return apart.transpose(2, 3).reshape(batch, width // bins, bins, frames)


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What decides how far convolutions see over frames."""

    strides: Sequence[int]
    """Of the encoder, each with twice as many taps."""
    taps: int
    """Of the first and of the last convolution of either half."""
    residual: int
    """Taps but one of all convolutions of the residual blocks of a stride."""


def encoder_reach(reach: Reach) -> int:
    """Spectrogram frames on either side that a latent frame depends on, at most."""
    frames, step = reach.taps - 1, 1
    for stride in reach.strides:
        frames += (reach.residual + 2 * stride - 1) * step
        step *= stride
    return frames + (reach.taps - 1) * step


def decoder_reach(reach: Reach) -> float:
    """Latent frames on either side that a spectrogram frame depends on, at most."""
    frames, step = float(reach.taps - 1), 1.0
    for stride in reversed(reach.strides):
        frames += 2 * step
        step /= stride
        frames += reach.residual * step
    return frames + (reach.taps - 1) * step


def doubled(ratio: tuple[int, int]) -> tuple[int, int]:
    """Taps of a convolution that shrinks by a ratio of (bins, frames)."""
    return 2 * ratio[0], 2 * ratio[1]


def multiple(frames: int, stride: int) -> int:
    """The least multiple of a stride that is not below a number of frames."""
    return -(-frames // stride) * stride
